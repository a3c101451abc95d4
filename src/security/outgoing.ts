/**
 * What leaves through us in our accounts' names does nothing on the forge besides being read: it calls nobody, closes
 * and opens no other issue, and is no command to another robot. Pure; doing it twice changes nothing.
 */
import { splitMarkdown } from '../mentions.ts';
import { neutraliseAllMentions, neutraliseMentions } from '../security.ts';
import { breakCommands } from './bot-commands.ts';
import { breakClosing, type Closing } from './closing-keywords.ts';

export interface OutgoingRules extends Closing {
  /**
   * The words may be a stranger's: commands and mentions in what looks like code are broken, too, because many robots
   * read raw text. Otherwise code stays good for copying.
   */
  strict: boolean;
}

/** A description, a comment, a review: Markdown. */
export function outgoingBody(text: string, rules: OutgoingRules): string {
  // guard: outgoing: code after a stranger's words
  if (rules.strict) return breakClosing(breakCommands(neutraliseAllMentions(text)), rules);
  // guard: tool mentions
  const parts = splitMarkdown(neutraliseMentions(text));
  const quiet = parts.map((part) => (part.prose ? breakCommands(part.text) : part.text));
  return breakClosing(quiet.join(''), rules);
}

/** The forges take 255 characters, and answer an error for more. */
const LONGEST_TITLE = 250;

/** A title, a status: one line, in which no forge knows code. */
export function outgoingTitle(text: string, rules: OutgoingRules): string {
  const line = text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
  return cut(breakClosing(breakCommands(neutraliseAllMentions(line)), rules));
}

/** Between whole characters: half of one is no text that a forge would take. */
function cut(title: string): string {
  if (title.length <= LONGEST_TITLE) return title;
  return `${title.slice(0, LONGEST_TITLE - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
