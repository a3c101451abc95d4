/** The agent's final answer to the text that is posted. Pure. */
import { beginningOf, LONGEST_TO_POST } from '../text-limits.ts';
import type { Continuity } from '../vocabulary.ts';

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
  const most = beginningOf(text, LONGEST_TO_POST);
  const cut = most.length < text.length ? `\n\n(cut here: ${text.length - most.length} more characters)` : '';
  return `${withoutMarkers(most).trim()}${cut}`;
}

/** Taking out one mark may join what stood around it to another one; honest texts are done after the first pass. */
const MOST_PASSES = 4;

/** The model may have read our marks in a comment; one that it repeats would pass for an effect of ours. */
function withoutMarkers(text: string): string {
  let cleaned = text;
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    const before = cleaned;
    cleaned = before.replaceAll(/<!--\s*claude-hooks(?:(?!<!--)[\s\S])*?-->/g, '');
    // guard: copied marks
    if (cleaned === before) return cleaned;
  }
  // Only a text built for it comes here: marks in marks, as deep as the text is long. Without this it has no marks.
  // guard: texts: marks in marks
  return cleaned.replaceAll('<!--', '&lt;!--');
}

/** The continuity receipt: one line on the item whenever the history had to be rebuilt. */
export function continuityReceipt(continuity: Continuity, reason: string): string[] {
  if (continuity !== 'rebuilt') return [];
  return [
    `Continuity receipt: the earlier session of this conversation could not be resumed (${reason}). ` +
      'It was rebuilt from the record of what was asked, done and answered here; details of tool output may be missing.',
  ];
}

/** One line whenever the conversation went on with another model: its words may read differently, and cost differently. */
export function modelReceipt({ name, former }: { name: string | null; former: string | null }): string[] {
  if (name === null || former === null) return [];
  return [
    `Model receipt: this answer is by ${plainName(name)}; what was answered here before was by ${plainName(former)}.`,
  ];
}

/** It comes from the model's side, and stands in our own sentence. */
function plainName(model: string): string {
  return model.replace(/[^\w.:/-]/g, '?').slice(0, 80);
}
