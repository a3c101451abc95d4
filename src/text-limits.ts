/**
 * How many characters of other people's texts are read. The limits stand in one place, so that no step relies on
 * another to have cut. Reading such texts delays `/healthz` and all other conversations, so whatever reads one must be
 * linear and bounded.
 */

/** Longer texts are cut where they enter: no step reads the rest. The forge's pages show all of it. */
export const LONGEST_TEXT = 256 * 1024;

/** For texts on their way into a prompt or a tool's answer; the rest is not shown. */
export const LONGEST_TO_SHOW = 64 * 1024;

/** Mentions beyond this do not wake an agent. */
export const LONGEST_FOR_MENTIONS = 32 * 1024;

/** For posted answers: nobody reads more, and a forge may refuse it. The record has the whole. */
export const LONGEST_TO_POST = 60_000;

/** For titles and for names of branches, labels and jobs. */
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
