/** From the webhook to the decision: each thing is done once, and what happens meanwhile is not overlooked. */
import { expect, test, vi } from 'vitest';
import { ASSIGNED, COMMENT, changed, ISSUE, type Json } from '../../test/fixtures/bodies.ts';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { counted } from '../../test/support/counted-database.ts';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { edge, signed } from '../../test/support/edge.ts';
import { commentEvent } from '../../test/support/sample-events.ts';
import { type KnownForge, trustWith } from '../../test/support/trust.ts';
import type { Flow } from '../config/config.ts';
import { nextDelivery } from '../inbox.ts';
import { itemKey } from '../item-key.ts';
import { silentLog } from '../log.ts';
import { joinConversation, resolveConversation } from '../mailbox/conversations.ts';
import { routeNext } from '../router.ts';
import { decide } from './decide.ts';
import type { RouterDeps, StoredDecision } from './routing.ts';
import { writeDecision } from './write.ts';

const CONFIG = (() => {
  using folder = new ConfigFolder({
    'claude-hooks.yaml': SMALL_CONFIG.replace('dev-bot', 'pear-bot').replace('team/shop', 'orchard/pears'),
  });
  return folder.load();
})();

/** Who wakes the agent depends on whether it has been here. */
const FIRST_OR_LATER = (() => {
  const flow = (name: string, condition: string) =>
    `- { name: ${name}, on: [issue.assigned], if: "${condition}", agent: dev, skill: work-on-issue }\n`;
  using folder = new ConfigFolder({
    'claude-hooks.yaml': SMALL_CONFIG.replace('dev-bot', 'pear-bot').replace('team/shop', 'orchard/pears'),
    'flows/first.yaml': flow('first', '!conversation.exists') + flow('later', 'conversation.exists'),
  });
  return folder.load().flows.filter(({ name }) => name === 'first' || name === 'later');
})();

const assigned = changed(ASSIGNED, {});
/** On the same issue, by somebody whom nobody has asked about, naming nobody. */
function comment(fields: Json = {}): Json {
  const issue = changed(ISSUE, {}).issue as Json;
  const { pull_request: _, ...body } = changed(COMMENT, {
    'comment.body': 'And in June?',
    issue,
    is_pull: false,
    ...fields,
  });
  return body;
}

const post = async (database: TestDatabase, eventType: string, body: Json) => {
  const { status } = await edge(database).post(signed(JSON.stringify(body), { eventType }));
  expect(status).toBe(202);
};

interface World {
  permissionOf?: KnownForge['permissionOf'];
  flows?: readonly Flow[];
}

function deps(database: TestDatabase, { permissionOf = () => 'write', flows }: World = {}): RouterDeps {
  const config = { ...CONFIG, flows: flows ?? CONFIG.flows };
  const trust = trustWith({ permissionOf });
  return { database, config: () => config, trust, now: Date.now, log: silentLog };
}

async function newest({ rows }: TestDatabase) {
  const row = await rows
    .selectFrom('deliveries')
    .selectAll()
    .orderBy('seq', 'desc')
    .executeTakeFirstOrThrow();
  return { ...row, decision: JSON.parse(row.decision ?? 'null') as StoredDecision | null };
}

describeDatabases('a comment by an unknown sender', (open, dialect) => {
  test('is read once, placed once, tried by each flow once and asked about once', async () => {
    const database = await open();
    await post(database, 'issue_assign', assigned);
    await routeNext(deps(database));
    const tried = new Map<string, number>();
    const flows = CONFIG.flows.map((flow) => ({
      ...flow,
      get enabled() {
        tried.set(flow.name, (tried.get(flow.name) ?? 0) + 1);
        return flow.enabled;
      },
    }));
    const asked: string[] = [];
    const permissionOf: KnownForge['permissionOf'] = (login) => {
      asked.push(login);
      return 'write';
    };
    const { database: watched, counts } = counted(database);
    const parse = vi.spyOn(JSON, 'parse');
    await post(watched, 'issue_comment', comment());
    expect(await routeNext(deps(watched, { permissionOf, flows }))).toBe(true);
    const parsed = parse.mock.calls.filter(
      ([text]) => text.includes('And in June?') && text.includes('repository'),
    );
    parse.mockRestore();
    expect(await newest(database)).toMatchObject({ state: 'routed' });
    expect(parsed).toHaveLength(1);
    expect(asked).toEqual(['Bo']);
    expect(tried).toEqual(new Map(CONFIG.flows.map(({ name }) => [name, 1])));
    // Before events were rows it was 22 statements, in 2 transactions and 7 by themselves. One closes what waited for
    // an answer of this person.
    const locks = dialect === 'postgres' ? 1 : 0;
    const posted = dialect === 'postgres' ? 0 : 1;
    expect(counts()).toEqual({ statements: 11 + locks, transactions: 1 + posted, alone: 3 - posted });
  });
});

describeDatabases('what happens while the forge is asked', (open) => {
  /** The forge answers after `meanwhile`. */
  const during = (meanwhile: () => Promise<unknown>) => {
    let times = 0;
    const permissionOf = async () => {
      if (times++ === 0) await meanwhile();
      return 'write' as const;
    };
    return { permissionOf, times: () => times };
  };

  test('another process routed the same event: it is a duplicate, and wakes nobody again', async () => {
    const database = await open();
    await post(database, 'issue_assign', assigned);
    await post(database, 'issue_assign', assigned);
    const [first, second] = await database.rows
      .selectFrom('deliveries')
      .select('id')
      .orderBy('seq')
      .execute();
    // The other one takes up the second delivery while this one still has the first.
    const other = during(async () => {
      await database.rows
        .updateTable('deliveries')
        .set({ next_attempt_at: 4e12 })
        .where('id', '=', first!.id)
        .execute();
      await routeNext(deps(database));
      await database.rows
        .updateTable('deliveries')
        .set({ next_attempt_at: 0 })
        .where('id', '=', first!.id)
        .execute();
    });
    await routeNext(deps(database, other));
    const states = await database.rows
      .selectFrom('deliveries')
      .select(['id', 'state', 'duplicate_of'])
      .orderBy('seq')
      .execute();
    expect(states).toEqual([
      { id: first!.id, state: 'duplicate', duplicate_of: second!.id },
      { id: second!.id, state: 'routed', duplicate_of: null },
    ]);
    expect(await database.rows.selectFrom('messages').select('id').execute()).toHaveLength(1);
  });

  test('another process decided this very delivery: nothing is written twice', async () => {
    const database = await open();
    await post(database, 'issue_assign', assigned);
    const other = during(() => routeNext(deps(database)));
    expect(await routeNext(deps(database, other))).toBe(false);
    expect(await newest(database)).toMatchObject({ state: 'routed' });
    expect(await database.rows.selectFrom('messages').select('id').execute()).toHaveLength(1);
  });

  test('a conversation took the item: it is decided again, with the forge’s answer as it was', async () => {
    const database = await open();
    await post(database, 'issue_assign', assigned);
    const opened: string[] = [];
    const repository = { id: String((assigned.repository as Json).id), fullName: 'orchard/pears' };
    const other = during(async () => {
      const place = { forge: 'home', repository };
      const item = { ...commentEvent('').item!, number: 99 };
      const key = itemKey(place, { kind: 'issue', number: (assigned.issue as Json).number as number });
      await database.transaction(async (tx) => {
        const { id } = await resolveConversation(tx, { ...place, item, agent: 'dev', now: 1 });
        await joinConversation(tx, { item: key, agent: 'dev' }, id);
        opened.push(id);
      });
    });
    await routeNext(deps(database, { ...other, flows: FIRST_OR_LATER }));
    const { decision, state } = await newest(database);
    expect(state).toBe('routed');
    expect(decision!.messages.map((m) => m.conversation)).toEqual(opened);
    expect(decision!.messages.map((m) => m.flow)).toEqual(['later']);
    expect(other.times()).toBe(1);
  });

  test('a worker took up a message that was to be declined: nothing is written', async () => {
    const database = await open();
    await post(database, 'issue_assign', assigned);
    const delivery = (await nextDelivery(database.rows, Date.now()))!;
    const reason = 'its comment was deleted';
    const facts = {
      kind: 'ended',
      result: { state: 'ignored', reason },
      event: null,
      audited: false,
    } as const;
    const decision = { ...decide(facts), retracted: [{ id: 'taken up', number: 5 }] };
    expect(await writeDecision(deps(database), { delivery, facts, decision })).toBe('changed');
    expect(await newest(database)).toMatchObject({ state: 'received', reason: null });
  });
});
