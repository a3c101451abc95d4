/** Whether an allowed host is reached: a TLS handshake with it, through a real proxy as an agent has it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { AllowedHost } from '../config/allowed-hosts.ts';
import { PUBLIC_ONLY } from './addresses.ts';
import type { Reach } from './connection.ts';
import { type EgressEntry, openEgressDoor } from './door.ts';
import { FIXED_LIMITS } from './limits.ts';
import { ownAddresses, systemLookup } from './lookups.ts';
import { showTarget } from './target.ts';
import type { EgressVerdict } from './verdict.ts';

export type Handshake =
  /** `certificate`: why this machine does not trust it; null = it does */
  | { kind: 'done'; address: string; certificate: string | null }
  | { kind: 'refused'; verdict: EgressVerdict; reason: string; detail: Record<string, unknown> }
  | { kind: 'no-tls'; error: string };

export interface HandshakeDeps {
  proxyFor: (address: string) => string | null;
  reach?: Partial<Pick<Reach, 'lookup' | 'rules'>>;
}

const PROBE_MS = 10_000;
const ONE_MEGABYTE = 1024 ** 2;

export async function tryHandshake(host: AllowedHost, deps: HandshakeDeps): Promise<Handshake> {
  const folder = await mkdtemp(join(tmpdir(), 'claude-hooks-n-'));
  const entries: EgressEntry[] = [];
  const { lookup = systemLookup(), rules = PUBLIC_ONLY } = deps.reach ?? {};
  const door = await openEgressDoor(join(folder, 'n.sock'), {
    allowed: [host],
    limits: { ...FIXED_LIMITS, sentBytes: ONE_MEGABYTE, receivedBytes: ONE_MEGABYTE, connections: 1 },
    restriction: () => null,
    isProxied: (target) => deps.proxyFor(`https://${showTarget(target)}`) !== null,
    reach: { lookup, rules, own: ownAddresses, lookupMs: PROBE_MS, connectMs: PROBE_MS },
    passed: () => {},
    audit: async (entry) => void entries.push(entry),
  });
  try {
    const tunnel = await openTunnelTo(join(folder, 'n.sock'), showTarget(host));
    const tls = tunnel === null ? null : await handshake(tunnel, host.host);
    await door.close();
    const refused = entries.find(({ decision }) => decision !== 'allowed');
    if (refused !== undefined) {
      const { verdict, detail, reason } = refused;
      return { kind: 'refused', verdict, detail, reason: reason ?? '' };
    }
    if (tls === null || 'error' in tls) return { kind: 'no-tls', error: tls?.error ?? 'no answer' };
    return { kind: 'done', address: String(entries[0]?.detail.address ?? ''), ...tls };
  } finally {
    await door.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Null: the proxy did not open it. */
function openTunnelTo(socketPath: string, target: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    let head = '';
    const read = (bytes: Buffer) => {
      head += bytes.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', read);
      socket.pause();
      resolve(/^HTTP\/1\.1 200 /.test(head) ? socket : null);
      if (!/^HTTP\/1\.1 200 /.test(head)) socket.destroy();
    };
    socket.on('data', read);
    socket.on('error', () => resolve(null));
    socket.on('close', () => resolve(null));
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  });
}

function handshake(
  socket: Socket,
  servername: string,
): Promise<{ certificate: string | null } | { error: string }> {
  return new Promise((resolve) => {
    const tls = connectTls({ socket, servername, rejectUnauthorized: false }, () => {
      resolve({ certificate: tls.authorized ? null : String(tls.authorizationError) });
      tls.destroy();
    });
    tls.setTimeout(PROBE_MS, () => tls.destroy(new Error('no answer in time')));
    tls.on('error', (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
    tls.on('close', () => resolve({ error: 'the connection ended' }));
  });
}
