/** The rows of a run: what it was asked, before the CLI starts, and what it answered. Always written under its lease. */
import type { DispatchRun, RunOutcome } from '../../agent-runner/run.ts';
import type { BackgroundTask } from '../../agent-runner/turns.ts';
import type { Database, Rows } from '../../database/database.ts';
import type { EffectRow } from '../../database/tables.ts';
import { assertLease, type Lease, updateLeased } from '../../mailbox/leases.ts';
import { type PlannedEffect, planEffect } from '../../outcome/effects.ts';
import { recordTurn } from '../../sessions/record.ts';
import { verifySession } from '../../sessions.ts';
import type { ConversationView } from '../../vocabulary.ts';
import type { DispatchDeps } from '../dispatch.ts';
import type { Prepared } from '../screen/context.ts';
import { withSeen } from '../seen-items.ts';
import type { Versions } from './versions.ts';

/** Commits what is about to be sent, before the CLI is spawned: after a crash it says what may be in the transcript. */
export async function announceRun(
  database: Database,
  lease: Lease,
  start: Omit<Parameters<DispatchRun['announce']>[0], 'form'> & {
    carried: string[];
    checkout: { headSha: string; branch: string | null } | null;
    versions?: Versions;
  },
): Promise<void> {
  await updateLeased(database.rows, lease, {
    session_id: start.sessionId,
    continuity: start.continuity,
    history_messages: start.history,
    ...(start.prompt === ''
      ? {}
      : {
          prompt: start.prompt,
          background: null,
          ...(start.versions === undefined ? {} : { versions: JSON.stringify(start.versions) }),
          carried: JSON.stringify(start.carried),
          commit_sha: beginningOf(start.checkout, lease.dispatch.commit_sha),
        }),
  });
}

/** The run that begins is the new session that somebody asked for. */
export async function freshIsDone(rows: Rows, conversationId: string): Promise<void> {
  await rows
    .updateTable('conversations')
    .set({ fresh_asked: null })
    .where('id', '=', conversationId)
    .execute();
}

/** On a branch the first attempt's commit counts, because a later one may find its commits; a pull request is read anew. */
function beginningOf(
  checkout: { headSha: string; branch: string | null } | null,
  earlier: string | null,
): string | null {
  if (checkout === null) return null;
  return checkout.branch === null ? checkout.headSha : (earlier ?? checkout.headSha);
}

/** What the run has left in the background: an answer that is heard while something is there is not its last word. */
export async function noteBackground(
  database: Database,
  lease: Lease,
  tasks: readonly BackgroundTask[],
): Promise<void> {
  const background = tasks.length === 0 ? null : JSON.stringify(tasks);
  await updateLeased(database.rows, lease, { background });
}

type Answered = Extract<RunOutcome, { kind: 'answered' | 'capped' }>;

/** The answer, its usage and the proof that its session can be resumed: one transaction. */
export async function storeAnswer(
  database: Database,
  lease: Lease,
  stored: {
    outcome: Answered;
    answer: string;
    snapshot: string;
    branch: string | null;
    /** what the answer does to the forge first; null = nothing that is known yet */
    effect?: PlannedEffect | null;
    now: number;
  },
): Promise<EffectRow | null> {
  const { outcome, effect = null } = stored;
  return await database.transaction(async (tx) => {
    await assertLease(tx, lease, stored.branch === null ? {} : { branch: stored.branch });
    await tx
      .updateTable('dispatches')
      .set({
        answer: stored.answer,
        ending: outcome.kind === 'capped' ? outcome.why : 'answered',
        turns: outcome.turns,
        usage: JSON.stringify(outcome.usage),
        model: outcome.model.name,
        former_model: outcome.model.former,
        snapshot: stored.snapshot,
      })
      .where('id', '=', lease.dispatch.id)
      .execute();
    if (outcome.verified !== null) await verifySession(tx, { ...outcome.verified, now: stored.now });
    await recordTurn(tx, {
      dispatchId: lease.dispatch.id,
      conversationId: lease.conversation.id,
      kind: 'answer',
      content: stored.answer,
      uuid: outcome.verified?.head ?? null,
      now: stored.now,
    });
    return effect === null ? null : await planEffect(tx, effect, stored.now);
  });
}

export async function conversationView(database: Database, lease: Lease): Promise<ConversationView> {
  const { count } = await database.rows
    .selectFrom('dispatches')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('conversation_id', '=', lease.conversation.id)
    .where('state', 'in', ['succeeded', 'unposted'])
    .executeTakeFirstOrThrow();
  return {
    exists: true,
    dispatches: Number(count),
    branch: lease.conversation.branch,
    itemNumber: lease.conversation.item_number,
  };
}

export async function storeRun(
  dispatch: Prepared,
  deps: DispatchDeps,
  outcome: Extract<RunOutcome, { kind: 'answered' | 'capped' }>,
  { answer, effect = null }: { answer: string; effect?: PlannedEffect | null },
): Promise<EffectRow | null> {
  return await storeAnswer(deps.database, dispatch.lease, {
    outcome,
    answer,
    snapshot: seenAfter(dispatch),
    branch: dispatch.place.branch?.name ?? null,
    effect,
    now: deps.now(),
  });
}

/** What the agent has seen of each item once this run has answered. */
export function seenAfter({ lease, context, later = [] }: Prepared): string {
  return withSeen(lease.conversation.seen, [context, ...context.elsewhere, ...later]);
}
