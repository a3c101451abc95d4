/** Breaks lines that other robots take for commands ("/merge", "bors r+"). Pure. */
import { BREAK } from './closing-keywords.ts';

/** A command may be indented, quoted, or in a list. */
const LINE_START = String.raw`^([^\S\r\n\u2028\u2029]*(?:>[^\S\r\n\u2028\u2029]*)*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)`;

/** `/word`, but not a path such as /etc/hosts, where a slash or a dot follows. */
const SLASH = new RegExp(String.raw`${LINE_START}\/(?=[A-Za-z][A-Za-z0-9_-]*(?![\w./-]))`, 'gmu');

/**
 * What bors, Atlantis, Zuul, Jenkins and bots that count approvals obey without a slash: `recheck` must be the whole
 * line.
 */
const WORDS = new RegExp(
  String.raw`${LINE_START}(?=(?:bors|atlantis)[ \t]+\S|(?:recheck|reverify|(?:re)?test this please|retest|lgtm|ok to test|add to whitelist)[^\p{L}\p{N}\r\n\u200d]*$)([a-z])`,
  'gimu',
);

/** Doing it twice changes nothing. */
export function breakCommands(text: string): string {
  // guard: outgoing: commands
  return text.replace(SLASH, `$1/${BREAK}`).replace(WORDS, `$1$2${BREAK}`);
}
