/** What the rows say at this moment, by state. */
import { setImmediate } from 'node:timers/promises';
import type { Database, Rows } from '../database/database.ts';
import { ASK_KINDS } from '../vocabulary.ts';
import type { FamilyName } from './families.ts';
import type { Sample } from './registry.ts';

type Read = (rows: Rows, now: number) => Promise<Sample[]>;

const READERS: Partial<Record<FamilyName, Read>> = {
  claude_hooks_deliveries: byState('deliveries'),
  claude_hooks_dispatches: byState('dispatches'),
  claude_hooks_messages: byState('messages'),
  claude_hooks_sessions: byState('sessions'),
  claude_hooks_effects: effects,
  claude_hooks_notices: notices,
  claude_hooks_asks: asks,
  claude_hooks_timers: byState('timers'),
  claude_hooks_messages_handed: handed,
  claude_hooks_attached: attached,
  claude_hooks_dispatch_continuity: continuity,
  claude_hooks_incidents_total: incidents,
  claude_hooks_conversations: conversations,
  claude_hooks_reconciler_mark_timestamp_seconds: reconcilerMarks,
  claude_hooks_stuck_items: stuckItems,
  claude_hooks_budget_warnings_total: warnings,
  claude_hooks_holds: holds,
  claude_hooks_hold_until_timestamp_seconds: heldCredentials,
};

export async function samplesFromRows(database: Database, now: number): Promise<[FamilyName, Sample[]][]> {
  const found: [FamilyName, Sample[]][] = [];
  for (const [name, read] of Object.entries(READERS) as [FamilyName, Read][]) {
    found.push([name, await read(database.rows, now)]);
    // One statement at a time, with a turn of the event loop after each: SQLite blocks it while it answers.
    await setImmediate();
  }
  return found;
}

function byState(table: 'deliveries' | 'dispatches' | 'messages' | 'sessions' | 'timers'): Read {
  return async (rows) => {
    const found = await rows
      .selectFrom(table)
      .select(['state', (e) => e.fn.countAll<number>().as('count')])
      .groupBy('state')
      .execute();
    return found.map(({ state, count }) => ({ labels: { state }, value: Number(count) }));
  };
}

/** A refused push, pull request, comment or review beside those that were done. */
async function effects(rows: Rows): Promise<Sample[]> {
  const found = await rows
    .selectFrom('effects')
    .select(['kind', 'state', (e) => e.fn.countAll<number>().as('count')])
    .groupBy(['kind', 'state'])
    .execute();
  return found.map(({ kind, state, count }) => ({ labels: { kind, state }, value: Number(count) }));
}

async function notices(rows: Rows): Promise<Sample[]> {
  const found = await rows
    .selectFrom('notices')
    .select(['kind', 'state', (e) => e.fn.countAll<number>().as('count')])
    .groupBy(['kind', 'state'])
    .execute();
  return found.map(({ kind, state, count }) => ({ labels: { kind, state }, value: Number(count) }));
}

/** What is not delivered yet may still be, or waits again for the next run when this one has ended. */
async function handed(rows: Rows): Promise<Sample[]> {
  const { all, delivered } = await rows
    .selectFrom('messages')
    .select((e) => [e.fn.countAll<number>().as('all'), e.fn.count<number>('delivered_at').as('delivered')])
    .where('handed_as', 'is not', null)
    .executeTakeFirstOrThrow();
  return [
    { labels: { delivered: 'yes' }, value: Number(delivered) },
    { labels: { delivered: 'no' }, value: Number(all) - Number(delivered) },
  ];
}

async function attached(rows: Rows): Promise<Sample[]> {
  const { count } = await rows
    .selectFrom('dispatches')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('state', '=', 'running')
    .where('attached_by', 'is not', null)
    .executeTakeFirstOrThrow();
  return [{ labels: {}, value: Number(count) }];
}

/** Every kind, so that a series that an alert asks for is there from the start. */
async function asks(rows: Rows): Promise<Sample[]> {
  const found = await rows
    .selectFrom('asks')
    .select(['kind', (e) => e.fn.countAll<number>().as('count')])
    .where('state', '=', 'open')
    .groupBy('kind')
    .execute();
  const counts = new Map(found.map(({ kind, count }) => [kind, Number(count)]));
  return ASK_KINDS.map((kind) => ({ labels: { kind }, value: counts.get(kind) ?? 0 }));
}

async function continuity(rows: Rows): Promise<Sample[]> {
  const found = await rows
    .selectFrom('dispatches')
    .select(['continuity', (e) => e.fn.countAll<number>().as('count')])
    .where('continuity', 'is not', null)
    .groupBy('continuity')
    .execute();
  return found.map((row) => ({ labels: { continuity: row.continuity! }, value: Number(row.count) }));
}

async function incidents(rows: Rows): Promise<Sample[]> {
  const found = await rows
    .selectFrom('incidents')
    .select(['rung', (e) => e.fn.countAll<number>().as('count')])
    .groupBy('rung')
    .execute();
  return found.map(({ rung, count }) => ({ labels: { rung }, value: Number(count) }));
}

/**
 * Counts each conversation once. Only conversations with an open or a failed dispatch are read; all others are idle.
 */
async function conversations(rows: Rows): Promise<Sample[]> {
  const { total } = await rows
    .selectFrom('conversations')
    .select((e) => e.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  const open = await rows
    .selectFrom('dispatches')
    .select(['conversation_id', 'state'])
    .where('state', 'in', ['running', 'queued', 'interrupted', 'parked'])
    .execute();
  const failed = await rows
    .selectFrom('dispatches as d')
    .select(['d.conversation_id', 'd.state'])
    .where('d.state', 'in', ['failed', 'unposted'])
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('dispatches as later')
            .select('later.id')
            .whereRef('later.conversation_id', '=', 'd.conversation_id')
            .whereRef('later.seq', '>', 'd.seq')
            .where('later.state', '!=', 'cancelled'),
        ),
      ),
    )
    .execute();
  const states = new Map<string, string>(failed.map((d) => [d.conversation_id, d.state]));
  for (const { conversation_id: id, state } of open) {
    if (states.get(id) === 'running') continue;
    states.set(id, state === 'queued' || state === 'interrupted' ? 'waiting' : state);
  }
  const counts = {
    idle: Number(total) - states.size,
    running: 0,
    waiting: 0,
    parked: 0,
    failed: 0,
    unposted: 0,
  };
  for (const state of states.values()) counts[state as keyof typeof counts] += 1;
  return Object.entries(counts).map(([state, value]) => ({ labels: { state }, value }));
}

async function warnings(rows: Rows): Promise<Sample[]> {
  const found = await rows
    .selectFrom('budget_warnings')
    .select(['unit', (e) => e.fn.countAll<number>().as('count')])
    .groupBy('unit')
    .execute();
  return found.map(({ unit, count }) => ({ labels: { unit }, value: Number(count) }));
}

async function holds(rows: Rows, now: number): Promise<Sample[]> {
  const found = await rows
    .selectFrom('holds')
    .select(['kind', 'by_kind', (e) => e.fn.countAll<number>().as('count')])
    .where('ended_at', 'is', null)
    .where((e) => e.or([e('until', 'is', null), e('until', '>', now)]))
    .groupBy(['kind', 'by_kind'])
    .execute();
  return found.map(({ kind, by_kind: by, count }) => ({ labels: { kind, by }, value: Number(count) }));
}

async function heldCredentials(rows: Rows, now: number): Promise<Sample[]> {
  const found = await rows
    .selectFrom('holds')
    .select(['scope', (e) => e.fn.max('until').as('until')])
    .where('ended_at', 'is', null)
    .where('kind', '=', 'credential')
    .where('until', '>', now)
    .groupBy('scope')
    .execute();
  return found.map(({ scope, until }) => ({
    labels: { credential: scope.slice('credential:'.length) },
    value: Number(until) / 1000,
  }));
}

async function reconcilerMarks(rows: Rows): Promise<Sample[]> {
  const found = await rows
    .selectFrom('reconciler_marks')
    .select(['forge', (e) => e.fn.min<number>('mark').as('mark')])
    .groupBy('forge')
    .execute();
  return found.map(({ forge, mark }) => ({ labels: { forge }, value: Number(mark) / 1000 }));
}

async function stuckItems(rows: Rows): Promise<Sample[]> {
  const found = await rows
    .selectFrom('rule_findings')
    .select(['rule', (e) => e.fn.countAll<number>().as('count')])
    .where('over_at', 'is', null)
    .groupBy('rule')
    .execute();
  return found.map(({ rule, count }) => ({ labels: { rule }, value: Number(count) }));
}
