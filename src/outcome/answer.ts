/** The agent's final answer to the text that is posted. Pure. */
import type { Continuity, ReviewVerdict } from '../vocabulary.ts';

export interface PostedAnswer {
  answer: string;
  /** sentences of ours under the answer: what could not be pushed, that continuity broke */
  notes: string[];
  marker: string;
}

export function postedText({ answer, notes, marker }: PostedAnswer): string {
  const parts = [unmarked(answer), ...notes.map((n) => `> ${n}`)];
  return `${parts.filter((p) => p !== '').join('\n\n')}\n\n${marker}`;
}

/** What a model wrote, without marks of ours. What it may say is seen to by `outgoing-forge.ts`, for all that leaves. */
export function unmarked(text: string): string {
  return withoutMarkers(text).trim();
}

/**
 * The model may have read our marks in a comment; one that it repeats would pass for an effect of ours. Again until
 * nothing is found, because one inside another leaves a third.
 */
function withoutMarkers(text: string): string {
  const cleaned = text.replaceAll(/<!--\s*claude-hooks(?:(?!<!--)[\s\S])*?-->/g, '');
  return cleaned === text ? text : withoutMarkers(cleaned);
}

/** The continuity receipt: one line on the item whenever the history had to be rebuilt. */
export function continuityReceipt(continuity: Continuity, reason: string): string[] {
  if (continuity !== 'rebuilt') return [];
  return [
    `Continuity receipt: the earlier session of this conversation could not be resumed (${reason}). ` +
      'It was rebuilt from the record of what was asked, done and answered here; details of tool output may be missing.',
  ];
}

const VERDICT_LINE =
  /^\s*\**verdict:?\**:?\s*\**(approved?|request[-_ ]changes|changes[-_ ]requested|comment(?:ed)?)\b[^\n]*\n?/i;

/** A reviewer's answer begins with `Verdict: approve|request-changes|comment`; without it, it is a comment. */
export function parseVerdict(answer: string): { verdict: ReviewVerdict; body: string } {
  const match = VERDICT_LINE.exec(answer);
  if (match === null) return { verdict: 'commented', body: answer };
  const word = match[1]!.toLowerCase();
  const verdict = word.startsWith('approve')
    ? 'approved'
    : word.startsWith('comment')
      ? 'commented'
      : 'changes_requested';
  return { verdict, body: answer.slice(match[0].length).trim() };
}
