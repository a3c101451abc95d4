/** Whose tokens ours are: over the forge's real API, and what follows for agents and for who counts as ours. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HOME } from '../../test/support/edge.ts';
import type { ForgeConfig } from '../config/config.ts';
import { createGiteaFamilyClient } from '../forge/gitea-family-client.ts';
import { type Log, silentLog } from '../log.ts';
import { startTrial, type Trial } from '../rehearsal/pocket-forge-trial.ts';
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
