/** Commands in a comment: `/claude hold` at the start of a line, in the author's own words. Pure. */
import { ownWords } from '../mentions.ts';
import { beginningOf, LONGEST_FOR_MENTIONS } from '../text-limits.ts';
import { COMMAND_VERBS, type CommandVerb } from '../vocabulary.ts';

export interface WrittenCommand {
  /** null = a word that is none of ours */
  verb: CommandVerb | null;
  /** as it was written */
  word: string;
  /** the rest of its line; of `say`, of the comment as well */
  argument: string;
}

export interface WrittenCommands {
  commands: WrittenCommand[];
  /** the comment says more than its commands, so that flows see it as any other */
  saysMore: boolean;
}

const COMMAND = /^\/claude(?:[ \t]+(\S+))?(?:[ \t]+(.*))?$/;
/** A comment is a few lines; more commands than this are no person's. */
const MOST_COMMANDS = 5;

export function commandsIn(text: string): WrittenCommands {
  const NONE = { commands: [], saysMore: true };
  if (!text.includes('/claude')) return NONE;
  const beginning = beginningOf(text, LONGEST_FOR_MENTIONS);
  // guard: commands: quotes and code command nothing
  const own = new Set(linesOf(ownWords(beginning)).filter((line) => COMMAND.test(line)));
  const commands: WrittenCommand[] = [];
  let isSaying = false;
  let saysMore = false;
  for (const line of linesOf(beginning)) {
    const match = own.has(line) ? COMMAND.exec(line) : null;
    if (match !== null && commands.length < MOST_COMMANDS) {
      const command = commandOf(match);
      commands.push(command);
      isSaying = command.verb === 'say';
    } else if (isSaying) {
      const saying = commands.at(-1)!;
      saying.argument += `\n${line}`;
    } else if (line.trim() !== '') saysMore = true;
  }
  for (const command of commands) command.argument = command.argument.trim();
  return commands.length === 0 ? NONE : { commands, saysMore };
}

function commandOf(match: RegExpExecArray): WrittenCommand {
  const word = match[1] ?? '';
  const verb = COMMAND_VERBS.find((known) => known === word.toLowerCase()) ?? null;
  return { verb, word, argument: (match[2] ?? '').trim() };
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).map((line) => line.trimEnd());
}
