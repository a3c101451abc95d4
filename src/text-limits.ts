/**
 * How much of a text by other people is looked at, in characters. One place, so that no step trusts another to have cut.
 * Work on such texts happens beside `/healthz` and all other conversations: whatever reads one is linear and bounded.
 */

/** A text longer than this is cut where it enters: no step reads what stands behind. The forges' pages show it all. */
export const LONGEST_TEXT = 256 * 1024;

/** Of a text on its way into a prompt or an answer of a tool: nothing behind this is read for what it shows. */
export const LONGEST_TO_SHOW = 64 * 1024;

/** Mentions behind this do not wake an agent. */
export const LONGEST_FOR_MENTIONS = 32 * 1024;

/** Of an answer that is posted: more is read by nobody, and a forge may not take it. The record has the whole. */
export const LONGEST_TO_POST = 60_000;

/** Titles, names of branches, labels and jobs. */
export const LONGEST_LINE = 1024;

/** The beginning of a text, without half a character at its end. */
export function beginningOf(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return text.slice(0, isHighSurrogate(text, longest - 1) ? longest - 1 : longest);
}

/** The end of a text, without half a character at its beginning. */
export function endOf(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const start = text.length - longest;
  return text.slice(isHighSurrogate(text, start - 1) ? start + 1 : start);
}

function isHighSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xd800 && code <= 0xdbff;
}
