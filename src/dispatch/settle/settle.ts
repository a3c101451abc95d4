/** The last step: how a dispatch ends that has no answer to publish, and what people are told of it. */
import type { RunOutcome } from '../../agent-runner/run.ts';
import { credentialScope, placeHold } from '../../mailbox/holds.ts';
import { type Cause, type FailureText, failureText } from '../../outcome/failure-texts.ts';
import { storeRun } from '../converse/announced.ts';
import { ABORT, type Dispatch, type DispatchDeps } from '../dispatch.ts';
import { tellPeople } from '../publish/publish.ts';
import type { Prepared } from '../screen/context.ts';
import { setTextsAside } from '../screen/set-aside.ts';
import { type Finished, finish, finishParked } from './ending.ts';
import { about } from './told.ts';
import type { Trouble } from './troubles.ts';
import { limitEnd, MOST_TROUBLES, outageEnd, troubleEnd } from './waits.ts';

export async function settleOutcome(
  dispatch: Prepared,
  deps: DispatchDeps,
  outcome: Exclude<RunOutcome, { kind: 'answered' }>,
): Promise<Finished> {
  switch (outcome.kind) {
    case 'capped': {
      const answer = failureText({ kind: 'capped', why: outcome.why });
      await storeRun(dispatch, deps, outcome, { answer });
      return await tellCap(dispatch, deps, { answer, why: outcome.why });
    }
    case 'limited':
      return await holdCredential(dispatch, deps, outcome);
    case 'transient':
      return await postpone(dispatch, deps, {
        why: outcome.why,
        cause: 'model',
        trouble: outcome.outage ? 'passes' : 'unknown',
      });
    case 'declined': {
      const { all } = await putAside(dispatch, deps, {
        why: outcome.reason,
        answered: false,
        isSure: true,
      });
      await tellPeople(dispatch, deps, failureText({ kind: 'declined', all }));
      const reason = `the model does not take this text, which is set aside: ${outcome.reason}`;
      return finish({ state: 'failed', reason });
    }
    case 'interrupted':
      return isLost(dispatch.signal) ? { lost: true } : await interrupted(dispatch, deps, outcome.why);
    case 'refused':
      if (outcome.suspectsText) await putAside(dispatch, deps, { why: outcome.reason, answered: false });
      await tellPeople(
        dispatch,
        deps,
        failureText(
          outcome.suspectsText
            ? { kind: 'declined', all: false }
            : { kind: 'could-not-run', cause: outcome.cause },
        ),
      );
      return finish({ state: 'failed', reason: outcome.reason });
  }
}

export async function putAside(
  dispatch: Prepared,
  deps: DispatchDeps,
  o: { why: string; answered: boolean; isSure?: boolean },
): Promise<{ all: boolean }> {
  const aside = await setTextsAside(deps.database, dispatch.lease, {
    context: dispatch.context,
    ...o,
    now: deps.now(),
  });
  deps.log.warn('text set aside, the model does not take it', {
    ...about(dispatch.lease),
    reason: o.why,
    all: aside.all,
  });
  return aside;
}

function isLost(signal: AbortSignal): boolean {
  return signal.reason === ABORT.leaseLost;
}

async function interrupted(dispatch: Dispatch, deps: DispatchDeps, why: string): Promise<Finished> {
  if (why !== ABORT.timeout) return finish({ state: 'interrupted', reason: why });
  const minutes = deps.config().worker.runTimeoutMinutes;
  await tellPeople(dispatch, deps, failureText({ kind: 'too-long', minutes }));
  return finish({ state: 'failed', reason: `${why}: ${minutes} minutes` });
}

export async function tellCap(
  dispatch: Dispatch,
  deps: DispatchDeps,
  cap: { answer: FailureText; why: string },
): Promise<Finished> {
  await tellPeople(dispatch, deps, cap.answer);
  return finish({ state: 'failed', reason: cap.why });
}

/** Holds the credential, or one model of it. A limit does not count as a failed attempt. */
async function holdCredential(
  dispatch: Dispatch,
  deps: DispatchDeps,
  limit: Extract<RunOutcome, { kind: 'limited' }>,
): Promise<Finished> {
  const { attempt: attempts, troubles } = dispatch.lease.dispatch;
  const now = deps.now();
  const until = limitEnd(limit, { earlier: attempts - 1 - troubles, now });
  const scope = credentialScope(limit.model);
  const hold = await deps.database.transaction((tx) =>
    placeHold(tx, { scope, reason: limit.why, until, by: { kind: 'limit' }, now }),
  );
  deps.log.warn(`${scope.label} is held, all that needs it waits`, {
    hold: hold.id,
    until: hold.until === null ? null : new Date(hold.until).toISOString(),
    reason: limit.why,
    dispatch: dispatch.lease.dispatch.id,
  });
  return finishParked('limit', { reason: limit.why, until, holdId: hold.id });
}

export interface Put {
  /** for the rows and the log */
  why: string;
  /** for people */
  cause: Cause;
  trouble: Trouble;
  /** seconds that the other side asked us to wait, or null */
  asked?: number | null;
}

/** Parks the dispatch for later, or fails it and tells people, if the forge can be reached. */
export async function postpone(
  dispatch: Dispatch,
  deps: DispatchDeps,
  { why, cause, trouble, asked = null }: Put,
): Promise<Finished> {
  const { troubles: earlier } = dispatch.lease.dispatch;
  const now = deps.now();
  // guard: an outage has no end
  if (trouble === 'passes') {
    const until = outageEnd({ earlier, asked, now });
    return finishParked('outage', { reason: why, until, isTrouble: true });
  }
  if (trouble === 'unknown' && earlier + 1 < MOST_TROUBLES) {
    return finishParked('trouble', { reason: why, until: troubleEnd({ earlier, now }), isTrouble: true });
  }
  const stays = trouble === 'stays';
  const text = failureText(
    stays ? { kind: 'could-not-run', cause } : { kind: 'gave-up', cause, attempts: MOST_TROUBLES },
  );
  await tellPeople(dispatch, deps, text).catch((error: unknown) =>
    deps.log.error('the failure could not be posted on the forge', { ...about(dispatch.lease), error }),
  );
  const reason = stays ? why : `${why} (after ${MOST_TROUBLES} attempts)`;
  return finish({ state: 'failed', reason });
}
