/**
 * Texts that we post from our accounts must only be read: they notify nobody, close and open no other issue, and
 * command no other robot. Pure; doing it twice changes nothing.
 */
import { splitMarkdown } from '../mentions.ts';
import { neutraliseAllMentions, neutraliseMentions } from '../security.ts';
import { breakCommands } from './bot-commands.ts';
import { breakClosing, type Closing } from './closing-keywords.ts';

export interface OutgoingRules extends Closing {
  /**
   * The words may come from a stranger, and many robots read raw text: so commands and mentions are broken in code,
   * too. Apart from that, code stays as it is, so that it can be copied.
   */
  strict: boolean;
}

/** For descriptions, comments and reviews: Markdown. */
export function outgoingBody(text: string, rules: OutgoingRules): string {
  // guard: outgoing: code after a stranger's words
  if (rules.strict) return breakClosing(breakCommands(neutraliseAllMentions(text)), rules);
  // guard: tool mentions
  const parts = splitMarkdown(neutraliseMentions(text));
  const quiet = parts.map((part) => (part.prose ? breakCommands(part.text) : part.text));
  return breakClosing(quiet.join(''), rules);
}

/** The forges take 255 characters, and answer longer ones with an error. */
const LONGEST_TITLE = 250;

/** For titles and statuses: one line, in which no forge looks for code. */
export function outgoingTitle(text: string, rules: OutgoingRules): string {
  const line = text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
  return cut(breakClosing(breakCommands(neutraliseAllMentions(line)), rules));
}

/** Cut between whole characters: no forge would take half of one. */
function cut(title: string): string {
  if (title.length <= LONGEST_TITLE) return title;
  return `${title.slice(0, LONGEST_TITLE - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
