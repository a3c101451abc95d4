/** A review without a verdict: the reviewer is asked for it once, in the session in which it has just answered. */
import type { DispatchRun, RunOutcome } from '../../agent-runner/run.ts';
import { ASK_FOR_VERDICT, readVerdict, withVerdict } from '../../outcome/verdict.ts';

type Answered = Extract<RunOutcome, { kind: 'answered' }>;

export interface VerdictQuestion {
  run: DispatchRun;
  outcome: RunOutcome;
  /** commits the first answer with the proof of its session: a crash while asking publishes it as it is */
  store: (outcome: Answered) => Promise<void>;
  again: (run: DispatchRun) => Promise<RunOutcome>;
}

/** If the question fails, the first answer is published. */
export async function askForVerdict(question: VerdictQuestion): Promise<RunOutcome> {
  const { run, outcome, store, again } = question;
  if (outcome.kind !== 'answered' || readVerdict(outcome.answer).kind !== 'missing') return outcome;
  // Without a verified transcript there is no session in which to ask.
  if (outcome.verified === null || run.signal.aborted) return outcome;
  await store(outcome);
  const asked = await again({
    ...run,
    policy: 'resume',
    retried: false,
    followUp: true,
    prompt: () => ASK_FOR_VERDICT,
    pictures: () => [],
  });
  if (asked.kind !== 'answered') return outcome;
  return {
    ...asked,
    answer: withVerdict(outcome.answer, asked.answer),
    adopted: outcome.adopted,
    continuity: outcome.continuity,
    reason: outcome.reason,
    turns: outcome.turns + asked.turns,
  };
}
