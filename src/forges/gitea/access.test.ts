import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type PocketForge, startPocketForge } from '../../../rehearsal/pocket-forge.ts';
import {
  type Reply,
  forge as scripted,
  repository as scriptedRepository,
  stopForges,
} from '../../../test/fixtures/scripted-forge.ts';
import {
  NAMED_REPOSITORIES,
  openRefusingForge,
  README_SCOPES,
} from '../../../test/support/refusing-forge.ts';
import type { RepositoryRef } from '../../vocabulary.ts';
import type { Forge } from '../forge.ts';
import { createGiteaFamilyClient } from './client.ts';

afterEach(stopForges);

describe('on the pocket forge', () => {
  let folder: string;
  let pocket: PocketForge;
  const refs: Record<string, RepositoryRef> = {};

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'access-'));
    const logins = ['ada', 'bot', 'reader', 'writer', 'boss', 'eve', 'root'];
    const users = logins.map((login) => ({ login, token: `${login}-token`, admin: login === 'root' }));
    pocket = await startPocketForge({ folder, users });
    const collaborators = [
      { login: 'bot', permission: 'write' },
      { login: 'reader', permission: 'read' },
      { login: 'writer', permission: 'write' },
      { login: 'boss', permission: 'admin' },
    ] as const;
    for (const name of ['open', 'closed']) {
      const made = await pocket.createRepository({
        owner: 'ada',
        name,
        private: name === 'closed',
        files: { a: 'a' },
        collaborators: [...collaborators],
      });
      refs[name] = { id: String(made.id), fullName: `ada/${name}` };
    }
  });
  afterAll(async () => {
    await pocket.close();
    await rm(folder, { recursive: true });
  });
  const user = (login: string) =>
    pocket.state.users.find((u) => u.login === login.toLowerCase()) ?? { id: 99, login };
  const named = (login: string) => ({ id: user(login).id, login });
  const as = (login: string): Forge =>
    createGiteaFamilyClient({ name: 'home', url: pocket.url, token: `${login}-token` });

  test.each([
    ['open', 'ada', 'owner', 'owner'],
    ['open', 'boss', 'admin', 'write'],
    ['open', 'writer', 'write', 'write'],
    ['open', 'WRITER', 'write', 'write'],
    ['open', 'reader', 'read', 'read'],
    ['open', 'eve', 'read', 'read'],
    ['closed', 'reader', 'read', 'read'],
    ['closed', 'eve', 'none', 'none'],
    ['closed', 'nobody', 'none', 'none'],
  ])(
    'in a repository that is %s, %s has %s; a writer’s token finds out %s',
    async (name, login, told, deduced) => {
      expect(await as('boss').permissionOf(refs[name]!, named(login))).toBe(told);
      expect(await as('bot').permissionOf(refs[name]!, named(login))).toBe(deduced);
    },
  );

  test.each(['ada', 'boss', 'writer', 'reader', 'eve'])(
    'the login of %s with the id of somebody else is nobody’s',
    async (login) => {
      const mixed = { id: user('root').id, login };
      expect(await as('boss').permissionOf(refs.open!, mixed)).toBe('another');
      expect(await as('bot').permissionOf(refs.open!, mixed)).toBe('another');
    },
  );

  test.each([
    ['the scopes that the README names', README_SCOPES],
    ['a token for named repositories', NAMED_REPOSITORIES],
  ])(
    'with %s, a writer finds out who may write, and nothing of the organization is asked',
    async (_what, refused) => {
      const { url, asked } = await openRefusingForge(pocket.url, refused);
      const bot = createGiteaFamilyClient({ name: 'home', url, token: 'bot-token' });
      const told = async (login: string) => await bot.permissionOf(refs.open!, named(login));
      expect([await told('ada'), await told('boss'), await told('writer')]).toEqual([
        'owner',
        'write',
        'write',
      ]);
      expect(await bot.permissionOf(refs.open!, { id: user('root').id, login: 'writer' })).toBe('another');
      expect(asked.filter((call) => call.includes('/orgs/'))).toEqual([]);
    },
  );

  test('an account may ask about itself', async () => {
    expect(await as('bot').permissionOf(refs.open!, named('bot'))).toBe('write');
  });

  test('the version, the clock, the scopes and, for an administrator, the hooks', async () => {
    const hook = { url: 'http://127.0.0.1:9/webhooks/x', secret: 's' };
    await pocket.as('ada').addHook('ada/open', hook);
    expect(await as('bot').version()).toEqual({ version: expect.stringMatching(/^16\./), kind: 'forgejo' });
    expect(Math.abs((await as('bot').serverTime())! - Date.now())).toBeLessThan(60_000);
    expect(await as('bot').tokenScopes(refs.open!)).toEqual({
      user: 'granted',
      issue: 'granted',
      repository: 'granted',
    });
    expect(await as('boss').listHooks(refs.open!)).toMatchObject([
      { url: hook.url, active: true, contentType: 'json' },
    ]);
    await expect(as('bot').listHooks(refs.open!)).rejects.toMatchObject({ status: 403 });
  });
});

/** What a real forge with organizations answers; the pocket forge has none. */
describe('in an organization', () => {
  const ask = async (o: { members: number; collaborator: number; assignees?: number; teams?: Reply }) => {
    const { client } = await scripted(({ path }) => {
      if (path.endsWith('/permission')) return { status: 403, json: { message: 'no' } };
      if (path.startsWith('/repositories/'))
        return { json: { id: 42, full_name: 'orchard/pears', private: true } };
      if (path.endsWith('/assignees')) {
        return o.assignees === undefined ? { json: [{ id: 3, login: 'Cy' }] } : { status: o.assignees };
      }
      if (path.endsWith('/teams')) return o.teams ?? { status: 404 };
      if (path === '/orgs/orchard') return { json: { id: 9 } };
      return { status: path.includes('/members/') ? o.members : o.collaborator };
    });
    return await client.permissionOf(scriptedRepository, { id: 3, login: 'cy' });
  };

  test.each([
    ['a collaborator who is no member may write', { members: 404, collaborator: 204 }, 'write'],
    ['a member may be in a team that only reads', { members: 204, collaborator: 204 }, 'unknown'],
    ['who may not ask for members cannot know', { members: 303, collaborator: 204 }, 'unknown'],
    ['a mere candidate came in by a team', { members: 404, collaborator: 404 }, 'unknown'],
    ['no list of candidates, no answer', { members: 404, collaborator: 204, assignees: 403 }, 'unknown'],
    [
      'every team of the repository writes: members are not looked for',
      {
        members: 403,
        collaborator: 404,
        teams: { json: [{ permission: 'write' }, { permission: 'owner' }] },
      },
      'write',
    ],
    [
      'one team only reads',
      { members: 403, collaborator: 204, teams: { json: [{ permission: 'write' }, { permission: 'read' }] } },
      'unknown',
    ],
    [
      'a team has rights of its own',
      { members: 403, collaborator: 404, teams: { json: [{ permission: 'none' }] } },
      'unknown',
    ],
    ['no team is shown', { members: 403, collaborator: 404, teams: { json: [] } }, 'unknown'],
    [
      'teams that read, and a collaborator who is no member',
      { members: 404, collaborator: 204, teams: { json: [] } },
      'write',
    ],
    ['the teams are refused as well', { members: 403, collaborator: 204, teams: { status: 403 } }, 'unknown'],
  ])('%s', async (_what, answers, expected) => {
    expect(await ask(answers)).toBe(expected);
  });
});

test('a refused scope is told from a forge in trouble', async () => {
  const { client } = await scripted(({ path }) => {
    if (path === '/user') return { status: 403, json: { message: 'token does not have read:user' } };
    return path.endsWith('/issues') ? { json: [] } : { status: 502 };
  });
  expect(await client.tokenScopes(scriptedRepository)).toEqual({
    user: 'refused',
    issue: 'granted',
    repository: 'unknown',
  });
});
