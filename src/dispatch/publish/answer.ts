/** The fourth step: an answer is stored, and then published; also one that was stored before the service died. */
import type { RunOutcome } from '../../agent-runner/run.ts';
import { faultPoint } from '../../faults.ts';
import { isLastAnswered, unpostedSentence } from '../../mailbox/unposted.ts';
import { failureText } from '../../outcome/failure-texts.ts';
import { type Publication, type Published, pushEffect, unpostedReason } from '../../outcome.ts';
import { seenAfter, storeRun } from '../converse/announced.ts';
import type { Dispatch, DispatchDeps } from '../dispatch.ts';
import { gatherAnswered } from '../gather/gather.ts';
import type { Prepared } from '../screen/context.ts';
import { unscreened } from '../screen/screen.ts';
import type { Finished } from '../settle/ending.ts';
import { putAside, tellCap } from '../settle/settle.ts';
import { checkPromises, type ProgressMade } from './promised.ts';
import { publish } from './publish.ts';

export async function publishAnswer(
  dispatch: Prepared,
  deps: DispatchDeps,
  outcome: Extract<RunOutcome, { kind: 'answered' }>,
): Promise<Finished> {
  faultPoint('run.verified');
  // An empty comment would look as if nobody had answered.
  const words = outcome.answer.trim() === '' ? 'Finished without a written answer.' : outcome.answer;
  const said = [
    ...(outcome.aside === null ? [] : [failureText({ kind: 'not-read' })]),
    // guard: background: what was cut is said
    ...leftBehind(outcome, deps),
  ];
  const answer = [words, ...said].join('\n\n');
  if (outcome.aside !== null) await putAside(dispatch, deps, { why: outcome.aside, answered: true });
  const { branch } = dispatch.place;
  const effect =
    branch === null || dispatch.agent.publish !== 'pull-request' ? null : pushEffect(dispatch.key, branch);
  const planned = await storeRun(dispatch, deps, outcome, { answer, effect });
  faultPoint('answer.stored');
  const published = await publish(dispatch, deps, {
    answer,
    continuity: outcome.continuity,
    continuityReason: outcome.reason,
    model: outcome.model,
    isLive: !outcome.adopted,
    planned,
    messages: outcome.adopted ? carriedBefore(dispatch) : dispatch.messages,
  });
  const messages = outcome.adopted ? carriedBefore(dispatch) : dispatch.messages;
  const hasWords = outcome.answer.trim() !== '';
  const { joined } = dispatch.place;
  const progress = await checkPromises(dispatch, deps, { published, messages, hasWords, joined });
  return answered(dispatch, { adopted: outcome.adopted, published, progress });
}

function leftBehind(
  { leftBehind: { length: count } }: Pick<Extract<RunOutcome, { kind: 'answered' }>, 'leftBehind'>,
  { config, log }: DispatchDeps,
): string[] {
  if (count === 0) return [];
  const seconds = config().worker.backgroundSeconds;
  log.warn('work in the background did not end in time and was stopped', { tasks: count, seconds });
  const minutes = Math.max(1, Math.round(seconds / 60));
  return [failureText({ kind: 'left-behind', count, minutes })];
}

/** The messages that an answer from before a crash was given to; later ones are not answered by it. */
function carriedBefore({ lease, messages }: Prepared): Prepared['messages'] {
  const carried = lease.previous?.carried ?? [];
  return messages.filter(({ id }) => carried.includes(id));
}

/** Messages that were not in the answered prompt (they came while the service was down) go on waiting. */
function answered(
  dispatch: Prepared,
  { adopted, published, progress }: { adopted: boolean; published: Published; progress: ProgressMade | null },
): Finished {
  const { lease } = dispatch;
  const refusal = unpostedReason(published);
  const carried = adopted ? (lease.previous?.carried ?? []) : lease.messages.map((m) => m.id);
  const unanswered = lease.messages.map((m) => m.id).filter((id) => !carried.includes(id));
  const seen = seenAfter(dispatch);
  return {
    settlement:
      refusal === null
        ? { state: 'succeeded' }
        : { state: 'unposted', reason: unpostedSentence(lease.dispatch.id, refusal) },
    // Comments that were not in the answered prompt must be new to the next one.
    seen: unanswered.length > 0 ? lease.conversation.seen : seen,
    unanswered,
    // An answer that was refused is posted later, and counted then.
    progress: refusal === null || progress?.made === true ? progress : null,
  };
}

/** The service died between the answer and its publication: publish it, and do not run again. */
export async function publishStoredAnswer(
  leased: Dispatch,
  deps: DispatchDeps,
  answer: string,
): Promise<Finished> {
  const dispatch = unscreened(await gatherAnswered(leased, deps), deps);
  const { lease } = dispatch;
  const { continuity, session_id, ending, model, former_model: former } = lease.dispatch;
  if (ending !== null && ending !== 'answered') {
    return await tellCap(dispatch, deps, {
      answer: failureText({ kind: 'capped', why: ending }),
      why: ending,
    });
  }
  const published = await publish(dispatch, deps, {
    answer,
    continuity: (continuity ?? 'resumed') as Publication['continuity'],
    continuityReason: `session ${session_id ?? 'unknown'}`,
    model: { name: model, former },
    isLive: false,
    planned: null,
    messages: carriedBefore(dispatch),
  });
  const messages = carriedBefore(dispatch);
  const { joined } = dispatch.place;
  const promised = { published, messages, hasWords: answer.trim() !== '', joined };
  const progress = await checkPromises(dispatch, deps, promised);
  const finished = answered(dispatch, { adopted: true, published, progress });
  // An answer that is posted late must not reset what later runs have seen.
  const seen = (await isLastAnswered(deps.database.rows, lease.dispatch)) ? lease.dispatch.snapshot : null;
  return 'lost' in finished ? finished : { ...finished, seen };
}
