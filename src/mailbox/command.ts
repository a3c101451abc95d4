/** What a command is, and what comes of it. */
import type { ConversationRow } from '../database/tables.ts';
import type { CommandVerb } from '../vocabulary.ts';

export interface Commanded {
  /** the event it came with, or an id of the command line; with `ordinal` it is done once */
  cause: string;
  ordinal: number;
  source: 'forge' | 'cli';
  /** null = a word that is no command */
  verb: CommandVerb | null;
  word: string;
  argument: string;
  /** login on the forge, or the name given on the command line */
  by: string;
  conversations: readonly ConversationRow[];
  now: number;
}

export interface CommandResult {
  done: boolean;
  /** for people; where `done` and nothing was asked, a reaction says enough */
  answer: string;
  /** the answer is what was asked for */
  isAsked: boolean;
}

export interface ActOn extends Commanded {
  conversation: ConversationRow;
}
