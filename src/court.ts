/** The loop court: asked before each run whether its conversation runs in a circle. Its verdict is a hold. */

import type { ForgeConfig } from './config/config.ts';
import { type CourtSettings, judge, type Verdict, type Waker } from './court/judge.ts';
import type { Database, Rows } from './database/database.ts';
import { faultPoint } from './faults.ts';
import { kitOf } from './forges/registry.ts';
import type { Log } from './log.ts';
import { hasLogin } from './logins.ts';
import { conversationScope, type Hold, placeHold } from './mailbox/holds.ts';
import type { Lease } from './mailbox/leases.ts';
import { progressOf } from './mailbox/progress.ts';
import { type AccountIds, isOurAccount } from './trust/sender.ts';
import type { ForgeEvent } from './vocabulary.ts';

export interface CourtDeps {
  database: Database;
  config: () => {
    forges: Readonly<Record<string, ForgeConfig>>;
    court: CourtSettings & { robots: readonly string[] };
  };
  ids: (forge: ForgeConfig) => AccountIds;
  log: Log;
  now: () => number;
}

export interface Court {
  /** the hold that keeps this run from beginning; null = it may begin */
  startHeld(lease: Pick<Lease, 'conversation' | 'dispatch' | 'messages'>): Promise<Hold | null>;
}

export function createCourt(deps: CourtDeps): Court {
  return {
    startHeld: async (lease) => {
      const verdict = await verdictOf(deps, lease);
      if (verdict === null) return null;
      const scope = conversationScope(lease.conversation);
      const hold = await deps.database.transaction((tx) =>
        placeHold(tx, {
          scope,
          reason: verdict.reason,
          until: verdict.until,
          by: { kind: 'court' },
          now: deps.now(),
        }),
      );
      faultPoint('court.held');
      deps.log.warn(`${scope.label} is held by the loop court: ${verdict.reason}`, {
        hold: hold.id,
        rule: verdict.rule,
        dispatch: lease.dispatch.id,
      });
      return hold;
    },
  };
}

type Leased = Pick<Lease, 'conversation' | 'dispatch' | 'messages'>;

async function verdictOf(deps: CourtDeps, lease: Leased): Promise<Verdict | null> {
  const { rows } = deps.database;
  const { court, forges } = deps.config();
  const { conversation, messages } = lease;
  const forge = forges[conversation.forge];
  if (forge === undefined) return null;
  const whose = (event: ForgeEvent) => wakerOf(event, { forge, ids: deps.ids(forge), robots: court.robots });
  const liftedAt = await lastLift(rows, conversation.id);
  const most = Math.max(court.agentRuns, court.robotRuns);
  const before = await wakersBefore(rows, lease, { whose, liftedAt, most });
  const progress = await progressOf(rows, conversation.id);
  return judge(
    {
      wakers: [together(messages.map(({ event }) => whose(JSON.parse(event) as ForgeEvent))), ...before],
      startedAt: await startsOnItem(rows, lease, { since: Math.max(deps.now() - 3_600_000, liftedAt) }),
      withoutProgress: (await endedSince(rows, conversation.id, liftedAt)) ? progress.without : 0,
    },
    court,
  );
}

/** An account is what the configuration or the forge says of it; how it behaves is no proof. */
function wakerOf(
  { name, sender }: ForgeEvent,
  { forge, ids, robots }: { forge: ForgeConfig; ids: AccountIds; robots: readonly string[] },
): Waker {
  if (name.startsWith('ci.')) return 'robot';
  if (isOurAccount(forge, ids, sender)) return 'agent';
  // guard: court: robots by account
  if (hasLogin(forge.allowedBots, sender.login) || hasLogin(robots, sender.login)) return 'robot';
  return kitOf(forge.kind).accountOf(sender) === 'person' ? 'person' : 'robot';
}

function together(wakers: readonly Waker[]): Waker {
  if (wakers.includes('person')) return 'person';
  return wakers.includes('robot') ? 'robot' : 'agent';
}

/** When a person last lifted a hold of the court on this conversation; what was before that is forgiven. */
async function lastLift(rows: Rows, conversationId: string): Promise<number> {
  const found = await rows
    .selectFrom('holds')
    .select((e) => e.fn.max('ended_at').as('at'))
    .where('scope', '=', `conversation:${conversationId}`)
    .where('by_kind', '=', 'court')
    .where('lifted_by', 'is not', null)
    .executeTakeFirst();
  return Number(found?.at ?? 0);
}

interface Before {
  whose: (event: ForgeEvent) => Waker;
  liftedAt: number;
  most: number;
}

/** Newest first. What was cancelled had read nothing. */
async function wakersBefore(rows: Rows, { conversation, dispatch }: Leased, o: Before): Promise<Waker[]> {
  const dispatches = await rows
    .selectFrom('dispatches')
    .select('id')
    .where('conversation_id', '=', conversation.id)
    .where('id', '!=', dispatch.id)
    .where('state', 'in', ['succeeded', 'unposted', 'failed'])
    .where('ended_at', '>', o.liftedAt)
    .orderBy('seq', 'desc')
    .limit(o.most)
    .execute();
  if (dispatches.length === 0) return [];
  const found = await rows
    .selectFrom('messages as m')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .select(['m.dispatch_id', 'e.event'])
    .where('m.conversation_id', '=', conversation.id)
    .where(
      'm.dispatch_id',
      'in',
      dispatches.map(({ id }) => id),
    )
    .execute();
  const byDispatch = Map.groupBy(found, (row) => row.dispatch_id);
  return dispatches.map(({ id }) =>
    together(
      (byDispatch.get(id) ?? []).flatMap(({ event }) =>
        event === null ? [] : [o.whose(JSON.parse(event) as ForgeEvent)],
      ),
    ),
  );
}

/** By all agents, on the items of this conversation. */
async function startsOnItem(
  rows: Rows,
  { conversation, dispatch }: Leased,
  { since }: { since: number },
): Promise<number[]> {
  const found = await rows
    .selectFrom('dispatches as d')
    .select('d.started_at')
    .where('d.conversation_id', 'in', (e) =>
      e
        .selectFrom('conversation_items as other')
        .innerJoin('conversation_items as own', (join) =>
          join
            .onRef('own.forge', '=', 'other.forge')
            .onRef('own.repository_id', '=', 'other.repository_id')
            .onRef('own.number', '=', 'other.number')
            .onRef('own.kind', '=', 'other.kind'),
        )
        .select('other.conversation_id')
        .where('own.conversation_id', '=', conversation.id),
    )
    .where('d.id', '!=', dispatch.id)
    .where('d.state', 'in', ['succeeded', 'unposted', 'failed', 'running'])
    .where('d.started_at', '>', since)
    .orderBy('d.started_at')
    .execute();
  return found.map((row) => row.started_at!);
}

async function endedSince(rows: Rows, conversationId: string, liftedAt: number): Promise<boolean> {
  const found = await rows
    .selectFrom('dispatches')
    .select('id')
    .where('conversation_id', '=', conversationId)
    .where('ended_at', '>', liftedAt)
    .where('state', 'in', ['succeeded', 'unposted', 'failed'])
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}
