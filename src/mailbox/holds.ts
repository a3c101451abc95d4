/**
 * Holds: what may not run for now. A hold has a scope, a reason, an end or none, and who set it. Messages are still taken
 * in and their order is kept; a run in progress goes on.
 */
import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely';
import type { Rows } from '../database/database.ts';
import type { ConversationRow, HoldRow, Tables } from '../database/tables.ts';
import type { HoldKind, HoldSetter } from '../vocabulary.ts';

export interface HoldScope {
  kind: HoldKind;
  /** as in the column `scope` */
  key: string;
  /** for people */
  label: string;
}

export type HoldBy = { kind: 'person'; name: string } | { kind: Exclude<HoldSetter, 'person'> };

export type Hold = Omit<HoldRow, 'seq' | 'ended_at' | 'lifted_by'>;

export interface NewHold {
  scope: HoldScope;
  reason: string;
  /** null = until somebody lifts it */
  until: number | null;
  by: HoldBy;
  now: number;
}

export const EVERYTHING: HoldScope = { kind: 'all', key: 'all', label: 'everything' };

const CREDENTIAL = 'credential:model';

/** null = the whole credential; a family covers every model whose name contains its word: `opus` covers `opus[1m]` */
export function credentialScope(model: string | null): HoldScope {
  return model === null
    ? { kind: 'credential', key: CREDENTIAL, label: 'model credential' }
    : { kind: 'credential', key: `${CREDENTIAL}:${model}`, label: `model ${model}` };
}

export function agentScope(agent: string): HoldScope {
  return { kind: 'agent', key: `agent:${agent}`, label: `agent ${agent}` };
}

type OfRepository = Pick<ConversationRow, 'forge' | 'repository_id' | 'repository_name'>;

export function repositoryScope(of: OfRepository): HoldScope {
  const key = `repository:${of.forge}/${of.repository_id}`;
  return { kind: 'repository', key, label: `repository ${of.forge}:${of.repository_name}` };
}

type OfConversation = OfRepository & Pick<ConversationRow, 'id' | 'agent' | 'item_number'>;

export function conversationScope(of: OfConversation): HoldScope {
  const label = `${of.agent} on ${of.forge}:${of.repository_name}#${of.item_number}`;
  return { kind: 'conversation', key: `conversation:${of.id}`, label };
}

/** Whether this hold of a credential holds up an agent of this model. */
export function holdsModel({ scope }: Pick<Hold, 'scope'>, model: string | null): boolean {
  // guard: a limit of one model
  if (scope === CREDENTIAL || model === null) return scope === CREDENTIAL;
  if (!scope.startsWith(`${CREDENTIAL}:`)) return false;
  const held = scope.slice(CREDENTIAL.length + 1).toLowerCase();
  return /^[a-z]+$/.test(held) ? model.toLowerCase().includes(held) : model.toLowerCase() === held;
}

export interface HoldTarget extends Pick<ConversationRow, 'id' | 'agent' | 'forge' | 'repository_id'> {
  /** null = not known; then only holds of the whole credential count */
  model: string | null;
}

/** Those of `holds` that hold this conversation up. Pure. */
export function holdsOf<T extends Pick<Hold, 'scope' | 'kind'>>(
  holds: readonly T[],
  target: HoldTarget,
): T[] {
  const keys = new Set([
    EVERYTHING.key,
    `agent:${target.agent}`,
    `repository:${target.forge}/${target.repository_id}`,
    `conversation:${target.id}`,
  ]);
  return holds.filter((hold) =>
    hold.kind === 'credential' ? holdsModel(hold, target.model) : keys.has(hold.scope),
  );
}

/**
 * One hold for each scope and setter. A person's newest word counts; of the service's own the longer hold wins: a run
 * that began before a usage limit may end after it, with a shorter wait. Answers the hold that is in force now.
 */
export async function placeHold(tx: Rows, { scope, reason, until, by, now }: NewHold): Promise<Hold> {
  await endOver(tx, now, scope.key);
  const name = by.kind === 'person' ? by.name : null;
  const placed = await tx
    .insertInto('holds')
    .values({
      id: crypto.randomUUID(),
      scope: scope.key,
      kind: scope.kind,
      label: scope.label,
      reason,
      by_kind: by.kind,
      by_name: name,
      at: now,
      until,
      ended_at: null,
      lifted_by: null,
    })
    .onConflict((c) =>
      c
        .columns(['scope', 'by_kind'])
        .where('ended_at', 'is', null)
        .doUpdateSet({ reason, until, at: now, by_name: name, label: scope.label })
        .where((e) => (by.kind === 'person' ? sql<SqlBool>`1 = 1` : isShorter(e, until))),
    )
    .returningAll()
    .executeTakeFirst();
  return placed ?? (await inForce(tx, scope.key, by.kind));
}

function isShorter(
  e: ExpressionBuilder<Tables, 'holds'>,
  until: number | null,
): ExpressionWrapper<Tables, 'holds', SqlBool> {
  const ends = e('holds.until', 'is not', null);
  return until === null ? ends : e.and([ends, e('holds.until', '<', until)]);
}

async function inForce(tx: Rows, scope: string, by: HoldSetter): Promise<Hold> {
  return await tx
    .selectFrom('holds')
    .selectAll()
    .where('scope', '=', scope)
    .where('by_kind', '=', by)
    .where('ended_at', 'is', null)
    .executeTakeFirstOrThrow();
}

export type Lift = { by: HoldBy; now: number } & ({ id: string } | { scope: Pick<HoldScope, 'key'> });

export interface Lifted {
  lifted: Hold[];
  /** they stay: a person or the court set them, and only a person lifts those */
  kept: Hold[];
}

/** A dispatch that one of them had put off is due at once. */
export async function liftHold(tx: Rows, lift: Lift): Promise<Lifted> {
  const found = await tx
    .selectFrom('holds')
    .selectAll()
    .where('ended_at', 'is', null)
    .where((e) => ('id' in lift ? e('id', '=', lift.id) : e('scope', '=', lift.scope.key)))
    .where((e) => e.or([e('until', 'is', null), e('until', '>', lift.now)]))
    .orderBy('seq')
    .execute();
  const kept = found.filter((hold) => !mayLift(lift.by, hold));
  const lifted: Hold[] = [];
  for (const hold of found.filter((one) => !kept.includes(one))) {
    const { numUpdatedRows } = await tx
      .updateTable('holds')
      .set({ ended_at: lift.now, lifted_by: lift.by.kind === 'person' ? lift.by.name : lift.by.kind })
      .where('id', '=', hold.id)
      .where('ended_at', 'is', null)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows !== 1n) continue;
    await makeDue(tx, hold.id, lift.now);
    lifted.push(hold);
  }
  return { lifted, kept };
}

// guard: only a person lifts a pause
function mayLift(by: HoldBy, hold: Pick<Hold, 'by_kind'>): boolean {
  return by.kind === 'person' || (by.kind === hold.by_kind && by.kind !== 'court');
}

async function makeDue(tx: Rows, holdId: string, now: number): Promise<void> {
  await tx
    .updateTable('dispatches')
    .set({ due_at: now, hold_id: null })
    .where('hold_id', '=', holdId)
    .where('state', '=', 'parked')
    .where('due_at', '>', now)
    .execute();
}

/** All that are in force, oldest first. There are few; a sort in the statement would read all there ever were. */
export async function currentHolds(rows: Rows, now: number): Promise<Hold[]> {
  const found = await rows
    .selectFrom('holds')
    .selectAll()
    .where('ended_at', 'is', null)
    .where((e) => e.or([e('until', 'is', null), e('until', '>', now)]))
    .execute();
  return found.toSorted((a, b) => a.seq - b.seq);
}

/** Those that hold up this conversation, oldest first. */
export async function holdsOn(rows: Rows, target: HoldTarget, now: number): Promise<Hold[]> {
  return holdsOf(await currentHolds(rows, now), target);
}

/** Notes the ends that time has brought, and answers each of these holds to one caller only, for the log. */
export async function endHolds(rows: Rows, now: number): Promise<Hold[]> {
  // A statement that writes costs SQLite a sync of the disk, and there is seldom anything to write.
  const over = await rows
    .selectFrom('holds')
    .select('id')
    .where('ended_at', 'is', null)
    .where('until', '<=', now)
    .limit(1)
    .executeTakeFirst();
  return over === undefined ? [] : await endOver(rows, now, null);
}

async function endOver(rows: Rows, now: number, scope: string | null): Promise<Hold[]> {
  let query = rows
    .updateTable('holds')
    .set((e) => ({ ended_at: e.ref('until') }))
    .where('ended_at', 'is', null)
    .where('until', '<=', now);
  if (scope !== null) query = query.where('scope', '=', scope);
  return await query.returningAll().execute();
}

/** For `leaseConversation`: the conversations `c` and dispatches `d` that nothing holds up. */
export function isFree(now: number, heldAgents: readonly string[]) {
  const held = heldAgents.length === 0 ? [''] : [...heldAgents];
  return sql<SqlBool>`not exists (
    select 1 from holds h
    where h.ended_at is null and (h.until is null or h.until > ${now})
      and h.scope in ('all', 'agent:' || d.agent, 'repository:' || c.forge || '/' || c.repository_id, 'conversation:' || c.id)
  ) and d.agent not in (${sql.join(held)})`;
}
