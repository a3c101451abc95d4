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

/** What a model wrote, without copies of our marks. `outgoing-forge.ts` filters everything else that leaves. */
export function unmarked(text: string): string {
  const most = beginningOf(text, LONGEST_TO_POST);
  const cut = most.length < text.length ? `\n\n(cut here: ${text.length - most.length} more characters)` : '';
  return `${withoutMarkers(most).trim()}${cut}`;
}

/** Removing one mark can join its surroundings into another, so it is repeated. Ordinary texts need one pass. */
const MOST_PASSES = 4;

/** The model may copy one of our marks from a comment; such a copy would be taken for an effect of ours. */
function withoutMarkers(text: string): string {
  let cleaned = text;
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    const before = cleaned;
    cleaned = before.replaceAll(/<!--\s*claude-hooks(?:(?!<!--)[\s\S])*?-->/g, '');
    // guard: copied marks
    if (cleaned === before) return cleaned;
  }
  // Only a text made for it gets here (marks nested as deep as the text is long): all comments are removed from it.
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

/** One line when the conversation went on with another model, because its style and cost may differ. */
export function modelReceipt({ name, former }: { name: string | null; former: string | null }): string[] {
  if (name === null || former === null) return [];
  return [
    `Model receipt: this answer is by ${plainName(name)}; what was answered here before was by ${plainName(former)}.`,
  ];
}

/** The name comes from the model's server and is shown in a sentence of ours, so it is checked. */
function plainName(model: string): string {
  return model.replace(/[^\w.:/-]/g, '?').slice(0, 80);
}
