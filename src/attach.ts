/**
 * A person at a conversation's own session: lease → checkout → doors and terminal → hand back. Beside a running service,
 * or without one; what arrives meanwhile waits for the next dispatch, whose history has what was said.
 */
import { type AttachDeps, type AttachRequest, atTerminal, type Left } from './attach/at-terminal.ts';
import { recordAttach, recordLeft } from './attach/audited.ts';
import { holdLease } from './attach/hold-lease.ts';
import { whyBusy } from './attach/refusals.ts';
import { beginDispatch } from './dispatch/dispatch.ts';
import { Hint } from './dispatch/hint.ts';
import { AlreadyRunning, LeaseLost, NotFound } from './errors.ts';
import { endAttached, leaseForAttach } from './mailbox/attaching.ts';
import type { Lease } from './mailbox/leases.ts';
import { recordSaid } from './sessions/record.ts';
import { currentSession, verifySession } from './sessions.ts';

export type { AttachDeps, AttachRequest } from './attach/at-terminal.ts';

export interface Attached {
  dispatch: string;
  session: string;
  /** what was typed to the agent, and what it called */
  prompts: number;
  calls: number;
  /** sentences for whoever was there */
  sentences: string[];
  /** of the CLI; 0 also where it was stopped in order */
  exitCode: number;
}

/** Throws NotFound without a session, AlreadyRunning beside a run, and what the forge, git or the engine throw. */
export async function attach(request: AttachRequest, deps: AttachDeps): Promise<Attached> {
  const { conversation } = request;
  const session = await currentSession(deps.database.rows, conversation.id);
  if (session === null || session.head === null) {
    throw new NotFound(
      'This conversation has no session yet: its agent has not answered in it. Attach after its first answer; `claude-hooks conversations` shows when that is.',
    );
  }
  const answer = await leaseForAttach(deps.database, {
    conversationId: conversation.id,
    worker: request.worker,
    by: request.by,
    now: deps.now(),
    leaseMs: request.leaseMs,
  });
  if (answer.kind === 'running') throw new AlreadyRunning(whyBusy(answer.dispatch, request.reference));
  return await underLeaseOf(answer.lease, request, deps);
}

async function underLeaseOf(lease: Lease, request: AttachRequest, deps: AttachDeps): Promise<Attached> {
  const held = holdLease(lease, deps, request);
  let left: Left | null = null;
  let reason = 'it could not begin';
  try {
    const dispatch = beginDispatch(lease, deps, { signal: held.signal, routed: new Hint() });
    if (typeof dispatch === 'string') throw new NotFound(`${dispatch}.`);
    await recordAttach(dispatch, deps, request.by);
    left = await atTerminal(dispatch, deps, request);
    reason = `${request.by} was at its terminal`;
    const { said, sessionId } = left.outcome;
    return {
      dispatch: lease.dispatch.id,
      session: sessionId,
      prompts: said.filter(({ kind }) => kind === 'prompt').length,
      calls: said.filter(({ kind }) => kind === 'tool').length,
      sentences: [...held.sentences(), ...left.sentences],
      exitCode: exitCodeOf(left, held.signal),
    };
  } finally {
    held.stop();
    await handBack(lease, deps, { left, reason });
  }
}

/** The last step: what was said is in the record and the session is verified, in the transaction that frees the conversation. */
async function handBack(
  lease: Lease,
  deps: AttachDeps,
  { left, reason }: { left: Left | null; reason: string },
): Promise<void> {
  const said = left?.outcome.said ?? [];
  const key = { dispatchId: lease.dispatch.id, conversationId: lease.conversation.id };
  try {
    await endAttached(deps.database, lease, {
      reason,
      turns: said.filter(({ kind }) => kind === 'prompt').length,
      now: deps.now(),
      also: async (tx) => {
        await recordSaid(tx, { ...key, said, by: lease.dispatch.attached_by!, now: deps.now() });
        const verified = left?.outcome.verified ?? null;
        // guard: attach: the next run goes on from here
        if (verified !== null) await verifySession(tx, { ...verified, now: deps.now() });
        await recordLeft(tx, lease, { said, now: deps.now() });
      },
    });
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    deps.log.warn(
      'The lease was lost while you were attached, so the service went on without you. What you said last may not be in the next run’s history.',
    );
  }
}

function exitCodeOf({ outcome }: Left, signal: AbortSignal): number {
  if (signal.aborted) return 1;
  return outcome.exitCode ?? 1;
}
