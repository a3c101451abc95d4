import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { patience } from '../../test/support/patience.ts';
import { TEST_CERTIFICATE, TEST_KEY } from '../../test/support/tls.ts';
import { type AllowedHost, readAllowedHost } from '../config/allowed-hosts.ts';
import { PUBLIC_ONLY } from './addresses.ts';
import { type EgressDoor, type EgressEntry, openEgressDoor } from './door.ts';
import { FIXED_LIMITS } from './limits.ts';

/** Two machines of the test: one that may be reached, and this one, which may not. */
const FAR = '127.0.0.2';
const OWN = '127.0.0.1';
const RULES = { ...PUBLIC_ONLY, except: [`${FAR}/32`] };

interface Machine {
  port: number;
  /** names that TLS clients asked for, and `x bytes` for what came without TLS */
  heard: string[];
  sockets: Set<Socket>;
}

/** A TLS server that says its name and everything that it hears. */
async function machine(address: string, at: { port?: number; says?: Buffer } = {}): Promise<Machine> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const server = createTlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (socket) => {
    heard.push(`hello ${socket.servername}`);
    socket.on('error', () => {});
    socket.write(at.says ?? `this is ${address}\n`);
    socket.on('data', (bytes) => heard.push(bytes.toString()));
  });
  server.on('connection', (socket: Socket) => {
    heard.push('connection');
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(at.port ?? 0, address, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, heard, sockets };
}

interface Stage {
  allow?: string[];
  /** the answers of the resolver, one for each look-up; the last one stays */
  names?: Record<string, string[][]>;
  limits?: Partial<Parameters<typeof openEgressDoor>[1]['limits']>;
  isProxied?: boolean;
}

interface Opened {
  socket: string;
  door: EgressDoor;
  audit: EgressEntry[];
  restrict(why: string): void;
  lookups: string[];
}

async function opened(o: Stage = {}): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-egress-'));
  const audit: EgressEntry[] = [];
  const lookups: string[] = [];
  let restriction: string | null = null;
  const door = await openEgressDoor(join(folder, 'names.sock'), {
    allowed: (o.allow ?? []).map(hostOf),
    limits: { ...FIXED_LIMITS, sentBytes: 1e6, receivedBytes: 1e6, connections: 8, ...o.limits },
    restriction: () => restriction,
    isProxied: () => o.isProxied === true,
    reach: {
      lookup: async (host) => {
        lookups.push(host);
        const answers = o.names?.[host];
        if (answers === undefined) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
        return answers.length > 1 ? answers.shift()! : answers[0]!;
      },
      rules: RULES,
      own: () => [OWN],
      lookupMs: 5000,
      connectMs: 5000,
    },
    passed: () => {},
    audit: async (entry) => void audit.push(entry),
  });
  onTestFinished(async () => {
    await door.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    socket: join(folder, 'names.sock'),
    door,
    audit,
    lookups,
    restrict: (why) => {
      restriction = why;
    },
  };
}

function hostOf(text: string): AllowedHost {
  const read = readAllowedHost(text);
  if (read.kind === 'not') throw new Error(read.problem);
  return read.host;
}

/** What the proxy answers to a CONNECT, and the connection behind it. */
async function ask(at: Opened, target: string): Promise<{ status: string; body: string; socket: Socket }> {
  const socket = connect(at.socket);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  let text = '';
  await new Promise<void>((resolve) => {
    const read = () => {
      for (let one = socket.read(1); one !== null; one = socket.read(1)) {
        text += one.toString('latin1');
        if (text.endsWith('\r\n\r\n')) {
          socket.off('readable', read);
          return resolve();
        }
      }
    };
    socket.on('readable', read);
    socket.once('close', () => resolve());
  });
  return { status: text.split('\r\n')[0]!, body: text, socket };
}

/** The first line that a TLS server says through the tunnel, or the error. */
async function greet(socket: Socket, servername: string): Promise<{ said: string; tls: TLSSocket }> {
  const tls = connectTls({ socket, servername, rejectUnauthorized: false });
  const said = await new Promise<string>((resolve) => {
    tls.once('data', (bytes) => resolve(bytes.toString().trim()));
    tls.once('error', (error: NodeJS.ErrnoException) => resolve(`error ${error.code}`));
    tls.once('close', () => resolve('closed'));
  });
  tls.on('error', () => {});
  return { said, tls };
}

const verdicts = (at: Opened) => at.audit.map(({ action, verdict }) => `${action} ${verdict}`);

async function told(at: Opened, verdict: string): Promise<void> {
  await vi.waitFor(() => expect(at.audit.map((entry) => entry.verdict)).toContain(verdict), {
    timeout: patience(5000),
  });
}

describe('the proxy for names', () => {
  it('carries TLS to a host on the list, by the address that it resolved, and tells the audit', async () => {
    const far = await machine(FAR);
    const at = await opened({ allow: [`files.test:${far.port}`], names: { 'files.test': [[FAR]] } });
    const { status, socket } = await ask(at, `FILES.test:${far.port}`);
    expect(status).toBe('HTTP/1.1 200 Connection established');
    const { said, tls } = await greet(socket, 'files.test');
    expect(said).toBe(`this is ${FAR}`);
    tls.end('goodbye');
    await told(at, 'ended');
    expect(far.heard).toEqual(['connection', 'hello files.test', 'goodbye']);
    expect(at.audit).toEqual([
      expect.objectContaining({
        action: `CONNECT files.test:${far.port}`,
        verdict: 'opened',
        decision: 'allowed',
        reason: null,
        detail: { address: FAR },
      }),
      expect.objectContaining({
        verdict: 'ended',
        decision: 'allowed',
        detail: { address: FAR, ms: expect.any(Number) },
      }),
    ]);
    expect(at.audit[1]!.sent).toBeGreaterThan(300);
    expect(at.audit[1]!.received).toBeGreaterThan(300);
  });

  it('refuses what is not on the list, the same host on another port among it, and resolves nothing', async () => {
    const far = await machine(FAR);
    const at = await opened({
      allow: [`files.test:${far.port}`],
      names: { 'files.test': [[FAR]], 'other.test': [[FAR]] },
    });
    const other = far.port === 8443 ? 8444 : 8443;
    for (const target of [
      `files.test:${other}`,
      `other.test:${far.port}`,
      `x.files.test:${far.port}`,
      `${FAR}:${far.port}`,
    ]) {
      expect((await ask(at, target)).status, target).toMatch(
        /^HTTP\/1\.1 403 This host and port are not on the list/,
      );
    }
    expect(at.lookups).toEqual([]);
    expect(far.heard).toEqual([]);
    expect(new Set(at.audit.map(({ verdict, decision }) => `${verdict} ${decision}`))).toEqual(
      new Set(['not-allowed denied']),
    );
  });

  it('refuses a name that leads to this machine, a private address or none', async () => {
    const own = await machine(OWN);
    const names = {
      'own.test': [[OWN]],
      'private.test': [['10.0.0.1', '::ffff:10.0.0.1', '169.254.169.254']],
      'empty.test': [[]],
    };
    const hosts = [...Object.keys(names), 'absent.test', OWN];
    const at = await opened({ allow: hosts.map((host) => `${host}:${own.port}`), names });
    const statuses = [];
    for (const host of hosts) statuses.push((await ask(at, `${host}:${own.port}`)).status.slice(9, 30));
    expect(statuses).toEqual([
      '403 The name leads to',
      '403 The name leads to',
      '502 The name could no',
      '502 The name could no',
      '403 The name leads to',
    ]);
    expect(own.heard).toEqual([]);
    expect(at.audit[1]!.detail).toEqual({
      shut: ['10.0.0.1 (private)', '::ffff:10.0.0.1 (IPv4-mapped)', '169.254.169.254 (link-local)'],
    });
  });

  it('goes to the public address of a name that has a private one as well', async () => {
    const far = await machine(FAR);
    const at = await opened({ allow: [`both.test:${far.port}`], names: { 'both.test': [[OWN, FAR]] } });
    const { socket } = await ask(at, `both.test:${far.port}`);
    expect((await greet(socket, 'both.test')).said).toBe(`this is ${FAR}`);
  });

  it('connects to the address that was judged, when the name has another one a moment later', async () => {
    const far = await machine(FAR);
    const own = await machine(OWN, { port: far.port });
    const at = await opened({
      allow: [`rebound.test:${far.port}`],
      names: { 'rebound.test': [[FAR], [OWN]] },
    });
    const { socket } = await ask(at, `rebound.test:${far.port}`);
    expect((await greet(socket, 'rebound.test')).said).toBe(`this is ${FAR}`);
    expect(own.heard).toEqual([]);
    expect(at.lookups).toEqual(['rebound.test']);
    expect((await ask(at, `rebound.test:${far.port}`)).status).toMatch(/^HTTP\/1\.1 403 The name leads/);
  });

  it('cuts a client that names another server in TLS, or none, or speaks no TLS, before a byte has gone', async () => {
    const far = await machine(FAR);
    const at = await opened({ allow: [`files.test:${far.port}`], names: { 'files.test': [[FAR]] } });
    const target = `files.test:${far.port}`;
    expect((await greet((await ask(at, target)).socket, 'other.test')).said).toMatch(/^error ERR_SSL/);
    await told(at, 'other-server-name');
    expect((await greet((await ask(at, target)).socket, '')).said).toMatch(/^error ERR_SSL/);
    await told(at, 'no-server-name');
    const { socket } = await ask(at, target);
    socket.write('GET / HTTP/1.1\r\nHost: files.test\r\n\r\n');
    socket.resume();
    await told(at, 'not-tls');
    expect(far.heard.filter((one) => one !== 'connection')).toEqual([]);
    const refused = at.audit.find(({ verdict }) => verdict === 'other-server-name')!;
    expect(refused).toMatchObject({
      decision: 'denied',
      sent: 0,
      detail: { address: FAR, server_name: 'other.test' },
    });
  });

  it('refuses all that is no CONNECT', async () => {
    const at = await opened({ allow: ['files.test:80'], names: { 'files.test': [[FAR]] } });
    for (const line of ['GET http://files.test/ HTTP/1.1', 'POST / HTTP/1.1', 'nonsense']) {
      const socket = connect(at.socket);
      socket.write(`${line}\r\nHost: files.test\r\n\r\n`);
      const text = await new Promise<string>((resolve) => {
        let all = '';
        socket.on('data', (bytes) => {
          all += bytes;
        });
        socket.on('close', () => resolve(all));
      });
      expect(text).toMatch(line === 'nonsense' ? /^HTTP\/1\.1 400/ : /^HTTP\/1\.1 405/);
    }
    expect(at.lookups).toEqual([]);
    expect(verdicts(at)).toEqual([
      'GET http://files.test/ no-connect',
      'POST / no-connect',
      'no HTTP bad-target',
    ]);
  });

  it('refuses where the service itself would need a proxy: the address could not be checked', async () => {
    const at = await opened({ allow: ['files.test:443'], names: { 'files.test': [[FAR]] }, isProxied: true });
    expect((await ask(at, 'files.test:443')).status).toContain(
      '403 The service reaches this host only through a proxy',
    );
    expect(at.lookups).toEqual([]);
  });
});

describe('a run that reads strangers’ words', () => {
  it('has no network from that moment: nothing new is opened, and what stands is cut', async () => {
    const far = await machine(FAR);
    const at = await opened({ allow: [`files.test:${far.port}`], names: { 'files.test': [[FAR]] } });
    const first = await greet((await ask(at, `files.test:${far.port}`)).socket, 'files.test');
    const second = await greet((await ask(at, `files.test:${far.port}`)).socket, 'files.test');
    at.restrict('It has read words of mallory.');
    // A tunnel that is not cut by hand is cut by its next byte.
    second.tls.write('secret');
    await told(at, 'shut');
    at.door.shut();
    await vi.waitFor(() => expect(verdicts(at).filter((one) => one.endsWith(' shut'))).toHaveLength(2), {
      timeout: patience(5000),
    });
    expect((await ask(at, `files.test:${far.port}`)).status).toMatch(
      /^HTTP\/1\.1 403 This session has read words/,
    );
    expect(far.heard.join()).not.toContain('secret');
    // A look-up would carry words out in the name.
    expect(at.lookups).toEqual(['files.test', 'files.test']);
    first.tls.destroy();
  });
});

describe('what the tunnels of a run may take', () => {
  it('ends a tunnel that sends, or receives, more than the run may', async () => {
    const far = await machine(FAR, { says: Buffer.alloc(60_000, 'x') });
    const names = { 'files.test': [[FAR]] };
    const allow = [`files.test:${far.port}`];
    const sending = await opened({ allow, names, limits: { sentBytes: 20_000 } });
    const one = await greet((await ask(sending, allow[0]!)).socket, 'files.test');
    one.tls.write(Buffer.alloc(50_000, 'y'));
    await told(sending, 'sent-too-much');
    expect(far.heard.join('').length).toBeLessThan(20_000);
    const receiving = await opened({ allow, names, limits: { receivedBytes: 20_000 } });
    await greet((await ask(receiving, allow[0]!)).socket, 'files.test');
    await told(receiving, 'received-too-much');
    // The run's bytes are counted together, so the next tunnel has only what is left.
    await greet((await ask(receiving, allow[0]!)).socket, 'files.test');
    await vi.waitFor(
      () =>
        expect(verdicts(receiving).filter((verdict) => verdict.endsWith('received-too-much'))).toHaveLength(
          2,
        ),
      { timeout: patience(5000) },
    );
  });

  it('ends a tunnel that is silent, lasts too long, or never begins TLS', async () => {
    const far = await machine(FAR);
    const names = { 'files.test': [[FAR]] };
    const allow = [`files.test:${far.port}`];
    const silent = await opened({ allow, names, limits: { idleMs: 100 } });
    await greet((await ask(silent, allow[0]!)).socket, 'files.test');
    await told(silent, 'idle');
    const long = await opened({ allow, names, limits: { lifeMs: 300 } });
    const { tls } = await greet((await ask(long, allow[0]!)).socket, 'files.test');
    const talk = setInterval(() => tls.write('x'), 20);
    onTestFinished(() => clearInterval(talk));
    await told(long, 'too-long');
    const late = await opened({ allow, names, limits: { helloMs: 100 } });
    await ask(late, allow[0]!);
    await told(late, 'hello-too-late');
  });

  it('opens only so many at once, and only so many in a run', async () => {
    const far = await machine(FAR);
    const at = await opened({
      allow: [`files.test:${far.port}`],
      names: { 'files.test': [[FAR]] },
      limits: { connections: 2, requests: 4 },
    });
    const target = `files.test:${far.port}`;
    const standing = [await ask(at, target), await ask(at, target)];
    expect((await ask(at, target)).status).toMatch(/^HTTP\/1\.1 429 There are too many connections/);
    standing[0]!.socket.destroy();
    await told(at, 'ended');
    expect((await ask(at, target)).status).toContain(' 200 ');
    standing[1]!.socket.destroy();
    await vi.waitFor(() => expect(verdicts(at).filter((one) => one.endsWith(' ended'))).toHaveLength(2), {
      timeout: patience(5000),
    });
    expect((await ask(at, target)).status).toMatch(/^HTTP\/1\.1 429/);
  });

  it('cuts all tunnels when it closes, and then all is told', async () => {
    const far = await machine(FAR);
    const at = await opened({ allow: [`files.test:${far.port}`], names: { 'files.test': [[FAR]] } });
    await greet((await ask(at, `files.test:${far.port}`)).socket, 'files.test');
    await at.door.close();
    expect(verdicts(at).at(-1)).toBe(`CONNECT files.test:${far.port} ended`);
    await vi.waitFor(() => expect(far.sockets.size).toBe(0), { timeout: patience(5000) });
  });

  it('says so when the host does not answer', async () => {
    const silent = createTcpServer();
    await new Promise<void>((resolve) => silent.listen(0, FAR, resolve));
    const { port } = silent.address() as AddressInfo;
    await new Promise((resolve) => silent.close(resolve));
    const at = await opened({ allow: [`files.test:${port}`], names: { 'files.test': [[FAR]] } });
    expect((await ask(at, `files.test:${port}`)).status).toMatch(
      /^HTTP\/1\.1 502 The host could not be reached/,
    );
    expect(at.audit[0]).toMatchObject({
      decision: 'failed',
      detail: { error: 'ECONNREFUSED', addresses: [FAR] },
    });
  });
});
