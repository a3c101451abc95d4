/** Whose tokens ours are: over the forge's real API, and what follows for agents and for who counts as ours. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTrial, type Trial } from '../../rehearsal/pocket-forge-trial.ts';
import { HOME } from '../../test/support/edge.ts';
import { NAMED_REPOSITORIES, openRefusingForge } from '../../test/support/refusing-forge.ts';
import type { ForgeConfig } from '../config/config.ts';
import { ForgeRefused } from '../errors.ts';
import { watchAuthors } from '../forges/author-watch.ts';
import { createGiteaFamilyClient } from '../forges/gitea/client.ts';
import { type Log, silentLog } from '../log.ts';
import { createTrust, type Trust } from '../trust.ts';

let trial: Trial;
let home: ForgeConfig;
let now: number;
let said: string[];
let calls: number;

beforeEach(async () => {
  trial = await startTrial();
  home = { ...HOME, url: trial.forge.url };
  now = 1_000_000;
  said = [];
  calls = 0;
});
afterEach(() => trial.end());

function trustOf(accounts: ForgeConfig['accounts'], url = trial.forge.url): Trust {
  home = { ...home, url, accounts };
  const log: Log = {
    ...silentLog,
    warn: (message) => void said.push(`warn: ${message}`),
    error: (message) => void said.push(`error: ${message}`),
  };
  return createTrust({
    forges: () => ({ home }),
    client: (forge, agent) => {
      calls += 1;
      return createGiteaFamilyClient({ name: 'home', url: forge.url, token: forge.accounts[agent]!.token });
    },
    now: () => now,
    log,
  });
}

const bo = { login: 'Bo', token: 'bo-token' };

test('a right token: its id is the account, and it is asked for once', async () => {
  const trust = trustOf({ dev: bo });
  const [report] = await trust.checkIdentities();
  const { id } = trial.forge.state.users.find((u) => u.login === 'bo')!;
  expect(report).toEqual({ forge: 'home', agent: 'dev', identity: { kind: 'ok', id, login: 'bo' } });
  expect(await trust.identityOf('home', 'dev')).toMatchObject({ kind: 'ok' });
  expect([...trust.ids(home)]).toEqual([['dev', id]]);
  expect([calls, said]).toEqual([1, []]);
});

describe('an agent does not start', () => {
  test('with the token of somebody else, who is named; the others do', async () => {
    const trust = trustOf({ dev: { login: 'bo', token: 'ada-token' }, reviewer: bo });
    const reports = await trust.checkIdentities();
    expect(reports.map((r) => r.identity.kind)).toEqual(['wrong', 'ok']);
    expect(said).toEqual([
      'error: agent dev does not start: its token on home is that of ada, and forges.home.accounts.dev.login is bo. ' +
        'Give it the token of bo, or correct the login',
    ]);
    expect(said.join()).not.toContain('ada-token');
    // What the operator does is not taken for what the agent does.
    expect([...trust.ids(home).keys()]).toEqual(['reviewer']);
  });

  test('with a token that is refused, until another one is configured', async () => {
    const trust = trustOf({ dev: { login: 'bo', token: 'expired' } });
    expect(await trust.identityOf('home', 'dev')).toMatchObject({ kind: 'refused', status: 401 });
    expect(await trust.identityOf('home', 'dev')).toMatchObject({ kind: 'refused' });
    expect(calls).toBe(1);
    now += 60_000;
    expect(await trust.identityOf('home', 'dev')).toMatchObject({ kind: 'refused' });
    expect(calls).toBe(2);
    home = { ...home, accounts: { dev: bo } };
    expect(await trust.identityOf('home', 'dev')).toMatchObject({ kind: 'ok' });
    expect(calls).toBe(3);
  });

  test('while its forge is away, and is asked again each time', async () => {
    const trust = trustOf({ dev: bo }, 'http://127.0.0.1:9');
    expect((await trust.checkIdentities())[0]!.identity.kind).toBe('unavailable');
    expect(said[0]).toMatch(/^warn: agent dev is not checked yet, home cannot be asked/);
    home = { ...home, url: trial.forge.url };
    expect(await trust.identityOf('home', 'dev')).toMatchObject({ kind: 'ok' });
  });

  test('without an account there', async () => {
    expect(await trustOf({}).identityOf('home', 'dev')).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringContaining('add forges.home.accounts.dev'),
    });
  });
});

test('agents that share an account are warned about', async () => {
  await trustOf({ dev: bo, reviewer: bo }).checkIdentities();
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/^warn: agents dev and reviewer share one account on home/);
});

describe('a token that may not be asked whose it is', () => {
  const idOf = (login: string) => trial.forge.state.users.find((u) => u.login === login)!.id;
  const trustOn = async (login: string, token: string) => {
    const { url } = await openRefusingForge(trial.forge.url, NAMED_REPOSITORIES);
    home = { ...home, repositories: [{ pattern: 'ada/widgets', secrets: [] }] };
    return trustOf({ dev: { login, token } }, url);
  };

  test('starts as the configured account, whose id the forge tells, and says so', async () => {
    const trust = await trustOn('Bo', 'bo-token');
    expect(await trust.checkIdentities()).toMatchObject([
      { identity: { kind: 'assumed', id: idOf('bo'), login: 'Bo' } },
    ]);
    expect([...trust.ids(home)]).toEqual([['dev', idOf('bo')]]);
    expect(said).toEqual([
      'warn: the token of agent dev on home may not be asked whose it is, so forges.home.accounts.dev.login (Bo) is ' +
        'believed until its first post shows the author. Give it the scope read:user; a token for named repositories ' +
        'cannot have it',
    ]);
  });

  test('is proved by its first post', async () => {
    const trust = await trustOn('bo', 'bo-token');
    await trust.checkIdentities();
    trust.posted('home', 'dev', { id: idOf('bo'), login: 'bo' });
    expect(await trust.identityOf('home', 'dev')).toEqual({ kind: 'ok', id: idOf('bo'), login: 'bo' });
    expect(trust.whyNotWrite('home', 'dev')).toBeNull();
  });

  test('and posts in another name, posts no more: at once, after a minute, and until the configuration changes', async () => {
    const trust = await trustOn('bo', 'ada-token');
    await trust.checkIdentities();
    said = [];
    const client = watchAuthors(
      createGiteaFamilyClient({ name: 'home', url: home.url, token: 'ada-token' }),
      {
        beforeWrite: () => {
          const why = trust.whyNotWrite('home', 'dev');
          if (why !== null) throw new ForgeRefused(why, 403);
        },
        posted: (author) => trust.posted('home', 'dev', author),
        assumed: () => trust.assumed(home, 'dev'),
      },
    );
    const repository = { id: String(trial.forge.state.repositories[0]!.id), fullName: 'ada/widgets' };
    expect(await client.self()).toEqual({ id: idOf('bo'), login: 'bo' });
    await client.createIssue(repository, { title: 'Pears', body: '' });
    expect(said).toEqual([
      'error: the forge shows another author for a post of agent dev: agent dev does not start: its token on home is that of ada, and ' +
        'forges.home.accounts.dev.login is bo. Give it the token of bo, or correct the login',
    ]);
    await expect(client.createComment(repository, 1, 'More')).rejects.toThrow(
      'its token on home is that of ada',
    );
    await expect(client.addLabels(repository, 1, ['bug'])).rejects.toThrow(
      'its token on home is that of ada',
    );
    expect(await client.listComments(repository, 1)).toEqual([]);
    now += 61_000;
    expect(await trust.identityOf('home', 'dev')).toMatchObject({ kind: 'wrong', login: 'ada' });
    home = { ...home, accounts: { dev: { login: 'ada', token: 'ada-token' } } };
    expect(await trust.identityOf('home', 'dev')).toMatchObject({ kind: 'assumed', id: idOf('ada') });
    expect(trust.whyNotWrite('home', 'dev')).toBeNull();
  });

  test('is no pass for whoever claims the name: without an id, the forge is asked about the sender', async () => {
    const { url } = await openRefusingForge(trial.forge.url, [
      ...NAMED_REPOSITORIES,
      { call: /\/assignees$/, status: 403 },
    ]);
    const trust = trustOf({ dev: { login: 'bo', token: 'bo-token' } }, url);
    await trust.checkIdentities();
    const repository = { id: String(trial.forge.state.repositories[0]!.id), fullName: 'ada/widgets' };
    const user = { id: idOf('cy'), login: 'bo' };
    expect(trust.known({ forge: home, repository, user, event: 'comment.created' })).toBeNull();
    const judged = await trust.judge({ forge: home, repository, user, event: 'comment.created' });
    expect(judged.allowed).toBe(false);
  });
});
