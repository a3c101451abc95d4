/** Rules: what they find, what they do about it, and how often. On rows and a scripted forge. */
import { expect, test } from 'vitest';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { HOME } from '../../test/support/edge.ts';
import { conversationOn } from '../../test/support/mailbox.ts';
import { assignedEvent, reviewRequestedEvent } from '../../test/support/sample-events.ts';
import type { ForgeConfig } from '../config/config.ts';
import { nextDelivery, settleDelivery } from '../inbox.ts';
import { silentLog } from '../log.ts';
import { joinConversation, resolveConversation } from '../mailbox/conversations.ts';
import { noteProgress } from '../mailbox/progress.ts';
import { listStuck } from '../views/stuck.ts';
import { type ForgeEvent, RULES, type RuleName } from '../vocabulary.ts';
import { acceptFound } from './accept.ts';
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
  let requested: (typeof assigned)[] = [];
  const closed = new Set<number>();
  const told = (name: 'issue.assigned' | 'pull.review_requested', number: number): ForgeEvent => {
    const event = name === 'issue.assigned' ? assignedEvent('dev-bot') : reviewRequestedEvent('dev-bot');
    const item = { ...event.item!, number, assignees: ['dev-bot'] };
    return { ...event, item, semanticKey: `${name} ${number}` };
  };
  const client = {
    openForSelf: async (what: string) => ({
      kind: 'items',
      items: what === 'assigned' ? open : requested,
      at: now,
      isCutShort: false,
    }),
    getItem: async (_: unknown, number: number) => ({ state: closed.has(number) ? 'closed' : 'open' }),
    history: async ({ number }: { number: number }) =>
      (['issue.assigned', 'pull.review_requested'] as const).map((name) => ({
        event: told(name, number),
        likenesses: [],
      })),
  } as unknown as RuleForge;
  const say = async ({ text, finding }: { text: string; finding: { number: number } }) =>
    void said.push(`#${finding.number} ${text}`);
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
    open: () => open,
    requested: () => requested,
    setRequested: (items: (typeof assigned)[]) => {
      requested = items;
    },
    closed,
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

  test.each(RULES)(
    '%s reports by itself, and acts on each item once in six hours where it may',
    async (rule) => {
      const database = await open();
      const modes: Partial<Record<RuleName, 'report' | 'act'>> = {};
      const rules = stage(database, modes);
      rules.setOpen([]);
      const { arrange, end } = ARRANGED[rule];
      for (const number of [12, 14]) await arrange(database, rules, number);
      const did = async () => [...rules.said, ...(await toldAgain(database))];
      const stuck = async () =>
        (await listStuck(database.rows)).map((one) => `${one.rule} ${one.item.split('#')[1]}`);

      await rules.ask();
      expect(await stuck()).toEqual([`${rule} 12`, `${rule} 14`]);
      expect(await did()).toEqual([]);

      modes[rule] = 'act';
      await rules.ask();
      const once = await did();
      expect(once.map((one) => one.split(' ')[0])).toEqual(['#12', '#14']);
      expect((await listStuck(database.rows)).map((one) => one.did)).toEqual([
        expect.any(String),
        expect.any(String),
      ]);
      for (const minutes of [30, 300, 29]) {
        rules.wait(minutes * 60_000);
        await rules.ask();
      }
      expect(await did()).toEqual(once);
      rules.wait(60_000);
      await rules.ask();
      expect(await did()).toHaveLength(4);

      await end(database, rules);
      rules.wait(7 * HOUR);
      await rules.ask();
      expect(await stuck()).toEqual([]);
      expect(await did()).toHaveLength(4);
    },
  );
});

type Rules = ReturnType<typeof stage>;

/** How each rule comes to find something on an item, and how it is over for all of them. */
const ARRANGED: Record<
  RuleName,
  {
    arrange: (database: TestDatabase, rules: Rules, number: number) => Promise<void>;
    end: (database: TestDatabase, rules: Rules) => Promise<void>;
  }
> = {
  'merged-issue-open': {
    arrange: async ({ rows }, _, number) => {
      const { id } = await conversationOn(rows, { number });
      const pull = { ...reviewRequestedEvent('dev-bot'), name: 'pull.merged' as const };
      const item = { ...pull.item!, number: number + 100 };
      const key = { forge: 'home', repositoryId: '3', kind: 'pull' as const, number: item.number };
      await joinConversation(rows, { item: key, agent: 'dev' }, id);
      const event = { ...pull, item, semanticKey: `merged ${number}` };
      await acceptFound(rows, [{ event, likenesses: [] }], START - HOUR);
      const delivery = await nextDelivery(rows, START);
      await settleDelivery(rows, {
        id: delivery!.id,
        result: { state: 'ignored', reason: 'nobody is woken by it' },
        eventName: event.name,
        eventId: delivery!.event_id,
        decision: null,
        about: { repository: REPOSITORY.fullName, item, sender: 'alice' },
        now: START - HOUR,
      });
    },
    end: async (_, { closed }) => void closed.add(12).add(14),
  },
  'review-never-began': {
    arrange: async (_, rules, number) => {
      const pull = { ...rules.assigned, kind: 'pull' as unknown as 'issue' };
      rules.setRequested([...rules.requested(), { ...pull, number }]);
    },
    end: async (_, rules) => rules.setRequested([]),
  },
  'assigned-without-conversation': {
    arrange: async (_, rules, number) => rules.setOpen([...rules.open(), { ...rules.assigned, number }]),
    end: async (_, rules) => rules.setOpen([]),
  },
  'success-without-effect': {
    arrange: async ({ rows }, _, number) => {
      const { id } = await conversationOn(rows, { number });
      await noteProgress(rows, id, false, START);
    },
    end: async ({ rows }) => {
      for (const number of [12, 14]) {
        const { id } = await conversationOn(rows, { number });
        await noteProgress(rows, id, true, START);
      }
    },
  },
};

/** `#12 name`, of the events that a rule told once more. */
async function toldAgain({ rows }: TestDatabase): Promise<string[]> {
  const found = await rows
    .selectFrom('events')
    .select('event')
    .where('semantic_key', 'like', '%:again:%')
    .orderBy('seq')
    .execute();
  const events = found.map(({ event }) => JSON.parse(event!) as ForgeEvent);
  return events.map(({ item, name }) => `#${item!.number} ${name}`);
}
