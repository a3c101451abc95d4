/** `init` on a pocket forge: once, twice, removed, broken off; and each refusal, with its remedy. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PocketForge, startPocketForge } from '../rehearsal/pocket-forge.ts';
import { type Called, call } from '../test/support/cli.ts';
import { needs } from '../test/support/requirements.ts';
import type { InitReport } from './cli/print/init.ts';
import { loadConfig } from './config/load.ts';

const REPOSITORY = 'ada/greeter';
const PUBLIC_URL = 'https://hooks.example.org';
const ENV = { ANTHROPIC_API_KEY: 'sk-ant-model-key', PATH: process.env.PATH! };
const TOKENS = {
  root: 'root-token',
  scoped: 'scoped-token',
  ada: 'ada-token',
  blind: 'blind-token',
  stranger: 'stranger-token',
} as const;
const FIRST = ['root', 'chief', 'blind', 'ada', 'stranger'];
const here = needs('git');

describe.skipIf(!here.ok).each(['forgejo', 'gitea'] as const)(here.title('init on %s'), (kind) => {
  let base: string;
  let forge: PocketForge;
  let folder: string;
  let file: string;

  beforeAll(() => {
    base = mkdtempSync(join(tmpdir(), 'init-'));
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(base, 'run-'));
    file = join(folder, 'claude-hooks.yaml');
    forge = await startPocketForge({
      kind,
      folder: join(folder, 'forge'),
      users: [
        { login: 'root', token: TOKENS.root, admin: true },
        {
          login: 'chief',
          token: TOKENS.scoped,
          admin: true,
          scopes: ['write:repository', 'read:user', 'read:issue'],
        },
        { login: 'blind', token: TOKENS.blind, admin: true, scopes: ['write:repository', 'read:user'] },
        { login: 'ada', token: TOKENS.ada },
        { login: 'stranger', token: TOKENS.stranger },
      ],
    });
    await forge.createRepository({ owner: 'ada', name: 'greeter', files: { 'README.md': '# hi\n' } });
    return async () => await forge.close();
  });
  afterAll(() => rmSync(base, { recursive: true, force: true }));

  interface Given {
    token?: string;
    url?: string;
    yes?: boolean;
    more?: string[];
  }

  async function init({ token = TOKENS.root, url = forge.url, yes = true, more = [] }: Given = {}) {
    const args = ['init', '-c', file, '--json', '--no-doctor', '--url', url, '--repositories', REPOSITORY];
    const hook = more.includes('--hook') ? [] : ['--public-url', PUBLIC_URL];
    const answered = await call([...args, ...hook, ...(yes ? ['--yes'] : []), ...more], {
      env: { ...ENV, CLAUDE_HOOKS_ADMIN_TOKEN: token },
    });
    return { ...answered, report: reportOf(answered) };
  }

  async function remove(more: string[] = []) {
    const answered = await call(['init', '-c', file, '--json', '--remove', '--yes', ...more], {
      env: { ...ENV, CLAUDE_HOOKS_ADMIN_TOKEN: TOKENS.root },
    });
    return reportOf(answered);
  }

  const secret = (name: string) => readFileSync(join(folder, 'secrets', name), 'utf8').trim();
  const repository = () => forge.state.repositories[0]!;
  const accounts = () => forge.state.users.filter((u) => u.deleted !== true).map((u) => u.login);
  const asked = async (token: string, path: string) =>
    (await fetch(`${forge.url}/api/v1${path}`, { headers: { authorization: `token ${token}` } })).status;

  test('once: everything is there, works, and is for this user alone; twice: nothing more', async () => {
    const dry = await init({ yes: false, more: ['--dry-run'] });
    expect(dry.report.planned).toContain(`let dev-bot write in ${REPOSITORY}`);
    expect(accounts()).toEqual(FIRST);
    expect(readdirSync(folder)).toEqual(['forge']);

    const first = await init();
    expect(first.code, first.err + first.out).toBe(0);
    expect(first.report.done).toEqual(dry.report.planned);
    expect(accounts()).toEqual(expect.arrayContaining(['dev-bot', 'reviewer-bot']));
    expect(repository().collaborators.map((c) => c.permission)).toEqual(
      repository().collaborators.map(() => 'write'),
    );
    expect(repository().labels.map((l) => l.name)).toContain('no-agent');
    expect(repository().hooks).toHaveLength(1);
    expect(repository().hooks[0]).toMatchObject({
      url: `${PUBLIC_URL}/webhooks/home`,
      active: true,
      secret: secret('home-webhook'),
      events: expect.arrayContaining([
        'issue_assign',
        'pull_request_review_approved',
        kind === 'gitea' ? 'workflow_run' : 'action_run_failure',
      ]),
    });
    const token = secret('home-dev-token');
    expect(await asked(token, '/user')).toBe(200);
    expect(await asked(token, `/repos/${REPOSITORY}/issues`)).toBe(200);
    // Least scopes: neither notifications nor administration.
    expect(await asked(token, '/notifications')).toBe(403);
    expect(await asked(token, '/admin/users')).toBe(403);
    for (const name of [
      ...readdirSync(join(folder, 'secrets')).map((one) => join('secrets', one)),
      'claude-hooks.yaml',
      'claude-hooks.init.json',
    ]) {
      expect([name, statSync(join(folder, name)).mode & 0o777]).toEqual([name, 0o600]);
    }
    const config = loadConfig({ file, env: ENV });
    expect(config.forges.home).toMatchObject({
      kind,
      url: forge.url,
      accounts: { dev: { login: 'dev-bot', token } },
    });
    expect(wordsIn(folder)).not.toContain(TOKENS.root);

    const users = forge.state.users.length;
    const text = readFileSync(file, 'utf8');
    const second = await init();
    expect(second.code).toBe(0);
    expect(second.report.planned).toEqual([]);
    expect(second.report.already).toContain('account dev-bot with its token');
    expect([forge.state.users.length, repository().hooks.length]).toEqual([users, 1]);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(secret('home-dev-token')).toBe(token);
  });

  test('removed: what it made is gone, what was there stays', async () => {
    forge
      .as('ada')
      .label(REPOSITORY, (await forge.as('ada').createIssue(REPOSITORY, { title: 'x', body: '' })).number, [
        'no-agent',
      ]);
    await forge.as('ada').setCollaborator(REPOSITORY, 'stranger', 'read');
    await init();
    const gone = await remove(['--dry-run']);
    expect(gone.planned.join('\n')).toContain('the account dev-bot');
    expect(accounts()).toContain('dev-bot');
    await remove();
    expect(accounts()).toEqual(FIRST);
    expect(repository().collaborators).toEqual([expect.objectContaining({ permission: 'read' })]);
    expect(repository().labels.map((l) => l.name)).toEqual(['no-agent']);
    expect(repository().hooks).toEqual([]);
    expect(readdirSync(folder)).toEqual(['forge']);
    expect((await remove()).already).toEqual(['init made nothing for the forge home']);
  });

  test('a configuration that a person wrote is added to, and what was added is taken out again', async () => {
    const own = '# mine\nmodel: { api_key: "${ANTHROPIC_API_KEY}" } # a key\nforges: {}\n';
    writeFileSync(file, own);
    const { report } = await init({ more: ['--agents', 'dev'] });
    expect(report.done).toContain('add to the configuration');
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('# mine');
    expect(text).toContain('# a key');
    expect(Object.keys(loadConfig({ file, env: ENV }).forges.home!.accounts)).toEqual(['dev']);
    // More of it: another agent is put into the forge that is there.
    const more = await init({ more: ['--agents', 'dev', 'reviewer'] });
    expect(more.report.planned.join('\n')).not.toContain('account dev-bot');
    expect(Object.keys(loadConfig({ file, env: ENV }).forges.home!.accounts)).toEqual(['dev', 'reviewer']);
    writeFileSync(file, `${readFileSync(file, 'utf8')}# changed since\n`);
    const left = await remove();
    expect(left.leaves).toEqual([`${file} was changed since, and stays as it is.`]);
    expect(existsSync(file)).toBe(true);
  });

  test.each(['owner', 'system'])('a hook of the %s', async (level) => {
    const more = ['--hook', level, '--public-url', PUBLIC_URL, '--agents', 'dev'];
    await init({ more });
    expect(repository().hooks).toEqual([]);
    const hooks = () =>
      level === 'system'
        ? (forge.state.systemHooks ?? [])
        : (forge.state.ownerHooks?.[repository().owner] ?? []);
    expect(hooks()).toEqual([expect.objectContaining({ url: `${PUBLIC_URL}/webhooks/home` })]);
    expect((await init({ more })).report.planned).toEqual([]);
    await remove();
    expect(hooks()).toEqual([]);
  });

  // The kind makes no difference to the rest.
  if (kind === 'gitea') return;

  test('broken off in the middle, it goes on: a lost token is made anew, a lost hook too', async () => {
    await init();
    const token = secret('home-dev-token');
    rmSync(join(folder, 'secrets'), { recursive: true });
    rmSync(file);
    const again = await init();
    expect(again.code, again.out).toBe(0);
    expect(again.report.done.join('\n')).toContain('make a new token for dev-bot');
    expect(secret('home-dev-token')).not.toBe(token);
    expect(repository().hooks).toEqual([expect.objectContaining({ secret: secret('home-webhook') })]);
  });

  test('accounts that are there come with their token', async () => {
    writeFileSync(join(folder, 'token'), `${TOKENS.stranger}\n`);
    const more = ['--agents', 'dev=stranger', '--token-file', `dev=${join(folder, 'token')}`];
    const { report } = await init({ more });
    expect(report.done).toContain(`keep the token of stranger in secrets/home-dev-token`);
    expect((await init({ more: ['--agents', 'dev=stranger'] })).report.planned).toEqual([]);
    await remove();
    // It was there before, so it stays.
    expect(accounts()).toContain('stranger');
  });

  const refusals: [code: string, given: () => Given, says: RegExp][] = [
    [
      'admin-token-refused',
      () => ({ token: 'nonsense' }),
      /does not know.*Make a new one, as an administrator/s,
    ],
    [
      'admin-token-scope',
      () => ({ token: TOKENS.scoped }),
      /lacks the scope write:admin, write:issue.*write:admin, write:repository/s,
    ],
    [
      'admin-token-scope',
      () => ({ token: TOKENS.blind }),
      /may not even read.*Give the token the scope read:issue/s,
    ],
    ['no-administrator', () => ({ token: TOKENS.ada }), /ada is no administrator.*--token-file/s],
    [
      'not-repository-administrator',
      () => ({ token: TOKENS.stranger }),
      /stranger does not administer ada\/greeter/,
    ],
    [
      'account-exists',
      () => ({ more: ['--agents', 'dev=stranger'] }),
      /stranger@noreply\.localhost.*--token-file dev=<file>.*another login/s,
    ],
    [
      'account-refused',
      () => ({ more: ['--agents', 'dev=Ada2', '--mail-domain', 'taken.example.org'] }),
      /already in use.*--mail-domain/s,
    ],
    [
      'repository-missing',
      () => ({ more: ['--repositories', 'ada/nothing'] }),
      /there is no repository ada\/nothing/,
    ],
    ['no-repositories', () => ({ more: ['--repositories', 'bob/*'] }), /bob\/\* names no repository/],
    ['wrong-kind', () => ({ more: ['--kind', 'gitea'] }), /Leave --kind out/],
    ['forge-unreachable', () => ({ url: 'http://127.0.0.1:9' }), /no answer from http:\/\/127.0.0.1:9/],
    ['wrong-address', () => ({ url: `${forge.url}/git` }), /no Forgejo or Gitea.*sub path/s],
  ];

  test.each(refusals)('%s is named with its remedy, and nothing is done', async (code, given, says) => {
    if (code === 'account-refused') {
      await fetch(`${forge.url}/api/v1/admin/users`, {
        method: 'POST',
        headers: { authorization: `token ${TOKENS.root}` },
        body: JSON.stringify({
          username: 'other',
          email: 'ada2@taken.example.org',
          password: 'long-enough-1',
        }),
      });
    }
    const before = accounts();
    const { code: exit, report } = await init(given());
    expect([exit, report.refusals.map((r) => r.code)]).toEqual([1, expect.arrayContaining([code])]);
    expect(report.refusals.map((r) => `${r.problem}. ${r.remedy}`).join('\n')).toMatch(says);
    expect(accounts()).toEqual(before);
    expect(existsSync(file)).toBe(false);
  });

  test('a configuration that says something else is shown, and not touched', async () => {
    await init();
    const text = readFileSync(file, 'utf8').replace('login: dev-bot', 'login: other-bot');
    writeFileSync(file, text);
    const { report } = await init();
    expect(report.refusals).toEqual([
      expect.objectContaining({
        code: 'configuration-differs',
        problem: expect.stringContaining('forges.home.accounts.dev.login is other-bot, wanted dev-bot'),
      }),
    ]);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('an agent without a file is refused before anything is made', async () => {
    const { report } = await init({ more: ['--agents', 'nobody'] });
    expect(report.refusals).toEqual([expect.objectContaining({ code: 'configuration-invalid' })]);
    expect(accounts()).not.toContain('nobody-bot');
  });

  test('a hook that others made: its secret is unknown', async () => {
    await forge.as('ada').addHook(REPOSITORY, { url: `${PUBLIC_URL}/webhooks/home`, secret: 's' });
    expect((await init()).report.refusals).toEqual([
      expect.objectContaining({ code: 'hook-secret-unknown' }),
    ]);
  });

  test('without a terminal nothing is done unasked; at one it asks, and never shows the token', async () => {
    const { code, report } = await init({ yes: false });
    expect([code, report.stopped]).toEqual([1, expect.stringContaining('Give --yes')]);
    const questions: string[] = [];
    const answers: Record<string, string> = {
      Address: forge.url,
      Repositories: REPOSITORY,
      'Address at': PUBLIC_URL,
      'Do it': 'yes',
    };
    const answered = await call(['init', '-c', file, '--no-doctor', '--agents', 'dev'], {
      env: ENV,
      ask: {
        text: async (question) => {
          questions.push(question);
          const key = Object.keys(answers)
            .sort((a, b) => b.length - a.length)
            .find((one) => question.startsWith(one));
          return answers[key!]!;
        },
        secret: async () => TOKENS.root,
      },
    });
    expect(answered.code, answered.out).toBe(0);
    expect(questions).toHaveLength(4);
    expect(answered.err).toContain('make account dev-bot');
    expect(answered.out + answered.err).not.toContain(TOKENS.root);
    expect(accounts()).toContain('dev-bot');
  });
});

describe('what answers is no forge that works', () => {
  let server: Server;
  let url: string;
  let folder: string;
  let version = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'init-old-'));
    server = createServer((_request, answer) => {
      answer.setHeader('content-type', 'application/json').end(JSON.stringify({ version }));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([
    ['1.21.4', 'Gitea 1.21.4, and the oldest that works is 1.23'],
    ['7.0.1+gitea-1.21.0', 'Forgejo 7.0.1+gitea-1.21.0, and the oldest that works is 11.0'],
  ])('%s is too old', async (old, says) => {
    version = old;
    const args = ['init', '-c', join(folder, 'claude-hooks.yaml'), '--json', '--url', url, '--yes'];
    const answered = await call([...args, '--repositories', 'a/b', '--hook', 'none'], {
      env: { ...ENV, CLAUDE_HOOKS_ADMIN_TOKEN: 'x' },
    });
    expect(reportOf(answered).refusals).toEqual([
      expect.objectContaining({ code: 'version-too-old', problem: expect.stringContaining(says) }),
    ]);
  });
});

function reportOf({ out, err }: Called): InitReport {
  if (out === '') throw new Error(`There is no report, but: ${err}`);
  return JSON.parse(out) as InitReport;
}

/** All that stands in files beside the forge's own. */
function wordsIn(folder: string): string {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => !name.startsWith('forge') && statSync(join(folder, name)).isFile());
  return files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
}
