/** The prompt as it is sent: what is known of a lost session, that a run was cut off, and what to do. Pure. */
import type { PreparedSession } from '../sessions/apply.ts';
import type { PromptPicture } from './live-input.ts';
import type { DispatchRun, PromptForm, PromptTexts } from './run.ts';

export interface ComposedPrompt {
  /** as it is sent */
  text: string;
  /** what was asked, alone: the record keeps this, and a preamble made of it does not stand in the next one again */
  asked: string;
  form: PromptForm;
  pictures: readonly PromptPicture[];
}

/** A new session is told everything, one that goes on only what is new, one that was cut off that it was. */
export function composePrompt(
  dispatch: Pick<DispatchRun, 'prompt' | 'pictures' | 'followUp'>,
  prepared: PreparedSession,
  texts: PromptTexts,
): ComposedPrompt {
  const form = formOf(prepared);
  const asked = dispatch.prompt(form, texts);
  const cutOff = dispatch.followUp === true ? null : cutOffNote(prepared);
  const parts = [prepared.preamble, cutOff, asked];
  return {
    text: parts.filter((p) => p !== null).join('\n\n'),
    asked,
    form,
    pictures: dispatch.pictures?.(form, texts) ?? [],
  };
}

export function formOf(prepared: Pick<PreparedSession, 'start' | 'preamble'>): PromptForm {
  return prepared.start === 'resume' || prepared.preamble !== null ? 'short' : 'full';
}

const CUT_OFF =
  'You were cut off: your last run here was stopped before it ended. Some of what you did may have happened without you ' +
  'seeing the result, and a call that was refused at the end was refused by the stop, not by a person. Check what is ' +
  'really there (git status, git log) before you repeat anything, then go on.';

/** Calls that the history may not show are named: the model would otherwise make them again, unknowing. */
function cutOffNote(prepared: PreparedSession): string | null {
  const isMidTurn = prepared.tail.kind === 'mid-turn';
  if (!isMidTurn && prepared.begun.length === 0) return null;
  // In mid-turn the history ends somewhere in these calls, at most one short of the last.
  const unseen = isMidTurn ? prepared.begun.slice(-1) : prepared.begun;
  const list = unseen.map((call) => `- ${call}`).join('\n');
  return list === '' ? CUT_OFF : `${CUT_OFF}\n\nBegun, and perhaps not in your history:\n${list}`;
}
