/**
 * Finds and breaks the words by which a forge closes or opens an issue ("Closes #5"). Forges differ, and a word that is
 * missed takes effect with our account's rights, so more is looked for than any forge acts on. Pure.
 *
 * Code is broken, too: a forge may look for the word before an address in the raw text, and no forge knows code in a
 * title or a commit message.
 */

/** The words that forges know by default. */
const USUAL = ['close[sd]?', 'fix(?:e[sd])?', 'resolve[sd]?', 'reopen(?:s|ed)?', 're-open(?:s|ed)?'];

/**
 * An invisible character; no forge takes a word that stands before it for a keyword. The same one is used in mentions.
 */
export const BREAK = '\u200d';

/**
 * What may stand between the word and the issue it names: signs and spaces, also as HTML. The break may not, so that a
 * broken word stays as it is. Bounded: a text of signs alone would be read once for each word in it.
 */
const GAP =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each code point is meant alone
  /(?:<\/?[a-z][^<>:]{0,100}>|<!--[^<>]{0,100}-->|(?!&(?:#0*3[35]|#x0*2[13]|num|excl);)&#?\w{1,8};|&(?!#?\w{1,8};)|[#!](?!\d)|[^\p{L}\p{N}\u200d#!&]){1,64}/iuy;

const NAMES_A_NUMBER = /(?:[#!]|&(?:#0*3[35]|#x0*2[13]|num|excl);)(\d+)/iuy;
const NAMES_ELSEWHERE =
  /(?:[\w.-]{1,100}\/[\w.-]{1,100}[#!]\d|GH-\d|(?:https?:)?[^\s()<>"'[\]]{0,1000}\/(?:issues|pulls?|merge_requests)\/\d)/iuy;
/** `[any words](address)`; the bracket is part of the gap. */
const LINKS_TO = /[^[]{0,2000}?\]?\(<?[^\s()<>]{0,1000}\/(?:issues|pulls?|merge_requests)\/\d/iuy;

export interface Closing {
  /** number of the issue that may be closed; null = none may be */
  own: number | null;
  /** words besides the default ones, as the forge's administrator has set them */
  keywords: readonly string[];
}

/** Each word that would close or open an issue other than its own, in order. */
function closingWords(text: string, { own, keywords }: Closing): { at: number; end: number }[] {
  const words = [...USUAL, ...keywords.map(escaped)].join('|');
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${words})(?![\\p{L}\\p{N}])`, 'giu');
  const found: { at: number; end: number }[] = [];
  for (const match of text.matchAll(pattern)) {
    const end = match.index + match[0].length;
    const gap = matchAt(GAP, text, end);
    if (gap !== null && namesAnother(text, { gap: gap[0], at: end + gap[0].length, own })) {
      found.push({ at: match.index, end });
    }
  }
  return found;
}

function namesAnother(text: string, o: { gap: string; at: number; own: number | null }): boolean {
  const number = matchAt(NAMES_A_NUMBER, text, o.at);
  // guard: outgoing: only the own issue
  if (number !== null) return number[1] !== String(o.own);
  if (matchAt(NAMES_ELSEWHERE, text, o.at) !== null) return true;
  return o.gap.includes('[') && matchAt(LINKS_TO, text, o.at) !== null;
}

/** The text with a break behind each such word. Doing it twice changes nothing. */
export function breakClosing(text: string, closing: Closing): string {
  let from = 0;
  let broken = '';
  for (const { end } of closingWords(text, closing)) {
    // guard: outgoing: closing words
    broken += text.slice(from, end) + BREAK;
    from = end;
  }
  return broken + text.slice(from);
}

const SHOWN = 60;

/** The first place that would close another issue, as a few words to quote; null = there is none. */
export function firstClosing(text: string, closing: Closing): string | null {
  const [first] = closingWords(text, closing);
  if (first === undefined) return null;
  return text
    .slice(first.at, first.at + SHOWN)
    .replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim();
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function escaped(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
