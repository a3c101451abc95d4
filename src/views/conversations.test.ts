import { describe, expect, test } from 'vitest';
import { describeDatabases, openSqlite, type TestDatabase } from '../../test/support/databases.ts';
import { assignedEvent } from '../../test/support/sample-events.ts';
import {
  SAMPLE_TIME,
  sampleConversation,
  sampleEffect,
  sampleFolder,
  sampleSession,
} from '../../test/support/sample-session.ts';
import { renderConversations, renderDescriptions } from '../cli/print/conversations.ts';
import type { ConversationRow } from '../database/tables.ts';
import { NotFound } from '../errors.ts';
import { storeEvent } from '../inbox/events.ts';
import { itemKey } from '../item-key.ts';
import { joinConversation } from '../mailbox/conversations.ts';
import { credentialScope, placeHold } from '../mailbox/holds.ts';
import { type Lease, leaseConversation } from '../mailbox/leases.ts';
import { appendMessage } from '../mailbox/messages.ts';
import { settleDispatch } from '../mailbox/settlement.ts';
import { countFailedResume, recordIncident } from '../sessions.ts';
import { listConversations } from './conversation-list.ts';
import { describeConversation } from './conversations.ts';

const NOW = SAMPLE_TIME;
const MINUTE = 60_000;

async function write(
  database: TestDatabase,
  conversation: ConversationRow,
  deliveryId = 'd-1',
): Promise<void> {
  await appendMessage(database.rows, {
    conversation,
    deliveryId,
    eventId: (
      await storeEvent(database.rows, { event: assignedEvent('dev-bot'), source: 'replay', deliveryId })
    ).id,
    flow: 'dev-assigned',
    skill: 'work-on-issue',
    parameters: {},
    priority: 50,
    now: NOW,
    quietMs: 30_000,
    maxWaitMs: 60_000,
  });
}

async function lease(database: TestDatabase, now: number): Promise<Lease> {
  const agentLimits = new Map([['dev', 1]]);
  const held = await leaseConversation(database, { worker: 'host-1', now, leaseMs: MINUTE, agentLimits });
  return held!;
}

const costs = (costUsd: number, outputTokens: number) =>
  JSON.stringify({
    costUsd,
    models: {
      sonnet: { inputTokens: 5, outputTokens, cacheReadInputTokens: 100, cacheCreationInputTokens: 10 },
    },
  });

/** One dispatch from lease to success, on this session. */
async function run(
  database: TestDatabase,
  dispatch: { session: string; continuity: string; usage: string; now: number },
): Promise<void> {
  const held = await lease(database, dispatch.now);
  await database.rows
    .updateTable('dispatches')
    .set({
      session_id: dispatch.session,
      continuity: dispatch.continuity,
      usage: dispatch.usage,
      turns: 2,
      answer: 'Done.',
    })
    .where('id', '=', held.dispatch.id)
    .execute();
  const of = { dispatchId: held.dispatch.id, conversationId: held.conversation.id };
  await sampleEffect(database, { ...of, kind: 'pull', result: { number: 13 } });
  if (dispatch.continuity === 'restored') {
    await recordIncident(database.rows, {
      ...of,
      sessionId: dispatch.session,
      rung: 'restored',
      reason: 'disk-missing',
      evidence: {},
      now: dispatch.now,
    });
  }
  await settleDispatch(database, held, { settlement: { state: 'succeeded' }, now: dispatch.now + MINUTE });
}

function stable(text: string): string {
  const names = new Map<string, string>();
  return text.replace(/[0-9a-f]{8}(-[0-9a-f]{4}(-[0-9a-f]{4}){2}-[0-9a-f]{12})?(?![\w])/g, (id) => {
    if (!names.has(id)) names.set(id, `<id ${names.size + 1}>`);
    return names.get(id)!;
  });
}

test('the whole of a conversation', async () => {
  const database = await openSqlite();
  const conversation = await sampleConversation(database);
  const { row: session } = await sampleSession(database, { state: sampleFolder(), conversation });
  await database.rows.updateTable('conversations').set({ branch: 'dev/12-totals' }).execute();
  const { forge, repository } = assignedEvent('dev-bot');
  const item = itemKey({ forge, repository }, { kind: 'pull', number: 13 });
  await joinConversation(database.rows, { item, agent: 'dev' }, conversation.id);
  await write(database, conversation);
  await run(database, { session: session.id, continuity: 'fresh', usage: costs(0.05, 1), now: NOW + MINUTE });
  await write(database, conversation, 'd-2');
  const second = {
    session: session.id,
    continuity: 'restored',
    usage: costs(0.07, 3),
    now: NOW + 9 * MINUTE,
  };
  await run(database, second);
  await countFailedResume(database.rows, session.id);
  await write(database, conversation, 'd-3');

  const description = await describeConversation(database.rows, 'TEAM/shop#13', NOW);
  expect(JSON.parse(JSON.stringify(description))).toEqual(description);
  const { state, usage, sessions, dispatches, items } = description.conversations[0]!;
  expect(state).toMatchObject({ kind: 'waiting', until: '2026-01-02T03:04:35.000Z' });
  // The second report is the session's total, not the second run's.
  expect(usage).toEqual({
    costUsd: 0.07,
    inputTokens: 5,
    outputTokens: 3,
    cacheReadTokens: 100,
    cacheWriteTokens: 10,
    turns: 4,
  });
  expect(items).toEqual([12, 13]);
  expect(sessions).toMatchObject([{ continuity: 'fresh', dispatches: 2, failedResumes: 1 }]);
  expect(dispatches.map((d) => d.incidents.length)).toEqual([0, 1, 0]);
  expect(
    stable(renderDescriptions(description, NOW)).replaceAll(String(session.size), '<size>'),
  ).toMatchInlineSnapshot(`
    "dev on home:team/shop#12 (issue): waiting until 2026-01-02 03:04:35Z
      title         Totals are wrong
      conversation  <id 1>
      branch        dev/12-totals
      joined by     #13
      waiting       1 message
      usage         0.0700 USD by the CLI's estimate, 4 turns, tokens: 5 in, 3 out, 100 read from the cache, 10 written to it

    sessions, oldest first
      1. <id 2> verified, began fresh, 1 failed resume
         2 dispatches; verified 2026-01-02 03:04:05Z with <size> bytes, CLI 2.1.330

    dispatches, oldest first
      dispatch <id 3>: succeeded
        times    started 2026-01-02 03:05:05Z on host-1, took 1 min
        session  <id 2>, fresh
        answer   Done.
        effect   pull done: #13
      dispatch <id 4>: succeeded
        times     started 2026-01-02 03:13:05Z on host-1, took 1 min
        session   <id 2>, restored
        answer    Done.
        effect    pull done: #13
        incident  2026-01-02 03:13:05Z session <id 2> restored: disk-missing
      dispatch <id 5>: queued
        times  created 2026-01-02 03:04:05Z, due 2026-01-02 03:04:35Z"
  `);
});

test('by id and by its beginning; both agents of an item; nothing by that name', async () => {
  const database = await openSqlite();
  const dev = await sampleConversation(database);
  const reviewer = await sampleConversation(database, { agent: 'reviewer' });
  const ids = async (reference: string) =>
    (await describeConversation(database.rows, reference)).conversations.map((c) => c.id);
  expect(await ids(dev.id)).toEqual([dev.id]);
  expect(await ids(dev.id.slice(0, 8))).toEqual([dev.id]);
  expect(await ids('team/shop#12')).toEqual([dev.id, reviewer.id]);
  const several = renderDescriptions(await describeConversation(database.rows, 'team/shop#12'));
  expect(several).toContain(`  ${reviewer.id}  reviewer on home:team/shop#12`);
  for (const reference of [dev.id.slice(0, 5), 'team/shop#99', '%%%%%%%%', '']) {
    await expect(describeConversation(database.rows, reference)).rejects.toThrow(NotFound);
  }
});

describe('the state', () => {
  test('idle, waiting, parked by its dispatch or by a credential, running, and left by its worker', async () => {
    const database = await openSqlite();
    const conversation = await sampleConversation(database);
    const at = async (now: number) => {
      const list = await listConversations(database.rows, { limit: 10, now });
      return renderConversations(list, now)
        .split('\n')[1]!
        .replace(/^\S+ +\S+ +dev +/, '');
    };
    const title = 'Totals are wrong';
    expect(await at(NOW)).toBe(`idle since 2026-01-02 03:04:05Z  ${title}`);
    await write(database, conversation);
    expect(await at(NOW)).toBe(`waiting until 2026-01-02 03:04:35Z, 1 message  ${title}`);
    expect(await at(NOW + MINUTE)).toContain('waiting for a worker since 2026-01-02 03:04:35Z, 1 message');
    await placeHold(database.rows, {
      scope: credentialScope(null),
      until: NOW + 2 * MINUTE,
      reason: 'usage limit',
      by: { kind: 'limit' },
      now: NOW,
    });
    expect(await at(NOW + MINUTE)).toContain(
      'held until 2026-01-02 03:06:05Z by a limit of the model’s side: usage limit, 1 message',
    );
    const held = await lease(database, NOW + 3 * MINUTE);
    expect(await at(NOW + 3 * MINUTE)).toBe(`running since 2026-01-02 03:07:05Z on host-1  ${title}`);
    expect(await at(NOW + 5 * MINUTE)).toContain(
      'its worker host-1 is gone; a worker that runs takes it over',
    );
    const settlement = { state: 'parked', reason: 'forge is away', until: NOW + 20 * MINUTE } as const;
    await settleDispatch(database, held, { settlement, now: NOW + 5 * MINUTE });
    expect(await at(NOW + 6 * MINUTE)).toContain('parked until 2026-01-02 03:24:05Z: forge is away');
    expect(await at(NOW + 21 * MINUTE)).toContain(
      'waiting for a worker since 2026-01-02 03:24:05Z (forge is away)',
    );
  });
});

describeDatabases('how the last dispatch ended', (open) => {
  test('a failure and both refusals are states, until the next dispatch', async () => {
    const database = await open();
    const conversation = await sampleConversation(database);
    const line = async () =>
      renderConversations(
        await listConversations(database.rows, { limit: 10, now: NOW + MINUTE }),
        NOW + MINUTE,
      )
        .split('\n')[1]!
        .replace(/^\S+ +\S+ +dev +/, '');
    const end = async (settlement: Parameters<typeof settleDispatch>[2]['settlement'], delivery: string) => {
      await write(database, conversation, delivery);
      const held = await lease(database, NOW + MINUTE);
      await settleDispatch(database, held, { settlement, now: NOW + 2 * MINUTE });
      return held.dispatch.id;
    };
    await end({ state: 'failed', reason: 'the run ended without an answer' }, 'd-1');
    expect(await line()).toContain('failed 2026-01-02 03:06:05Z: the run ended without an answer');
    await end({ state: 'unposted', reason: 'the forge refused the answer: 403' }, 'd-2');
    expect(await line()).toContain(
      'refused by the forge 2026-01-02 03:06:05Z: the forge refused the answer: 403',
    );
    const dispatch = await end({ state: 'failed', reason: 'the model does not take this text' }, 'd-3');
    const aside = { kind: 'comment', text_id: 7, digest: 'x', why: 'no', at: NOW } as const;
    await database.rows
      .insertInto('set_aside')
      .values({ conversation_id: conversation.id, dispatch_id: dispatch, ...aside })
      .execute();
    expect(await line()).toContain('refused by the model 2026-01-02 03:06:05Z: the model does not take');
    await write(database, conversation, 'd-4');
    expect(await line()).toMatch(/^waiting/);
    const held = await lease(database, NOW + MINUTE);
    await settleDispatch(database, held, { settlement: { state: 'succeeded' }, now: NOW + 2 * MINUTE });
    expect(await line()).toMatch(/^idle since/);
  });
});

describeDatabases('listConversations', (open) => {
  test('last changed first, as many as asked for, harmless on a terminal', async () => {
    const database = await open();
    expect(renderConversations(await listConversations(database.rows, { limit: 5 }))).toMatch(
      /^No conversations yet\./,
    );
    for (const number of [1, 2, 3]) {
      const { id } = await sampleConversation(database, { number });
      await database.rows
        .updateTable('conversations')
        .set({ updated_at: NOW + number, title: 'Red \u001b[31malert\u0007\r\n\u202etxt' })
        .where('id', '=', id)
        .execute();
    }
    const list = await listConversations(database.rows, { limit: 2, now: NOW });
    expect(list).toMatchObject({ total: 3, conversations: [{ number: 3 }, { number: 2 }] });
    const text = renderConversations(list, NOW);
    expect(text).toContain('Red [31malert txt');
    expect(text).toContain('… and 1 more; raise the limit to see them');
    const found = await describeConversation(database.rows, 'Team/SHOP#2', NOW);
    expect(found.conversations).toMatchObject([
      { number: 2, usage: { costUsd: 0 }, sessions: [], dispatches: [] },
    ]);
    const byBeginning = await describeConversation(
      database.rows,
      found.conversations[0]!.id.slice(0, 9),
      NOW,
    );
    expect(byBeginning.conversations).toHaveLength(1);
  });
});

describeDatabases('the ledger of a conversation', (open) => {
  test('is what passed the gateway, whatever became of the runs', async () => {
    const database = await open();
    const conversation = await sampleConversation(database);
    const request = {
      dispatch_id: 'd-1',
      conversation_id: conversation.id,
      agent: 'dev',
      at: NOW,
      model: 'claude-sonnet-4-5',
      status: 200,
      outcome: 'answered' as const,
      input_tokens: 10,
      output_tokens: 20,
      cache_read_tokens: 300,
      cache_write_tokens: 5,
      micro_usd: 250_000,
    };
    const rows = [request, { ...request, outcome: 'cut' as const, micro_usd: 50_000 }];
    await database.rows.insertInto('model_requests').values(rows).execute();
    const found = await describeConversation(database.rows, conversation.id, NOW);
    expect(found.conversations[0]!.ledger).toMatchObject({
      requests: 2,
      outputTokens: 40,
      microUsd: 300_000,
    });
    expect(renderDescriptions(found, NOW)).toContain(
      '0.3000 USD, 2 requests to the model, tokens: 30 new, 40 out, 600 from the cache',
    );
  });
});
