/**
 * One dispatch from its lease to its settlement, as the steps it takes:
 * gather → screen → set up → converse → publish → settle.
 */
import { heldBeforeRun } from './dispatch/before-run.ts';
import { type Conversed, converse } from './dispatch/converse/converse.ts';
import { stopWithdrawn } from './dispatch/converse/recall.ts';
import { putBack } from './dispatch/converse/steering-files.ts';
import { type Attempt, beginDispatch, type Dispatch, type DispatchDeps } from './dispatch/dispatch.ts';
import { type GatherResult, gather } from './dispatch/gather/gather.ts';
import { publishAnswer, publishStoredAnswer } from './dispatch/publish/answer.ts';
import { tellPeople } from './dispatch/publish/publish.ts';
import { screen } from './dispatch/screen/screen.ts';
import { withoutStale } from './dispatch/screen/stale.ts';
import { withSetUp } from './dispatch/set-up/set-up.ts';
import { type Finished, finish, finishParked } from './dispatch/settle/ending.ts';
import { postpone, settleOutcome } from './dispatch/settle/settle.ts';
import { about, tellEnd } from './dispatch/settle/told.ts';
import { troubleOf } from './dispatch/settle/troubles.ts';
import { ForgeUnavailable, LeaseLost } from './errors.ts';
import { faultPoint } from './faults.ts';
import type { Lease } from './mailbox/leases.ts';
import { settleDispatch } from './mailbox/settlement.ts';
import { causeOf, failureText } from './outcome/failure-texts.ts';

export async function runDispatch(lease: Lease, deps: DispatchDeps, attempt: Attempt): Promise<void> {
  const finished = await carryOut(lease, deps, attempt);
  if ('lost' in finished) {
    deps.log.warn('dispatch lost its lease to another worker, nothing is written', about(lease));
    return;
  }
  faultPoint('settle.begun');
  try {
    await settleDispatch(deps.database, lease, { ...finished, now: deps.now() });
    faultPoint('settle.committed');
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    deps.log.warn(error.message, about(lease));
    return;
  }
  await tellEnd(deps, lease, finished);
}

async function carryOut(lease: Lease, deps: DispatchDeps, attempt: Attempt): Promise<Finished> {
  if (lease.messages.length === 0 && lease.previous?.answer == null) {
    return finish({ state: 'cancelled', reason: 'every message was withdrawn before it was read' });
  }
  // An attempt that died had been told to stop.
  const { stop_asked: stopped } = lease.dispatch;
  // guard: commands: cancel outlives a crash
  if (stopped !== null) return finish({ state: 'cancelled', reason: stopped });
  const dispatch = beginDispatch(lease, deps, attempt);
  if (typeof dispatch === 'string') return finish({ state: 'failed', reason: dispatch });
  try {
    return await takeSteps(dispatch, deps);
  } catch (error) {
    return await afterError(dispatch, deps, error);
  }
}

async function takeSteps(dispatch: Dispatch, deps: DispatchDeps): Promise<Finished> {
  const nobody = await withoutIdentity(dispatch, deps);
  if (nobody !== null) return nobody;
  const held = await heldBeforeRun(dispatch.lease, deps);
  if (held !== null) return held;
  // guard: steering: put back before the next run
  await putBack(dispatch, deps);
  const stored = dispatch.lease.previous?.answer;
  if (stored != null) return await publishStoredAnswer(dispatch, deps, stored);
  const gathered = await gather(dispatch, deps);
  faultPoint('context.gathered');
  if (gathered.kind !== 'ready') return await endBeforeRun(dispatch, deps, gathered);
  const prepared = withoutStale(await screen(gathered.dispatch, deps));
  if (prepared.context.leading === null) return finish({ state: 'cancelled', reason: ALL_READ });
  const conversed = await withSetUp(prepared, deps, (equipped) => converse(equipped, deps));
  const finished = await afterRun(conversed, deps);
  if ('lost' in finished) return finished;
  return { ...finished, unanswered: [...finished.unanswered, ...conversed.unheard] };
}

async function afterRun({ dispatch, outcome, withdrawn }: Conversed, deps: DispatchDeps): Promise<Finished> {
  if (withdrawn !== null) return await stopWithdrawn(dispatch, deps, withdrawn);
  if (outcome.kind === 'answered') return await publishAnswer(dispatch, deps, outcome);
  return await settleOutcome(dispatch, deps, outcome);
}

const ALL_READ = 'all it was woken for has been read already, or is no longer so';

/** An agent acts only as who the configuration says it is; until a person has mended its token, it waits. */
async function withoutIdentity({ forge, agent }: Dispatch, deps: DispatchDeps): Promise<Finished | null> {
  const identity = await deps.trust.identityOf(forge.config.name, agent.name);
  if (identity.kind === 'ok' || identity.kind === 'assumed') return null;
  if (identity.kind === 'unavailable') throw new ForgeUnavailable(identity.reason);
  return finishParked('identity', { reason: identity.reason, until: deps.now() + IDENTITY_AGAIN_MS });
}

/** Trust asks the forge again after this long; a park that ends earlier would only ask our own memory. */
const IDENTITY_AGAIN_MS = 60_000;

/** Nothing may run now. Whoever may wake the agent is told why; of others' events nobody is. */
async function endBeforeRun(
  dispatch: Dispatch,
  deps: DispatchDeps,
  ended: Exclude<GatherResult, { kind: 'ready' }>,
): Promise<Finished> {
  const { reason } = ended;
  if (ended.kind === 'early') {
    return finishParked('ci', { reason, until: deps.now() + CI_AGAIN_MS, isAttempt: false });
  }
  // People have seen it begin, or will look for what it began: an earlier attempt had got as far as its prompt.
  const hasBegun = dispatch.lease.previous?.prompt != null;
  if (ended.withdrawn && hasBegun) {
    await tellPeople(dispatch, deps, failureText({ kind: 'stopped', why: reason }));
  }
  if (ended.tell) await tellPeople(dispatch, deps, failureText({ kind: 'not-run', why: reason }));
  return finish({ state: 'cancelled', reason });
}

/** Forges do not tell when a commit's last run is over. */
const CI_AGAIN_MS = 10_000;

/** Reactions by class: later, never, or not ours any more. */
async function afterError(dispatch: Dispatch, deps: DispatchDeps, error: unknown): Promise<Finished> {
  if (error instanceof LeaseLost) return { lost: true };
  const reason = error instanceof Error ? error.message : String(error);
  const trouble = troubleOf(error);
  // Of other trouble the end of the dispatch says all there is.
  if (trouble === 'unknown') {
    const { stack } = error as Error;
    deps.log.error('unexpected error in a dispatch; report it with this stack', {
      ...about(dispatch.lease),
      reason,
      stack,
    });
  }
  const asked = error instanceof ForgeUnavailable ? error.retryAfterSeconds : null;
  return await postpone(dispatch, deps, { why: reason, cause: causeOf(error), trouble, asked });
}
