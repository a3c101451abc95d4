/**
 * One setting for everything that leaves this machine: what the API goes through, git, Git LFS and the gateway go through
 * as well. Names that end in .test exist at the proxy of the test alone, so whatever reaches them has gone through it.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LoadedConfig } from '../src/config/config.ts';
import { createGiteaFamilyClient } from '../src/forges/gitea/client.ts';
import { UpstreamLine } from '../src/gateway/upstream.ts';
import { networkOf } from '../src/network.ts';
import { askBatch } from '../src/workdir/lfs-client.ts';
import { parseRemote } from '../src/workdir/remote.ts';
import { openWorkdir } from '../src/workdir.ts';
import { makeAuthority } from './support/own-authority.ts';
import { openProxy, openSilentProxy, type TestProxy } from './support/proxy.ts';
import { needs } from './support/requirements.ts';
import { type Installation, openInstallation } from './support/smoke-config.ts';

const tools = needs('git', 'openssl');

let here: Installation;
beforeEach(async () => {
  here = await openInstallation();
});
afterEach(() => here.close());

const portOf = (url: string) => new URL(url).port;

/** Each of the four ways out, once. */
async function useAll(config: LoadedConfig): Promise<void> {
  const network = networkOf(config);
  const { url, cloneUrl } = config.forges.home!;
  const client = createGiteaFamilyClient({ name: 'home', url, token: 'dev-token', fetch: network.fetch });
  expect((await client.self()).login).toBe('dev-bot');
  await prepare(config);
  const remote = { url: `${cloneUrl}/ada/greeter.git`, token: 'dev-token' };
  await expect(
    askBatch(parseRemote(remote, network), 'download', [{ oid: 'a'.repeat(64), size: 1 }]),
  ).resolves.toBeDefined();
  const line = new UpstreamLine(network.proxyFor);
  const body = Buffer.from('{}');
  const asked = {
    baseUrl: config.model.upstream,
    path: '/v1/x',
    headers: {},
    body,
    signal: AbortSignal.timeout(20_000),
  };
  expect((await line.ask(asked)).resume().statusCode).toBe(404);
  line.close();
}

async function prepare(config: LoadedConfig, gitTimeoutMs = 20_000): Promise<void> {
  const folder = join(here.folder, 'work');
  mkdirSync(folder, { recursive: true });
  const workdir = openWorkdir({
    folder,
    env: { PATH: process.env.PATH },
    network: networkOf(config),
    gitTimeoutMs,
  });
  const { path } = await workdir.prepare({
    conversation: '11111111-2222-4333-8444-555555555555',
    repository: { id: '1', fullName: 'ada/greeter' },
    remote: { url: `${config.forges.home!.cloneUrl}/ada/greeter.git`, token: 'dev-token' },
    defaultBranch: 'main',
    at: { kind: 'branch', branch: 'dev/1', base: 'main' },
    identity: { name: 'dev', email: 'dev@localhost' },
    relay: null,
    configurationFromBase: false,
    sign: false,
  });
  expect(readFileSync(join(path, 'README.md'), 'utf8')).toBe('hello\n');
}

function behind(proxy: TestProxy | { url: string }, changes: Record<string, unknown> = {}): LoadedConfig {
  const home = { url: `http://forge.test:${portOf(here.forge.url)}` };
  const model = { upstream: `http://model.test:${portOf(here.upstream.url)}`, api_key: 'sk-ant-test' };
  return here.config({ home, model, network: { proxy: proxy.url, ...changes } });
}

describe.skipIf(!tools.ok)(tools.title('one way out'), () => {
  test('the API, git, Git LFS and the model all go through the proxy, with its password', async () => {
    const proxy = await openProxy({ password: 'open sesame' });
    const url = proxy.url.replace('//', '//ada:open%20sesame@');
    await useAll(behind({ url }));
    const ways = [
      /GET .*forge\.test:\d+\/api\/v1\/user$/,
      /GET .*git-upload-pack$/,
      /POST .*info\/lfs\/objects\/batch$/,
    ];
    for (const way of [...ways, /POST http:\/\/model\.test:\d+\/v1\/x$/])
      expect(
        proxy.asked.some((one) => way.test(one)),
        `${way}`,
      ).toBe(true);
    // Nobody first asks without it: some proxies close the line at that.
    expect(new Set(proxy.credentials)).toEqual(
      new Set([`Basic ${Buffer.from('ada:open sesame').toString('base64')}`]),
    );
  });

  test('an own authority: known to all of them by one option, through a proxy as well', async () => {
    const authority = makeAuthority('An authority of this company');
    const forge = await authority.serve(here.forge.url);
    const model = await authority.serve(here.upstream.url);
    const direct = {
      home: { url: `https://localhost:${forge}` },
      model: { upstream: `https://localhost:${model}`, api_key: 'sk-ant-test' },
      network: { ca_file: authority.file },
    };
    await useAll(here.config(direct));
    const proxy = await openProxy();
    await useAll(
      here.config({
        home: { url: `https://forge.test:${forge}` },
        model: { upstream: `https://model.test:${model}`, api_key: 'sk-ant-test' },
        // The line to the proxy itself is TLS of that authority, too.
        network: {
          ca_file: authority.file,
          proxy: `https://localhost:${await authority.serve(proxy.url, ['localhost'])}`,
        },
      }),
    );
    expect(new Set(proxy.asked)).toEqual(
      new Set([`CONNECT forge.test:${forge}`, `CONNECT model.test:${model}`]),
    );
  });

  test('this machine is reached directly, and so is what no_proxy names: by all of them', async () => {
    const proxy = await openProxy();
    await useAll(here.config({ network: { proxy: proxy.url } }));
    expect(proxy.asked).toEqual([]);
    const except = behind(proxy, { no_proxy: ['test'] });
    await expect(useAll(except)).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/);
    await expect(prepare(except)).rejects.toThrow(/Could(n't| not) resolve host: forge\.test/);
    expect(proxy.asked).toEqual([]);
  });

  test('a proxy that does not answer: each says so in its own time, and none waits for ever', async () => {
    const silent = await openSilentProxy();
    const network = networkOf(behind({ url: silent.replace('//', '//ada:open%20sesame@') }));
    const at = {
      name: 'home',
      url: 'https://forge.test',
      token: 'dev-token',
      fetch: network.fetch,
      timeoutMs: 300,
    };
    const said = await createGiteaFamilyClient(at).self().then(String, String);
    expect(said).toContain(`through the proxy ${silent}: no answer in time`);
    const line = new UpstreamLine(network.proxyFor);
    const asked = { path: '/', headers: {}, body: Buffer.from('{}'), signal: AbortSignal.timeout(300) };
    await expect(line.ask({ ...asked, baseUrl: 'https://model.test' })).rejects.toMatchObject({
      code: 'ABORT_ERR',
    });
    line.close();
    const git = await prepare(behind({ url: silent.replace('//', '//ada:open%20sesame@') }), 500).then(
      String,
      String,
    );
    expect(git).toContain('timed out after 0.5 s');
    expect(said + git).not.toMatch(/open( |%20)sesame/);
  });

  test('a proxy that refuses us: its words, and not its password', async () => {
    const proxy = await openProxy({ password: 'another' });
    const config = behind({ url: proxy.url.replace('//', '//ada:open%20sesame@') });
    const git = await prepare(config).then(String, String);
    expect(git).toMatch(/407/);
    let api = '';
    for (const [url, words] of [
      ['https://forge.test', /through the proxy http:\/\/127\.0\.0\.1:\d+: .*407/],
      [
        'http://forge.test',
        /through the proxy http:\/\/127\.0\.0\.1:\d+: Proxy Authentication Required \(407\)/,
      ],
    ] as const) {
      const account = { name: 'home', url, token: 'dev-token', fetch: networkOf(config).fetch };
      const said = await createGiteaFamilyClient(account).self().then(String, String);
      expect(said).toMatch(words);
      api += said;
    }
    const line = new UpstreamLine(networkOf(config).proxyFor);
    const body = Buffer.from('{}');
    const asked = {
      baseUrl: 'https://model.test',
      path: '/',
      headers: {},
      body,
      signal: AbortSignal.timeout(20_000),
    };
    const model = await line.ask(asked).then(String, String);
    line.close();
    expect(model).toMatch(/407/);
    expect(git + api + model).not.toMatch(/open( |%20)sesame/);
  });
});
