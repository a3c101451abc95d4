/** An authority of a test's own, and TLS in front of a server with a certificate of it. Made by openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { onTestFinished } from 'vitest';

export interface Authority {
  /** PEM */
  file: string;
  /** a port on 127.0.0.1 where `target` is served over TLS, for these names */
  serve(target: string, names?: readonly string[]): Promise<number>;
}

const OPENSSL = 'openssl';
const NAMES = ['localhost', 'forge.test', 'model.test'];

export function makeAuthority(name: string): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-authority-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const at = (file: string) => join(folder, file);
  const openssl = (...args: string[]) => execFileSync(OPENSSL, args, { stdio: 'ignore' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const ca = ['-x509', ...newKey, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '30'];
  openssl('req', ...ca, '-subj', `/CN=${name}`);
  return {
    file: at('ca.pem'),
    serve: async (target, names = NAMES) => {
      writeFileSync(
        at('names'),
        `subjectAltName=${names.map((one) => `DNS:${one}`).join(',')},IP:127.0.0.1\n`,
      );
      openssl('req', ...newKey, '-keyout', at('key'), '-out', at('csr'), '-subj', `/CN=${names[0]}`);
      const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '30'];
      openssl('x509', '-req', '-in', at('csr'), '-out', at('cert'), ...signed, '-extfile', at('names'));
      return await serveTls(target, { key: readFileSync(at('key')), cert: readFileSync(at('cert')) });
    },
  };
}

async function serveTls(target: string, identity: { key: Buffer; cert: Buffer }): Promise<number> {
  const { port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer(identity, (socket) => {
    const behind = connect(Number(port), '127.0.0.1');
    behind.pipe(socket).pipe(behind);
    for (const one of [behind, socket]) {
      sockets.add(one);
      one.on('error', () => [behind, socket].forEach((end) => void end.destroy()));
    }
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
