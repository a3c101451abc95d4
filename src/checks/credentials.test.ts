import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { DIRECT, type Installation, openInstallation } from '../../test/support/smoke-config.ts';
import { createGiteaFamilyClient } from '../forges/gitea/client.ts';
import { checkCredentials, checkModel } from './credentials.ts';
import { lineOf, type SmokeLine } from './smoke-report.ts';

let here: Installation;
beforeEach(async () => {
  here = await openInstallation();
});
afterEach(() => here.close());

async function look(changes: Record<string, unknown> = {}): Promise<SmokeLine[]> {
  return await checkCredentials(here.config(changes), {
    agents: ['dev'],
    network: DIRECT,
    forge: (f, agent) =>
      createGiteaFamilyClient({ name: f.name, url: f.url, token: f.accounts[agent]!.token }),
  });
}

const find = (checks: SmokeLine[], name: string) => checks.find((c) => c.check === name)!;

/** An upstream with these answers, by path. */
async function upstream(statuses: Record<string, number>): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url!, 'http://x').pathname;
    asked.push(`${request.method} ${path} ${request.headers.authorization ?? request.headers['x-api-key']}`);
    response.writeHead(statuses[path] ?? 404).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const model = async (url: string, kind: 'api-key' | 'bearer' = 'api-key') =>
  lineOf(
    await checkModel(
      { upstream: url, credential: { kind, value: 'a-secret' }, default: 'claude-sonnet-4-5' },
      DIRECT,
    ),
  );

test('all is well, one line each, without a secret', async () => {
  const checks = await look();
  expect(checks.map((c) => [c.agent, c.check, c.state])).toEqual([
    [null, 'model-credential', 'ok'],
    [null, 'webhook-secret', 'ok'],
    ['dev', 'forge-token', 'ok'],
    ['dev', 'forge-reads', 'ok'],
  ]);
  for (const secret of here.config().secrets) expect(JSON.stringify(checks)).not.toContain(secret);
});

test('the question to the model costs nothing', async () => {
  await look();
  expect(here.upstream.requests.map((r) => r.kind)).toEqual(['other', 'count_tokens']);
  // The configuration says `sonnet`, which is a word of the CLI's.
  expect(here.upstream.requests.at(-1)!.model).toBe('claude-sonnet-5-5');
});

test('a refused key, and a token as it is sent', async () => {
  const refusing = await upstream({ '/v1/models': 401 });
  expect(await model(refusing.url)).toMatchObject({
    state: 'refused',
    remedy: expect.stringContaining('model.api_key'),
  });
  const proxy = await upstream({ '/v1/messages/count_tokens': 200 });
  expect(await model(proxy.url, 'bearer')).toMatchObject({ state: 'ok' });
  expect(proxy.asked).toEqual([
    'GET /v1/models Bearer a-secret',
    'POST /v1/messages/count_tokens Bearer a-secret',
  ]);
});

test('no network, a limit, trouble upstream and an upstream without a free question are four things', async () => {
  expect(await model('http://127.0.0.1:9')).toMatchObject({
    state: 'failed',
    detail: expect.stringContaining('unreachable'),
  });
  expect(await model((await upstream({ '/v1/models': 429 })).url)).toMatchObject({ state: 'ok' });
  expect(await model((await upstream({ '/v1/models': 503 })).url)).toMatchObject({ state: 'failed' });
  expect(await model((await upstream({})).url)).toMatchObject({ state: 'skipped' });
});

test('tokens: refused, of another account, and a forge that is down', async () => {
  const as = async (login: string, token: string, url = here.forge.url) =>
    find(await look({ home: { url, accounts: { dev: { login, token } } } }), 'forge-token');
  expect(await as('dev-bot', 'expired')).toMatchObject({
    state: 'refused',
    detail: expect.stringMatching(/^home: the forge does not know this token: .* answered 401/),
  });
  expect(await as('dev-bot', 'ada-token')).toMatchObject({
    state: 'refused',
    detail:
      'home: the token belongs to another account than the configuration says: the forge answers ada, ' +
      'forges.home.accounts.dev.login is dev-bot',
  });
  expect(await as('dev-bot', 'dev-token', 'http://127.0.0.1:9')).toMatchObject({ state: 'failed' });
});

test('a signing key that is missing, is none, and is one', async () => {
  const file = join(here.folder, 'key');
  const key = async () => find(await look({ git: { signing_key_file: file } }), 'signing-key');
  expect(await key()).toMatchObject({ state: 'missing' });
  writeFileSync(file, 'ssh-ed25519 AAAA');
  expect(await key()).toMatchObject({ state: 'refused' });
  writeFileSync(file, '-----BEGIN OPENSSH PRIVATE KEY-----\n');
  expect(await key()).toMatchObject({ state: 'ok' });
});
