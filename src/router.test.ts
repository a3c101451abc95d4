import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  ASSIGNED,
  COMMENT,
  changed,
  ISSUE,
  type Json,
  LABELED,
  RUN_FAILED,
} from '../test/fixtures/bodies.ts';
import { ConfigFolder, SMALL_CONFIG } from '../test/support/config-folder.ts';
import { describeDatabases, type TestDatabase } from '../test/support/databases.ts';
import { messagesWithEvents } from '../test/support/mailbox.ts';
import { everybodyMayWrite, trustWith } from '../test/support/trust.ts';
import type { DeliveryRow } from './database/tables.ts';
import { acceptDelivery } from './inbox.ts';
import { silentLog } from './log.ts';
import { recordPush } from './mailbox/pushes.ts';
import type { RouterDeps, RoutingConfig, StoredDecision } from './router/routing.ts';
import { routeNext } from './router.ts';
import type { ForgeEvent } from './vocabulary.ts';

const NOW = 1_800_000_000_000;

/** The shipped agents and flows, with the accounts and the repository of the fixtures. */
const CONFIG: RoutingConfig = (() => {
  using folder = new ConfigFolder({
    'claude-hooks.yaml': SMALL_CONFIG.replace('dev-bot', 'pear-bot').replace('team/shop', 'orchard/pears'),
    'flows/labels.yaml':
      '{ name: dev-labeled, on: [issue.labeled], agent: dev, skill: work-on-issue, if: "\'bug\' in event.added.labels" }',
  });
  return folder.load();
})();

interface Arrival {
  eventType: string;
  body: Json | string;
  source?: 'webhook' | 'replay';
  forge?: string;
}

async function accept(database: TestDatabase, { eventType, body, source, forge }: Arrival): Promise<string> {
  const deliveryId = randomUUID();
  const { id } = await acceptDelivery(database.rows, {
    forge: forge ?? 'home',
    forgeDeliveryId: deliveryId,
    source: source ?? 'webhook',
    headers: {
      'x-forgejo-delivery': deliveryId,
      'x-forgejo-event': eventType,
      'x-forgejo-event-type': eventType,
    },
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body, null, 2)),
    now: NOW,
  });
  return id;
}

function router(database: TestDatabase, partial: Partial<RoutingConfig> = {}, now = NOW): RouterDeps {
  const config = () => ({ ...CONFIG, ...partial });
  return { database, config, trust: everybodyMayWrite(), now: () => now, log: silentLog };
}

/** Accepts, decides, and answers the delivery as it is stored then. */
async function route(database: TestDatabase, arrival: Arrival, config?: Partial<RoutingConfig>) {
  const id = await accept(database, arrival);
  expect(await routeNext(router(database, config))).toBe(true);
  return await deliveryOf(database, id);
}

async function deliveryOf(database: TestDatabase, id: string): Promise<DeliveryRow> {
  return await database.rows
    .selectFrom('deliveries')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
}

const decisionOf = (delivery: DeliveryRow) => JSON.parse(delivery.decision!) as StoredDecision;

async function messagesIn(database: TestDatabase) {
  return (await messagesWithEvents(database.rows)).map((row) => ({
    ...row,
    event: JSON.parse(row.event) as ForgeEvent,
  }));
}

const CAUSED = ['events', 'items', 'conversations', 'conversation_items', 'messages', 'dispatches'] as const;

/** Rows of all that routing writes. */
async function caused(database: TestDatabase): Promise<Record<string, number>> {
  const counts: [string, number][] = [];
  for (const table of CAUSED) {
    counts.push([table, (await database.rows.selectFrom(table).selectAll().execute()).length]);
  }
  return Object.fromEntries(counts);
}

const listed = (...patterns: string[]) => patterns.map((pattern) => ({ pattern, secrets: [] }));

const assigned: Arrival = { eventType: 'issue_assign', body: changed(ASSIGNED, {}) };
/** On an issue, by Bo, naming nobody. */
function comment(id: number, fields: Json = {}): Arrival {
  const issue = changed(ISSUE, {}).issue as Json;
  const body = { 'comment.id': id, 'comment.body': 'And in June?', issue, is_pull: false, ...fields };
  const { pull_request: _, ...onIssue } = changed(COMMENT, body);
  return { eventType: 'issue_comment', body: onIssue };
}

describeDatabases('a delivery that wakes an agent', (open) => {
  test('is a message and a dispatch, and says so', async () => {
    const database = await open();
    const delivery = await route(database, assigned);
    expect(delivery).toMatchObject({
      state: 'routed',
      reason: null,
      event_name: 'issue.assigned',
      decided_at: NOW,
    });
    expect(await caused(database)).toEqual(Object.fromEntries(CAUSED.map((table) => [table, 1])));
    const [message] = await messagesIn(database);
    expect(message).toMatchObject({
      delivery_id: delivery.id,
      flow: 'dev-assigned',
      skill: 'work-on-issue',
      state: 'waiting',
      event: { name: 'issue.assigned', item: { number: 5 }, added: { assignees: ['pear-bot', 'Bo'] } },
    });
    expect(await routeNext(router(database))).toBe(false);
  });

  test('keeps a decision that is complete: every flow with its verdict, every message with its dispatch', async () => {
    const database = await open();
    await route(database, assigned);
    const decision = decisionOf(await route(database, comment(601)));
    expect(decision.considered.map((c) => c.flow)).toEqual(CONFIG.flows.map((flow) => flow.name));
    const verdicts = Object.fromEntries(decision.considered.map(({ flow, ...rest }) => [flow, rest]));
    expect(verdicts).toMatchObject({
      'dev-comment': { agent: 'dev', verdict: 'matched' },
      'dev-assigned': { agent: 'dev', verdict: 'other-event' },
      'dev-mentioned': {
        verdict: 'condition-failed',
        clause: 'hasLogin(event.mentions, agent.login)',
        values: { 'event.mentions': [], 'agent.login': 'pear-bot' },
      },
      'reviewer-mentioned': { verdict: 'condition-failed', values: { 'event.item.kind': 'issue' } },
    });
    const [first, second] = await messagesIn(database);
    const dispatch = await database.rows.selectFrom('dispatches').selectAll().executeTakeFirstOrThrow();
    expect(second!.conversation_id).toBe(first!.conversation_id);
    const conversation = first!.conversation_id;
    expect(decision.messages).toEqual([
      { agent: 'dev', flow: 'dev-comment', skill: 'answer-comment', conversation, dispatch: dispatch.id },
    ]);
    expect(decision.note).toBeNull();
  });

  test('wakes on the label that is new, once', async () => {
    const database = await open();
    const labels = (changed(LABELED, {}).issue as Json).labels as Json[];
    const labeled = (names: string[], minute: number): Arrival => ({
      eventType: 'issue_label',
      body: changed(LABELED, {
        'issue.labels': names.map((name) => ({ ...labels[0], name })),
        'issue.updated_at': `2026-05-04T10:${minute}:00+02:00`,
      }),
    });
    const states: string[] = [];
    // The third is older than the second and comes late.
    for (const [names, minute] of [
      [['bug'], 11],
      [['bug', 'urgent'], 13],
      [['bug'], 12],
    ] as const) {
      states.push((await route(database, labeled([...names], minute))).state);
    }
    expect(states).toEqual(['routed', 'ignored', 'ignored']);
    expect((await messagesIn(database)).map((m) => m.event.added.labels)).toEqual([['bug']]);
  });
});

describeDatabases('routing that throws in the middle', (open) => {
  const [flow] = CONFIG.flows.filter((f) => f.name === 'dev-assigned');
  // The second agent's parameters cannot be stored: BigInt is no JSON. The first agent's message is written by then.
  const broken = { ...flow!, name: 'broken', agent: 'reviewer', clauses: [], with: { n: 1n } };
  const flows = { flows: [flow!, broken] };

  test('leaves nothing behind, waits, and is routed whole once it can be', async () => {
    const database = await open();
    const delivery = await route(database, assigned, flows);
    expect(delivery).toMatchObject({
      state: 'received',
      attempts: 1,
      next_attempt_at: NOW + 1000,
      reason: expect.stringContaining('BigInt'),
      decision: null,
    });
    expect(await caused(database)).toEqual(Object.fromEntries(CAUSED.map((table) => [table, 0])));
    expect(await routeNext(router(database, flows, NOW + 999))).toBe(false);
    // It waits by itself: another delivery is decided meanwhile.
    expect((await route(database, comment(601), flows)).state).toBe('ignored');

    expect(await routeNext(router(database, {}, NOW + 1000))).toBe(true);
    expect(await deliveryOf(database, delivery.id)).toMatchObject({ state: 'routed', reason: null });
    expect(await messagesIn(database)).toHaveLength(1);
  });

  test('tells who did what where and what was decided: our own echoes at debug, everything else at info', async () => {
    const database = await open();
    const lines: string[] = [];
    const counted: string[] = [];
    const told =
      (level: string) =>
      (message: string, fields: Record<string, unknown> = {}) =>
        void lines.push(
          `${level} ${message} ${fields.event} ${fields.item} ${fields.sender} ${fields.wakes ?? '-'}`,
        );
    const log = { ...silentLog, debug: told('debug'), info: told('info') };
    const echo = comment(901, { 'sender.login': 'pear-bot', 'comment.user.login': 'pear-bot' });
    for (const arrival of [assigned, assigned, comment(900), echo]) {
      await accept(database, arrival);
      const decided: RouterDeps['decided'] = ({ event, decision }) => counted.push(`${event} ${decision}`);
      expect(await routeNext({ ...router(database), log, decided })).toBe(true);
    }
    expect(lines).toEqual([
      'info delivery routed issue.assigned orchard/pears#5 ada dev',
      'info delivery duplicate issue.assigned orchard/pears#5 ada -',
      'info delivery routed comment.created orchard/pears#5 Bo dev',
      'debug delivery echo comment.created orchard/pears#5 pear-bot -',
    ]);
    expect(counted).toEqual([
      'issue.assigned routed',
      'issue.assigned duplicate',
      'comment.created routed',
      'comment.created echo',
    ]);
  });

  test('leaves nothing behind even after its last write: the decision is part of the same transaction', async () => {
    const database = await open();
    const id = await accept(database, assigned);
    const ending: TestDatabase = {
      ...database,
      transaction: (work) =>
        database.transaction(async (tx) => {
          await work(tx);
          throw new Error('the end, before the commit');
        }),
    };
    await routeNext(router(ending));
    expect(await deliveryOf(database, id)).toMatchObject({ state: 'received', attempts: 1, decision: null });
    expect(await caused(database)).toEqual(Object.fromEntries(CAUSED.map((table) => [table, 0])));
  });

  test('fails after its retries, with the reason, and blocks nobody', async () => {
    const database = await open();
    const { id } = await route(database, assigned, flows);
    let now = NOW;
    for (const seconds of [1, 5, 30, 120]) {
      expect((await deliveryOf(database, id)).state).toBe('received');
      now += seconds * 1000;
      expect(await routeNext(router(database, flows, now))).toBe(true);
    }
    const failed = await deliveryOf(database, id);
    expect(failed).toMatchObject({
      state: 'failed',
      attempts: 5,
      decided_at: now,
      reason: expect.stringContaining('BigInt'),
    });
    expect(await routeNext(router(database, flows, now + 1e9))).toBe(false);
    expect(await caused(database)).toEqual(Object.fromEntries(CAUSED.map((table) => [table, 0])));
    // The meaning is free: the same happening, sent again, is no duplicate of what failed.
    expect((await route(database, assigned)).state).toBe('routed');
  });
});

describeDatabases('the same happening', (open) => {
  test('in many deliveries, decided at once, is one message and points the others at the first', async () => {
    const database = await open();
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) ids.push(await accept(database, assigned));
    expect(await Promise.all(ids.map(() => routeNext(router(database))))).toEqual(ids.map(() => true));
    const rows = await Promise.all(ids.map((id) => deliveryOf(database, id)));
    expect(rows.map((row) => [row.state, row.duplicate_of])).toEqual([
      ['routed', null],
      ...ids.slice(1).map(() => ['duplicate', ids[0]]),
    ]);
    expect(await messagesIn(database)).toHaveLength(1);
  });

  test('in a replay is routed again, with what it added the first time', async () => {
    const database = await open();
    await route(database, assigned);
    expect((await route(database, assigned)).state).toBe('duplicate');
    const replayed = await route(database, { ...assigned, source: 'replay' });
    expect(replayed).toMatchObject({ state: 'routed', event_name: 'issue.assigned' });
    expect(await messagesIn(database)).toHaveLength(2);
    expect(decisionOf(replayed).messages.map((m) => m.flow)).toEqual(['dev-assigned']);
  });
});

describeDatabases('a CI run that names only a commit', (open) => {
  const nameless = (sha: string): Arrival => ({
    eventType: 'action_run_failure',
    body: changed(RUN_FAILED, { 'run.event_payload': '', 'run.prettyref': 'main', 'run.commit_sha': sha }),
  });

  test('reaches the conversation of the pull request with that head', async () => {
    const database = await open();
    await route(database, assigned);
    // Its pull request, which closes the issue, gets a comment: now its head is known.
    await route(database, { eventType: 'pull_request_comment', body: changed(COMMENT, {}) });
    const delivery = await route(database, nameless('2'.repeat(40)));
    expect([delivery.state, delivery.reason]).toEqual(['routed', null]);
    const messages = await messagesIn(database);
    expect(messages.map((m) => [m.flow, m.event.item?.number])).toEqual([
      ['dev-assigned', 5],
      ['dev-mentioned', 6],
      ['dev-ci-failed', 6],
    ]);
    expect(new Set(messages.map((m) => m.conversation_id)).size).toBe(1);
  });

  test('reaches the conversation that pushed the commit, before there is a pull request, and once', async () => {
    const database = await open();
    const sha = '7'.repeat(40);
    await route(database, assigned);
    const [conversation] = await database.rows.selectFrom('conversations').selectAll().execute();
    await recordPush(database.rows, { conversation: conversation!, sha, now: NOW });
    await recordPush(database.rows, { conversation: conversation!, sha, now: NOW });
    expect((await route(database, nameless(sha))).state).toBe('routed');
    // The same failure, told by another job of the run.
    const again = nameless(sha);
    const body = { ...(again.body as Json), run: { ...(again.body as Json).run, id: 77 } };
    const second = await route(database, { ...again, body });
    expect([second.state, second.reason]).toEqual([
      'ignored',
      'its conversation has been told that CI failed on this commit, and deals with it once',
    ]);
    const messages = await messagesIn(database);
    expect(messages.map((m) => [m.flow, m.event.item?.kind, m.event.item?.number])).toEqual([
      ['dev-assigned', 'issue', 5],
      ['dev-ci-failed', 'issue', 5],
    ]);
  });

  test('wakes nobody on what is closed by now, whatever state the delivery claims', async () => {
    const database = await open();
    const sha = '7'.repeat(40);
    await route(database, assigned);
    const [conversation] = await database.rows.selectFrom('conversations').selectAll().execute();
    await recordPush(database.rows, { conversation: conversation!, sha, now: NOW });
    const id = await accept(database, nameless(sha));
    const trust = trustWith({ permissionOf: () => 'write', states: { 5: 'closed' } });
    expect(await routeNext({ ...router(database), trust })).toBe(true);
    expect(await deliveryOf(database, id)).toMatchObject({
      state: 'ignored',
      reason: '#5 is closed, and what CI says of it wakes nobody',
    });
    expect(await messagesIn(database)).toHaveLength(1);
  });

  test('is ignored where no pull request has that head', async () => {
    const delivery = await route(await open(), nameless('9'.repeat(40)));
    expect([delivery.state, delivery.reason]).toEqual([
      'ignored',
      'ci.failed names no issue or pull request',
    ]);
  });
});

describeDatabases('a deleted comment', (open) => {
  test('takes its waiting message back, and no other', async () => {
    const database = await open();
    await route(database, assigned);
    await route(database, comment(601));
    await route(database, comment(602));
    const delivery = await route(database, comment(601, { action: 'deleted' }));
    expect(delivery).toMatchObject({ state: 'routed', event_name: 'comment.deleted' });
    expect(decisionOf(delivery)).toMatchObject({
      messages: [],
      note: '1 waiting message(s) of this comment were declined',
    });
    expect((await messagesIn(database)).map((m) => [m.event.comment?.id ?? null, m.state, m.reason])).toEqual(
      [
        [null, 'waiting', null],
        [601, 'declined', 'the comment was deleted before it was read'],
        [602, 'waiting', null],
      ],
    );
  });

  test('that nobody waits for is ignored', async () => {
    const delivery = await route(await open(), comment(601, { action: 'deleted' }));
    expect(delivery).toMatchObject({ state: 'ignored', reason: expect.stringMatching(/^no flow wants it/) });
  });
});

describeDatabases('a delivery that wakes nobody', (open) => {
  const home = CONFIG.forges.home!;
  const forgesWith = (partial: Partial<typeof home>) => ({ forges: { home: { ...home, ...partial } } });

  test.each<[string, Arrival, Partial<RoutingConfig>, Partial<DeliveryRow>]>([
    [
      'a repository that is not listed',
      assigned,
      forgesWith({ repositories: listed('orchard/pear', 'orchar/*') }),
      {
        state: 'ignored',
        reason: 'repository orchard/pears is not listed; add it to forges.home.repositories',
      },
    ],
    [
      'a sender who is not trusted',
      assigned,
      forgesWith({ trustedSenders: ['bo'] }),
      { state: 'ignored', reason: 'ada is not listed in forges.home.trusted_senders' },
    ],
    [
      'a forge that was taken out since',
      assigned,
      { forges: {} },
      { state: 'ignored', reason: 'forge home is no longer in the configuration; add it under forges' },
    ],
    [
      'no flow',
      assigned,
      { flows: [] },
      { state: 'ignored', reason: expect.stringMatching(/^no flow wants it/), event_name: 'issue.assigned' },
    ],
    [
      'an event without a meaning for us',
      { eventType: 'release', body: {} },
      {},
      { state: 'ignored', reason: expect.stringContaining('release'), event_name: null },
    ],
    [
      'a body that is not what its headers promise',
      { eventType: 'issue_assign', body: { action: 'assigned' } },
      {},
      { state: 'failed', reason: expect.stringContaining('issue'), event_name: null },
    ],
    [
      'a body that is no JSON',
      { eventType: 'issue_assign', body: '{"action": ' },
      {},
      { state: 'failed', reason: expect.stringContaining('JSON'), event_name: null },
    ],
  ])('says why: %s', async (_, arrival, config, expected) => {
    const database = await open();
    const delivery = await route(database, arrival, config);
    expect(delivery).toMatchObject({ attempts: 0, decided_at: NOW, ...expected });
    expect(await messagesIn(database)).toEqual([]);
  });

  test.each([
    ['Orchard/*', ['ADA'], 'routed'],
    ['orchard/PEARS', ['eve', 'Ada'], 'routed'],
    ['orchard/pears', ['eve'], 'ignored'],
  ])(
    'letter case aside: repositories [%s], trusted senders %j: %s',
    async (repository, trustedSenders, state) => {
      const config = forgesWith({ repositories: listed(repository), trustedSenders });
      expect((await route(await open(), assigned, config)).state).toBe(state);
    },
  );
});
