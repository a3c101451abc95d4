/** Rules: what they find, what they do about it, and how often. On rows and a scripted forge. */
import { expect, test } from 'vitest';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { HOME } from '../../test/support/edge.ts';
import type { ForgeConfig } from '../config/config.ts';
import { silentLog } from '../log.ts';
import { resolveConversation } from '../mailbox/conversations.ts';
import { noteProgress } from '../mailbox/progress.ts';
import { listStuck } from '../views/stuck.ts';
import type { RuleName } from '../vocabulary.ts';
import type { RuleForge } from './rules.ts';
import { askRules } from './stuck.ts';

const REPOSITORY = { id: '3', fullName: 'team/shop' };
const START = Date.parse('2026-11-28T12:00:00Z');
const HOUR = 3600_000;

function stage(database: TestDatabase, modes: Partial<Record<RuleName, 'off' | 'report' | 'act'>>) {
  const forge: ForgeConfig = {
    ...HOME,
    name: 'home',
    repositories: [{ pattern: 'team/shop', secrets: [] }],
    accounts: { dev: { login: 'dev-bot', token: 't' } },
  };
  const said: string[] = [];
  let now = START;
  const assigned = {
    repository: REPOSITORY,
    kind: 'issue' as const,
    number: 12,
    title: 't',
    updatedAt: '2026-11-28T10:00:00Z',
  };
  let open = [assigned];
  const client = {
    openForSelf: async (what: string) => ({
      kind: 'items',
      items: what === 'assigned' ? open : [],
      at: now,
      isCutShort: false,
    }),
  } as unknown as RuleForge;
  const say = async ({ text }: { text: string }) => void said.push(text);
  const deps = { database, forge, client: () => client, now: () => now, log: silentLog, modes, say };
  return {
    said,
    ask: () => askRules(deps),
    wait: (ms: number) => {
      now += ms;
    },
    setOpen: (items: (typeof assigned)[]) => {
      open = items;
    },
    assigned,
  };
}

describeDatabases('the rules of the reconciler', (open) => {
  test('an assignment without a conversation is listed until it has one, or is over', async () => {
    const database = await open();
    const { ask, setOpen, assigned, wait } = stage(database, {});
    await ask();
    await ask();
    expect(await listStuck(database.rows)).toMatchObject([
      { rule: 'assigned-without-conversation', item: 'home:team/shop#12', agent: 'dev', did: null },
    ]);
    wait(1000);
    const item = { kind: 'issue' as const, number: 12, title: 't', body: '' };
    await resolveConversation(database.rows, {
      forge: 'home',
      repository: REPOSITORY,
      item,
      agent: 'dev',
      mayJoin: false,
      now: START,
    } as unknown as Parameters<typeof resolveConversation>[1]);
    await ask();
    expect(await listStuck(database.rows)).toEqual([]);
    setOpen([{ ...assigned, number: 13, updatedAt: '2026-11-28T11:59:00Z' }]);
    await ask();
    expect(await listStuck(database.rows)).toEqual([]);
  });

  test('a rule that may act does so once in six hours about one thing, and one that is off finds nothing', async () => {
    const database = await open();
    const { ask, said, wait } = stage(database, {
      'success-without-effect': 'act',
      'assigned-without-conversation': 'off',
    });
    const item = { kind: 'issue' as const, number: 12, title: 't', body: '' };
    const { id } = await resolveConversation(database.rows, {
      forge: 'home',
      repository: REPOSITORY,
      item,
      agent: 'dev',
      mayJoin: false,
      now: START,
    } as unknown as Parameters<typeof resolveConversation>[1]);
    await noteProgress(database.rows, id, false, START);
    await ask();
    wait(HOUR);
    await ask();
    expect(said).toHaveLength(1);
    expect(await listStuck(database.rows)).toMatchObject([
      { rule: 'success-without-effect', conversation: id, did: 'asked a person on the item' },
    ]);
    wait(5 * HOUR + 1000);
    await ask();
    expect(said).toHaveLength(2);
    await noteProgress(database.rows, id, true, START);
    wait(1000);
    await ask();
    expect(await listStuck(database.rows)).toEqual([]);
  });
});
