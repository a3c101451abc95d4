/** What waits for a person, and what a person tells agents to do: inbox, cancel, retry, fresh. */
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { Rows } from '../database/database.ts';
import type { ConversationRow } from '../database/tables.ts';
import { dismissAsk } from '../mailbox/asks.ts';
import type { CommandResult } from '../mailbox/command.ts';
import { carryOut } from '../mailbox/commands.ts';
import { count } from '../terminal-text.ts';
import { findAsk, readInbox } from '../views/inbox.ts';
import { itemOf, readReference, requireConversations } from '../views/references.ts';
import type { CommandVerb } from '../vocabulary.ts';
import { withExamples } from './examples.ts';
import { type NamedRepository, readLimit, readRepository, readWords } from './option-values.ts';
import { renderInbox } from './print/inbox.ts';
import { answer, reading, writing } from './shared.ts';

const OPERATOR = 'the operator';

export function registerPeople(program: Command): void {
  const inbox = program
    .command('inbox')
    .description('what waits for a person: questions of agents, approvals, failures; oldest first')
    .option('--close <entry>', 'close this one, because nothing more is to be done', readWords)
    .option('--by <name>', 'who closes it', readWords, OPERATOR)
    .option('--limit <number>', 'most entries to list', readLimit, 50)
    .option('--json', 'print JSON')
    .action(showInbox);
  withExamples(inbox, [
    { call: 'inbox', does: 'all that waits, and what to do about each' },
    { call: 'inbox --close 0f3b6c1e --by ada', does: 'one is not needed any more' },
  ]);
  register(program, {
    verb: 'cancel',
    says: 'stop what runs and do not begin what waits; checkout and session stay',
    example: 'stops the agents on that item within seconds',
  });
  register(program, {
    verb: 'retry',
    says: 'do again what failed or was cancelled, or go on at once with what waits for a time',
    example: 'the agents on that item try again',
  });
  register(program, {
    verb: 'fresh',
    says: 'let the next run begin a new session, without what the agent remembers; the checkout stays',
    example: 'the next run on that item remembers nothing',
  });
}

function register(
  program: Command,
  { verb, says, example }: { verb: Verb; says: string; example: string },
): void {
  const command = program
    .command(verb)
    .description(`${says}; as \`/claude ${verb}\` in a comment`)
    .argument('[conversation]', 'conversation id, or item as [forge:]owner/name#12 or its address')
    .option(
      '--repository <repository>',
      'all conversations of this one, as owner/name or forge:owner/name',
      readRepository,
    )
    .option('--all', 'all conversations')
    .option('--by <name>', 'who asks for it; agents and people are told', readWords, OPERATOR)
    .option('--json', 'print JSON')
    .action((text: string | undefined, options: Told, self: Command) =>
      tell(verb, { text, ...options }, self),
    );
  withExamples(command, [
    { call: `${verb} ada/greeter#1 --by ada`, does: example },
    { call: `${verb} --repository ada/greeter`, does: 'the same for every conversation of a repository' },
  ]);
}

type Verb = Extract<CommandVerb, 'cancel' | 'retry' | 'fresh'>;

interface Told {
  repository?: NamedRepository;
  all?: boolean;
  by: string;
}

async function showInbox(
  { close, by, limit }: { close?: string; by: string; limit: number },
  command: Command,
): Promise<void> {
  if (close !== undefined) {
    const id = await writing(command, async ({ database: { rows } }) => {
      const found = await findAsk(rows, close);
      await dismissAsk(rows, { id: found, by, now: Date.now() });
      return found;
    });
    answer(command, { closed: id, by }, () => `Entry ${id} is closed.`);
    return;
  }
  const found = await reading(command, ({ database: { rows } }) => readInbox(rows, { limit }));
  answer(command, found, renderInbox);
}

interface Result {
  conversation: string;
  /** `dev on home:ada/greeter#1` */
  is: string;
  done: boolean;
  answer: string;
}

async function tell(verb: Verb, asked: Told & { text: string | undefined }, command: Command): Promise<void> {
  const ways = [asked.text, asked.repository, asked.all].filter((way) => way !== undefined);
  if (ways.length !== 1) command.error('Name one of these: a conversation, --repository, or --all');
  const results = await writing(command, async ({ database, config }) => {
    const conversations = await named(database.rows, asked, config.forges);
    const cause = randomUUID();
    const found: Result[] = [];
    for (const [ordinal, conversation] of conversations.entries()) {
      const result = await database.transaction((tx) =>
        carryOut(tx, {
          cause,
          ordinal,
          source: 'cli',
          verb,
          word: verb,
          argument: '',
          by: asked.by,
          conversations: [conversation],
          now: Date.now(),
        }),
      );
      found.push(resultOf(conversation, result!));
    }
    return found;
  });
  answer(command, { verb, by: asked.by, results }, () => {
    const done = results.filter((one) => one.done);
    const shown = asked.text === undefined ? done : results;
    if (shown.length === 0) return `Nothing was to be done for ${count(results.length, 'conversation')}.`;
    return shown.map((one) => `${one.is}: ${one.answer}`).join('\n');
  });
}

function resultOf(conversation: ConversationRow, { done, answer: said }: CommandResult): Result {
  return {
    conversation: conversation.id,
    is: `${conversation.agent} on ${itemOf(conversation)}`,
    done,
    answer: said,
  };
}

async function named(
  rows: Rows,
  { text, repository }: Told & { text: string | undefined },
  forges: Readonly<Record<string, { url: string }>>,
): Promise<ConversationRow[]> {
  if (text !== undefined) return await requireConversations(rows, readReference(text, forges));
  let query = rows.selectFrom('conversations').selectAll().orderBy('created_at');
  if (repository !== undefined) {
    query = query.where('repository_name', '=', repository.repository);
    if (repository.forge !== null) query = query.where('forge', '=', repository.forge);
  }
  return await query.execute();
}
