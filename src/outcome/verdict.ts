/**
 * The verdict of a review, read from the reviewer's answer. An approval merges things, so only the bare word counts, on
 * the first line of the answer: a verdict with a condition is none, and its whole text stays for people to read. Pure.
 */
import type { ReviewVerdict } from '../vocabulary.ts';

export type ReadVerdict =
  /** `body` is the answer without the verdict's line */
  | { kind: 'given'; verdict: ReviewVerdict; body: string }
  /** there is a verdict's line, and it does not say one thing only; `why` is a sentence for people */
  | { kind: 'unclear'; why: string; body: string }
  | { kind: 'missing'; body: string };

export function readVerdict(answer: string): ReadVerdict {
  const lines = linesOutsideQuotes(answer);
  const [first] = lines;
  const line = first === undefined ? null : verdictOf(first.text);
  if (first === undefined || line === null) return { kind: 'missing', body: answer };
  if (line === 'other') return { kind: 'unclear', why: MORE_THAN_THE_WORD, body: answer };
  const others = lines.slice(1).map((other) => verdictOf(other.text));
  // guard: truth: verdicts that differ are none
  if (others.some((other) => other !== null && other !== line)) {
    return { kind: 'unclear', why: DIFFERENT_ONES, body: answer };
  }
  return { kind: 'given', verdict: line, body: answer.slice(first.end).trim() };
}

const MORE_THAN_THE_WORD =
  'This is a comment and no verdict: the line with the verdict says more than the bare word, so it may be a condition.';
const DIFFERENT_ONES =
  'This is a comment and no verdict: the review has several lines with a verdict, and they differ.';

/** Asked in the same session when an answer has none; `MISSING` is said under an answer that has none even then. */
export const ASK_FOR_VERDICT = `Your last answer is not posted yet: its first line is no verdict, and a review needs one. Answer now with one of these lines and nothing else:

Verdict: approve
Verdict: request-changes
Verdict: comment

Your last answer is posted below it as it is. A verdict with a condition is none: if something has to change first, it is request-changes.`;
export const MISSING =
  'This is a comment and no verdict: the review has no line that gives one. Ask again for a review to get a verdict.';

/** The first answer with the verdict of the second one, and with what else the second one says. */
export function withVerdict(answer: string, asked: string): string {
  const read = readVerdict(asked);
  if (read.kind === 'missing') return answer;
  const line = read.kind === 'given' ? `Verdict: ${WORDS[read.verdict]}\n\n` : '';
  return `${line}${[answer.trim(), read.body].filter((part) => part !== '').join('\n\n')}`;
}

const WORDS: Record<ReviewVerdict, string> = {
  approved: 'approve',
  changes_requested: 'request-changes',
  commented: 'comment',
};

const EXACT: readonly [RegExp, ReviewVerdict][] = [
  [/^approved?$/, 'approved'],
  [/^(request[-_ ]changes|changes[-_ ]requested)$/, 'changes_requested'],
  [/^comment(ed)?$/, 'commented'],
];

/** null = no verdict's line; `other` = one that says anything but the bare word */
function verdictOf(line: string): ReviewVerdict | 'other' | null {
  const [, said] = /^verdict\s*:(.*)$/.exec(undecorated(line)) ?? [];
  if (said === undefined) return null;
  const word = said.trim();
  // guard: truth: only the bare word is a verdict
  return EXACT.find(([form]) => form.test(word))?.[1] ?? 'other';
}

/** Without heading marks and emphasis. Struck-out words keep their marks, so they are no verdict. */
function undecorated(line: string): string {
  const text = line
    .trim()
    .replace(/^#{1,6}\s+/, '')
    .replace(/\s+#+$/, '');
  // An underscore inside a word is a part of it.
  return text
    .replace(/[*`]/g, '')
    .replace(/(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu, '')
    .toLowerCase()
    .trim();
}

interface Line {
  text: string;
  /** where the next line begins */
  end: number;
}

/** Lines that can hold a verdict: not quotes and not code, which are others' words or examples; not empty. */
function linesOutsideQuotes(answer: string): Line[] {
  const found: Line[] = [];
  let fence: string | null = null;
  let end = 0;
  for (const text of answer.split('\n')) {
    end += text.length + 1;
    const [, mark] = /^ {0,3}(`{3,}|~{3,})/.exec(text) ?? [];
    if (fence !== null) {
      if (mark?.startsWith(fence)) fence = null;
      continue;
    }
    if (mark !== undefined) fence = mark;
    else if (text.trim() !== '' && /^\s*>/.test(text)) continue;
    if (text.trim() !== '') found.push({ text, end });
  }
  return found;
}
