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

/** What the incident calls by a code, in words for people; what is not here is left to the operator. */
const WHY_REBUILT: readonly [RegExp, string][] = [
  [/^disk-/, 'its file was lost or damaged'],
  [/^resume-failed$/, 'it could not be opened any more'],
  [/^prompt-too-long$/, 'it had become longer than the model can read'],
  [/^history-refused$/, 'the model refused something in it'],
];

/** The continuity receipt: one line on the item whenever the history had to be rebuilt. `reason`: the incident's code. */
export function continuityReceipt(continuity: Continuity, reason: string): string[] {
  if (continuity !== 'rebuilt') return [];
  const why = WHY_REBUILT.find(([code]) => code.test(reason))?.[1];
  return [
    `Please note: my memory of the work here could not be brought back${why === undefined ? '' : ` (${why})`}. ` +
      'I have built it anew from the record of what was asked, done and answered here; I may lack details of what I saw on the way.',
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
