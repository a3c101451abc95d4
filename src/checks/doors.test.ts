import { createHash } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { TEST_CERTIFICATE, TEST_KEY } from '../../test/support/tls.ts';
import { PUBLIC_ONLY } from '../egress/addresses.ts';
import { silentLog } from '../log.ts';
import { checkDoors } from './doors.ts';

const FAR = '127.0.0.2';
const FILE = Buffer.from('a small package');

async function listening(server: Server, address = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function registry(): Promise<string> {
  const server = createHttpServer((request, response) => {
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    if (request.url!.endsWith('.tgz')) return void response.end(FILE);
    if (request.url !== '/isarray') return void response.writeHead(404).end();
    const integrity = `sha512-${createHash('sha512').update(FILE).digest('base64')}`;
    const dist = { tarball: `${at}/isarray/-/isarray-2.0.5.tgz`, integrity };
    const version = { name: 'isarray', version: '2.0.5', dist };
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ name: 'isarray', 'dist-tags': { latest: '2.0.5' }, versions: { '2.0.5': version } }),
    );
  });
  return `http://127.0.0.1:${await listening(server)}`;
}

/** All registries but npm's are at a port that nobody listens at. */
async function look(o: { allow?: string[]; npm?: string; proxy?: string }) {
  const nobody = 'http://127.0.0.1:9';
  const registries = Object.fromEntries(
    ['npm', 'pypi', 'crates', 'go', 'maven'].map((name) => [name, { url: nobody }]),
  );
  const container = { engine: 'process', ...(o.allow === undefined ? {} : { network: { allow: o.allow } }) };
  const packages = { policy: 'lockfile', registries: { ...registries, npm: { url: o.npm } } };
  const text = SMALL_CONFIG.replace(/^container: .*$/m, `container: ${JSON.stringify(container)}`);
  using folder = new ConfigFolder({
    'claude-hooks.yaml': o.npm === undefined ? text : `${text}packages: ${JSON.stringify(packages)}\n`,
  });
  const config = folder.load();
  return await checkDoors(config, [config.agents.get('dev')!], {
    network: { fetch, proxyFor: () => o.proxy ?? null },
    reach: {
      lookup: async (host) => {
        if (host === 'absent.test') throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
        return [host === 'own.test' ? '127.0.0.1' : FAR];
      },
      rules: { ...PUBLIC_ONLY, except: [`${FAR}/32`] },
    },
    log: silentLog,
  });
}

test('nothing is asked where no agent has a door', async () => {
  expect(await look({})).toEqual([]);
});

test('a host is reached by a handshake, and what bars it is told with the remedy', async () => {
  const server = createServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (socket) =>
    socket.on('error', () => {}),
  );
  const port = await listening(server, FAR);
  const [reached] = await look({ allow: [`*.files.test:${port}`, `files.test:${port}`] });
  expect(reached).toMatchObject({
    check: 'host-by-name',
    severity: 'risk',
    subject: `files.test:${port}`,
    evidence: expect.stringContaining('SELF_SIGNED'),
  });
  const barred = async (host: string, proxy?: string) =>
    (await look({ allow: [`${host}:${port}`], ...(proxy === undefined ? {} : { proxy }) }))[0]!;
  expect(await barred('own.test')).toMatchObject({
    severity: 'broken',
    evidence: expect.stringContaining("127.0.0.1 (this machine's own)"),
    remedy: expect.stringContaining('agents reach public addresses only'),
  });
  expect(await barred('absent.test')).toMatchObject({
    severity: 'broken',
    evidence: expect.stringContaining('ENOTFOUND'),
    remedy: expect.stringContaining('getent hosts absent.test'),
  });
  expect(await barred('files.test', 'http://ada:secret@proxy.test:3128')).toMatchObject({
    severity: 'broken',
    remedy: expect.stringMatching(/network\.no_proxy .* through http:\/\/proxy\.test:3128/),
  });
});

test('a host that speaks no TLS is told', async () => {
  const port = await listening(
    createHttpServer((_, response) => void response.end()),
    FAR,
  );
  const [check] = await look({ allow: [`files.test:${port}`] });
  expect(check).toMatchObject({ severity: 'broken', remedy: expect.stringContaining('only TLS passes') });
});

test('a registry gives a small package, and one that is not there is told with the remedy', async () => {
  const checks = await look({ npm: await registry() });
  const npm = checks.find(({ subject }) => subject.startsWith('npm, '));
  expect(npm).toMatchObject({
    check: 'package-registry',
    severity: 'ok',
    evidence: expect.stringContaining('isarray'),
  });
  const away = (await look({ npm: 'http://127.0.0.1:9' })).find(({ subject }) => subject.startsWith('npm, '));
  expect(away).toMatchObject({
    severity: 'broken',
    problem: 'agents get no packages of npm',
    remedy: expect.stringContaining('See that this machine reaches http://127.0.0.1:9'),
  });
});
