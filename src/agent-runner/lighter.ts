/**
 * The model does not take a request: is the prompt at fault, or the history? Before a session is given up, it is asked
 * again with less of what people wrote, then without it. If that is refused as well, the history is at fault.
 */
import type { PreparedSession } from '../sessions/apply.ts';
import { formOf } from './compose.ts';
import type { Ending } from './ending.ts';
import type { DispatchRun, PromptTexts } from './run.ts';

/** Characters. Shortening a prompt by less is not worth another request. */
const WORTH_CUTTING = 2_000;

/** Only a history has these: a prompt has no signature, and no call without its result. */
const ABOUT_HISTORY = /signature|thinking|tool_use|tool_result/i;

export interface Refused {
  ending: Extract<Ending, { kind: 'too-long' | 'history-refused' | 'rejected' }>;
  /** how much the refused prompt had */
  texts: PromptTexts;
  /** the session would be given up now */
  isLast: boolean;
}

/** What to ask the same session next; null: the prompt is not the cause, or there is nothing to take from it. */
export function lighterTexts(
  dispatch: Pick<DispatchRun, 'prompt'>,
  prepared: PreparedSession,
  { ending, texts, isLast }: Refused,
): PromptTexts | null {
  if (texts === 'aside') return null;
  const form = formOf(prepared);
  const length = (of: PromptTexts) => dispatch.prompt(form, of).length;
  if (ending.kind === 'too-long') {
    if (texts !== 'small' && length('whole') - length('small') > WORTH_CUTTING) return 'small';
    // A new session without the texts knows nothing of its task.
    // guard: the prompt before the session
    return prepared.start === 'resume' && isDifferent(dispatch, prepared) ? 'aside' : null;
  }
  if (!isLast || !isDifferent(dispatch, prepared)) return null;
  return ending.kind === 'history-refused' && ABOUT_HISTORY.test(ending.detail) ? null : 'aside';
}

/**
 * Whether the same is asked once more without its pictures: a picture that the model's side cannot read, or that makes the
 * request too large, is refused in words that name the history as well.
 */
export function isWithoutPictures(
  dispatch: Pick<DispatchRun, 'pictures'>,
  prepared: PreparedSession,
  { ending, texts }: { ending: Ending; texts: PromptTexts },
): boolean {
  const isSuspect =
    ending.kind === 'too-long' ||
    ending.kind === 'history-refused' ||
    (ending.kind === 'rejected' && ending.suspectsText);
  if (texts !== 'whole' || !isSuspect) return false;
  // guard: pictures: a refused one is not sent again
  return (dispatch.pictures?.(formOf(prepared), 'whole').length ?? 0) > 0;
}

function isDifferent(dispatch: Pick<DispatchRun, 'prompt'>, prepared: PreparedSession): boolean {
  const form = formOf(prepared);
  return dispatch.prompt(form, 'aside') !== dispatch.prompt(form, 'whole');
}
