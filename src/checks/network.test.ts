import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { contextOf } from '../../test/support/doctor.ts';
import { needs } from '../../test/support/requirements.ts';
import { DIRECT, openInstallation } from '../../test/support/smoke-config.ts';
import { reachOfAddress } from './addresses.ts';
import { checkCertificate, checkNetwork } from './network.ts';

const HERE = { network: DIRECT, now: () => Date.now() };

/** An HTTPS server with a certificate of its own making. */
async function selfSigned(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-days', '2'];
  const made = ['-nodes', '-keyout', key, '-out', certificate, ...subject];
  const [openssl, ...args] = ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', ...made];
  execFileSync(openssl!, args, { stdio: 'ignore' });
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

const tls = needs('openssl');
test.skipIf(!tls.ok)(
  tls.title('a self-signed certificate is refused, with the way to trust it'),
  async () => {
    const [finding] = await checkCertificate(HERE, await selfSigned(), 'forge home');
    expect(finding).toMatchObject({
      check: 'certificate-refused',
      severity: 'broken',
      evidence: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      remedy: expect.stringContaining('network.ca_file'),
    });
  },
);

test('a host that does not answer is no matter of certificates', async () => {
  const [finding] = await checkCertificate(HERE, 'https://127.0.0.1:9', 'forge home');
  expect(finding).toMatchObject({ check: 'address-unreachable', evidence: 'ECONNREFUSED' });
});

test('a clock that differs by more than half a minute is told, with the direction', async () => {
  const here = await openInstallation();
  onTestFinished(() => here.close());
  const config = here.config();
  const ahead = contextOf(config, { now: () => Date.now() + 95_000 });
  const [finding] = await checkNetwork({ ...ahead, rows: null });
  expect(finding?.check).toBe('clock-skew');
  expect(finding?.evidence).toMatch(/^its clock is 9[4-7] s behind ours$/);
  expect(await checkNetwork({ ...contextOf(config), rows: null })).toEqual([]);
});

test('addresses are sorted as ALLOWED_HOST_LIST sorts them', () => {
  for (const [address, reach] of [
    ['127.0.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['192.168.3.4', 'private'],
    ['172.17.0.2', 'private'],
    ['172.32.0.2', 'external'],
    ['fd00::1', 'private'],
    ['fe80::1', 'private'],
    ['203.0.113.9', 'external'],
    ['2001:db8::1', 'external'],
  ] as const) {
    expect(reachOfAddress(address), address).toBe(reach);
  }
});
