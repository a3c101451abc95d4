/**
 * Work waits for what it depends on. Before a conversation begins an issue, the forge is asked what blocks it; while something
 * is open, a hold keeps the run from beginning, and a row says what it waits for. When the last of it is closed the hold is
 * lifted, and the run begins as it was routed.
 */

import type { Database } from './database/database.ts';
import type { DependencyWaitRow } from './database/feedback-tables.ts';
import type { DependenciesDeps } from './dependencies/deps.ts';
import { lookAtStacks } from './dependencies/stacked.ts';
import { type BlockedBy, keyOf, nameOf, readBlockers } from './dependencies/standing.ts';
import { ForgeRefused, isForgesAnswer } from './errors.ts';
import { closeAsks, openAsk } from './mailbox/asks.ts';
import { WAITS_FOR_ITSELF } from './mailbox/command-holds.ts';
import { conversationScope, type Hold, liftHold, placeHold } from './mailbox/holds.ts';
import type { Lease } from './mailbox/leases.ts';
import { planNotice } from './mailbox/notices.ts';
import { endWait, findWait, keepWait, lookAgainAt, openWaits } from './mailbox/waits.ts';
import type { ForgeEvent } from './vocabulary.ts';

export interface Dependencies {
  /** the hold that keeps this run from beginning; null = it may begin */
  startHeld(lease: Pick<Lease, 'conversation' | 'dispatch' | 'messages'>): Promise<Hold | null>;
  /** Looks at what waits and is due. Answers how many may begin now, and when the next look is due (null = never). */
  look(): Promise<{ freed: number; next: number | null }>;
}

/** What was closed between the forge's answer and the row was told to nobody. */
const FIRST_LOOK_MS = 2000;

/** A look without a hint: what closed it may have been told by nobody. */
const LOOK_AGAIN_MS = 300_000;

/** These begin work; whoever only asks something is answered. */
const BEGINS: ReadonlySet<string> = new Set(['issue.assigned', 'issue.labeled']);

export function createDependencies(deps: DependenciesDeps): Dependencies {
  return {
    startHeld: async (lease) => {
      if (!(await isBeginning(deps, lease))) return null;
      const standing = await ask(deps, placeOf(lease));
      if (standing === null || standing.blockers.length === 0) return null;
      return await holdUp(deps, lease, standing);
    },
    look: async () => {
      const waits = await lookAtWaits(deps);
      const stacked = await lookAtStacks(deps);
      const times = [waits.next, stacked.next].filter((time) => time !== null);
      return { freed: waits.freed + stacked.told, next: times.length === 0 ? null : Math.min(...times) };
    },
  };
}

/** Of what is not due nothing is asked: this is called after each delivery. */
async function lookAtWaits(deps: DependenciesDeps): Promise<{ freed: number; next: number | null }> {
  let waits = await openWaits(deps.database.rows);
  const due = waits.filter(({ look_at }) => Number(look_at) <= deps.now());
  let freed = 0;
  for (const wait of due) if (await lookAt(deps, wait)) freed += 1;
  if (due.length > 0) waits = await openWaits(deps.database.rows);
  return { freed, next: waits[0] === undefined ? null : Number(waits[0].look_at) };
}

interface Place {
  forge: string;
  agent: string;
  repository: { id: string; fullName: string };
  number: number;
}

function placeOf({ conversation: c }: Pick<Lease, 'conversation'>): Place {
  return {
    forge: c.forge,
    agent: c.agent,
    repository: { id: c.repository_id, fullName: c.repository_name },
    number: c.item_number,
  };
}

async function isBeginning(
  { database }: DependenciesDeps,
  { conversation, messages }: Parameters<Dependencies['startHeld']>[0],
): Promise<boolean> {
  if (conversation.item_kind !== 'issue') return false;
  if (!messages.some(({ event }) => BEGINS.has((JSON.parse(event) as ForgeEvent).name))) return false;
  const { rows } = database;
  const wait = await findWait(rows, conversation.id);
  // guard: dependencies: what a person says counts
  if (wait !== undefined && (await isLiftedByPerson(rows, wait))) return false;
  // Work that has begun goes on, whatever is written into its issue later.
  const worked = await rows
    .selectFrom('dispatches')
    .select('id')
    .where('conversation_id', '=', conversation.id)
    .where('state', 'in', ['succeeded', 'unposted'])
    .limit(1)
    .executeTakeFirst();
  return worked === undefined;
}

async function isLiftedByPerson(rows: Database['rows'], { hold_id }: DependencyWaitRow): Promise<boolean> {
  const hold = await rows
    .selectFrom('holds')
    .select('lifted_by')
    .where('id', '=', hold_id)
    .executeTakeFirst();
  return hold?.lifted_by != null && hold.lifted_by !== 'dependency';
}

/** null: the forge or the agent is not configured any more, or the forge does not tell */
async function ask(deps: DependenciesDeps, place: Place): Promise<BlockedBy | null> {
  const forge = deps.config().forges[place.forge];
  if (forge?.accounts[place.agent] === undefined) return null;
  try {
    return await readBlockers(deps.client(forge, place.agent), place, forge.url);
  } catch (error) {
    if (error instanceof ForgeRefused) return null;
    throw error;
  }
}

async function holdUp(
  deps: DependenciesDeps,
  { conversation, dispatch }: Pick<Lease, 'conversation' | 'dispatch'>,
  standing: BlockedBy,
): Promise<Hold> {
  const place = placeOf({ conversation });
  const now = deps.now();
  const reason = reasonOf(standing, place);
  const scope = conversationScope(conversation);
  const hold = await deps.database.transaction(async (tx) => {
    const by = { kind: 'dependency' } as const;
    const placed = await placeHold(tx, { scope, reason, until: null, by, now });
    await keepWait(tx, {
      ...waitOf(place, standing),
      conversationId: conversation.id,
      holdId: placed.id,
      lookAt: now + FIRST_LOOK_MS,
      now,
    });
    await tellCycle(tx, { place, standing, now });
    if (standing.cycle !== null) {
      const key = `cycle:${conversation.id}:${cycleKey(standing.cycle)}`;
      await openAsk(tx, {
        key,
        kind: 'stuck',
        conversation,
        dispatchId: dispatch.id,
        text: `${reason}.`,
        now,
      });
    }
    return placed;
  });
  deps.log.info(`${scope.label} ${reason}`, { hold: hold.id, dispatch: dispatch.id });
  return hold;
}

function waitOf(place: Place, { blockers, cycle }: BlockedBy) {
  const { forge, agent, repository, number } = place;
  // Of a cycle each edge counts: whichever is taken away ends it.
  const items = [...blockers, ...(cycle ?? [])];
  const awaited = [...new Map(items.map((item) => [keyOf(item), item])).values()].map((item) => ({
    repository: item.repository.fullName,
    number: item.number,
  }));
  return { forge, agent, repository, number, awaited, isCycle: cycle !== null };
}

/** True when it may begin now. */
async function lookAt(deps: DependenciesDeps, wait: DependencyWaitRow): Promise<boolean> {
  const place = {
    forge: wait.forge,
    agent: wait.agent,
    repository: { id: wait.repository_id, fullName: wait.repository_name },
    number: wait.number,
  };
  try {
    if (await isLiftedByPerson(deps.database.rows, wait)) return await release(deps, wait, place);
    const standing = await ask(deps, place);
    // guard: dependencies: the last blocker is waited for
    if (standing === null || standing.blockers.length === 0) return await release(deps, wait, place);
    await renew(deps, wait, { place, standing });
  } catch (error) {
    if (!isForgesAnswer(error)) throw error;
    deps.log.warn(`what ${wait.repository_name}#${wait.number} waits for is not known: ${error.message}`);
    await lookAgainAt(deps.database.rows, wait, deps.now() + LOOK_AGAIN_MS);
  }
  return false;
}

async function renew(
  deps: DependenciesDeps,
  wait: DependencyWaitRow,
  { place, standing }: { place: Place; standing: BlockedBy },
): Promise<void> {
  const now = deps.now();
  const fresh = waitOf(place, standing);
  await deps.database.transaction(async (tx) => {
    if (JSON.stringify(fresh.awaited) !== wait.awaited) {
      await tx
        .updateTable('holds')
        .set({ reason: reasonOf(standing, place) })
        .where('id', '=', wait.hold_id)
        .execute();
      await tellCycle(tx, { place, standing, now });
    }
    const { conversation_id: conversationId, hold_id: holdId } = wait;
    const isBroken = wait.cycle === 1 && standing.cycle === null;
    if (isBroken) await closeAsks(tx, { conversationId, kinds: ['stuck'], by: 'the forge', now });
    await keepWait(tx, { ...fresh, conversationId, holdId, lookAt: now + LOOK_AGAIN_MS, now });
  });
}

async function release(deps: DependenciesDeps, wait: DependencyWaitRow, place: Place): Promise<boolean> {
  const now = deps.now();
  const isFreed = await deps.database.transaction(async (tx) => {
    if (!(await endWait(tx, wait.conversation_id, now))) return false;
    await liftHold(tx, { id: wait.hold_id, by: { kind: 'dependency' }, now });
    await closeAsks(tx, { conversationId: wait.conversation_id, kinds: ['stuck'], by: 'the forge', now });
    return true;
  });
  if (isFreed) deps.log.info(`${place.repository.fullName}#${place.number} waits for nothing any more`);
  return isFreed;
}

/** What waits is told by the status comment of its dispatch, as every hold is; of a cycle there is one comment that stays. */
async function tellCycle(
  tx: Database['rows'],
  { place, standing, now }: { place: Place; standing: BlockedBy; now: number },
): Promise<void> {
  if (standing.cycle === null) return;
  const { forge, agent, repository, number } = place;
  // Whichever of its items is told of, the words are the same, so that the comment stays as it is.
  const told = { ...standing, cycle: fromFirst(standing.cycle) };
  const notice = {
    // guard: dependencies: a cycle is told once
    key: `cycle:${forge}:${cycleKey(standing.cycle)}`,
    kind: 'comment',
    forge,
    repository,
    number,
    agent,
    target: { on: 'item' },
    dispatchId: null,
    wanted: `I do not begin: this ${reasonOf(told, place)}.`,
    closed: true,
  } as const;
  await planNotice(tx, notice, now);
}

/** A clause for people: `waits for #3 and #4`. */
function reasonOf({ blockers, cycle }: BlockedBy, { repository }: Place): string {
  const names = (items: BlockedBy['blockers']) => items.map((item) => nameOf(item, repository.fullName));
  if (cycle === null) return `waits for ${listed([...new Set(names(blockers))])}`;
  const way = [...names(cycle), names(cycle)[0]];
  return `${WAITS_FOR_ITSELF} (${way.join(' waits for ')}); take one of these out`;
}

function listed(names: readonly string[]): string {
  const last = names.at(-1)!;
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}

function fromFirst(cycle: BlockedBy['blockers']): BlockedBy['blockers'] {
  const keys = cycle.map(keyOf);
  const first = keys.indexOf(keys.toSorted()[0]!);
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}

/** The same cycle, whichever of its items found it. */
function cycleKey(cycle: BlockedBy['blockers']): string {
  return cycle.map(keyOf).toSorted().join('+');
}
