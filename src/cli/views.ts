/** Commands that answer: explain, deliveries, conversations, audit. They read beside a running service. */
import { type Command, Option } from 'commander';
import { readAudit } from '../views/audit.ts';
import { listConversations } from '../views/conversation-list.ts';
import { describeConversation } from '../views/conversations.ts';
import { DELIVERY_STATES, listDeliveries } from '../views/deliveries.ts';
import { readDoors } from '../views/doors.ts';
import { explain } from '../views/explain-item.ts';
import { readReference } from '../views/references.ts';
import { listStuck } from '../views/stuck.ts';
import type { DeliveryState } from '../vocabulary.ts';
import { withExamples } from './examples.ts';
import { type NamedRepository, readLimit, readRepository, readSince } from './option-values.ts';
import { renderAudit } from './print/audit.ts';
import { renderConversations, renderDescriptions } from './print/conversations.ts';
import { renderDeliveries } from './print/deliveries.ts';
import { renderDoors } from './print/doors.ts';
import { renderExplained } from './print/explanation.ts';
import { renderStuck } from './print/stuck.ts';
import { answer, reading } from './shared.ts';

const ITEM = 'item as [forge:]owner/name#12 or its address on the forge';
/** commander does not parse defaults, so this has the type that the parser answers. */
const LIMIT = 50;

export function registerViews(program: Command): void {
  registerDeliveries(program);
  registerConversations(program);
}

function registerDeliveries(program: Command): void {
  const explained = program
    .command('explain')
    .description('why a delivery did, or did not, make an agent run; or all that came about one item')
    .argument(
      '<delivery-or-item>',
      `delivery id (ours or the forge’s, or the beginning of it), ${ITEM}, or the id of a conversation`,
    )
    .option('--limit <number>', 'of an item: most deliveries to list', readLimit, LIMIT)
    .option('--json', 'print JSON')
    .action(explainOne);
  withExamples(explained, [
    { call: 'explain 0f3b6c1e', does: 'one delivery: every flow, and why it took the event or not' },
    { call: 'explain ada/greeter#12', does: 'every delivery about an item, and what followed from each' },
    { call: 'explain https://forge.example.org/ada/greeter/pulls/13', does: 'the same by its address' },
  ]);
  const list = program
    .command('deliveries')
    .description('what the forges sent, newest first')
    .option(
      '--repository <repository>',
      'only about this one, as owner/name or forge:owner/name',
      readRepository,
    )
    .addOption(new Option('--state <state>', 'only in this state').choices(DELIVERY_STATES))
    .option('--since <time>', 'only received since then, as 2h, 7d or 2026-01-31', (text: string) =>
      readSince(text),
    )
    .option('--limit <number>', 'most deliveries to list', readLimit, LIMIT)
    .option('--json', 'print JSON')
    .action(deliveries);
  withExamples(list, [
    { call: 'deliveries --since 2h', does: 'all of the last two hours' },
    {
      call: 'deliveries --repository ada/greeter --state ignored',
      does: 'those of one repository that woke nobody, with the reason',
    },
  ]);
}

function registerConversations(program: Command): void {
  const all = program
    .command('conversations')
    .description('all conversations, last changed first, or one of them whole')
    .argument(
      '[reference]',
      `${ITEM}, or the id (6 characters or more) of a conversation, dispatch or session`,
    )
    .option('--limit <number>', 'most conversations to list', readLimit, LIMIT)
    .option('--json', 'print JSON')
    .action(conversations);
  withExamples(all, [
    { call: 'conversations', does: 'all of them, with what each is doing or how it ended' },
    { call: 'conversations home:ada/greeter#1', does: 'one whole, named as the list prints it' },
  ]);
  const found = program
    .command('stuck')
    .description('what no event tells and somebody should look at, by the rules of the reconciler')
    .option('--json', 'print JSON')
    .action(stuck);
  withExamples(found, [
    { call: 'stuck', does: 'each with the rule that found it, since when, and what to do' },
  ]);
  const tried = program
    .command('audit')
    .description(
      'what agents tried at their doors (model, forge, git, packages, hosts by name, MCP servers), newest first',
    )
    .argument('[conversation]', `${ITEM}, or the id of a conversation`)
    .option('--denied', 'only what was refused or failed')
    .option(
      '--doors',
      'added up: what passed the doors to packages and to hosts by name, and what was refused',
    )
    .option('--limit <number>', 'most entries to list', readLimit, LIMIT)
    .option('--json', 'print JSON')
    .action(audit);
  withExamples(tried, [
    { call: 'audit --denied', does: 'what was refused, of all conversations' },
    { call: 'audit ada/greeter#1 --limit 200', does: 'what was tried on one item' },
    { call: 'audit --doors --denied', does: 'packages and hosts that agents asked for and did not get' },
  ]);
}

async function explainOne(text: string, { limit }: { limit: number }, command: Command): Promise<void> {
  const found = await reading(command, ({ database: { rows }, config }) =>
    explain(rows, readReference(text, config.forges), { limit, now: Date.now() }),
  );
  answer(command, found, renderExplained);
}

async function deliveries(
  options: { repository?: NamedRepository; state?: DeliveryState; since?: number; limit: number },
  command: Command,
): Promise<void> {
  const { repository = null, state = null, since = null, limit } = options;
  const query = { repository, state, since, limit };
  answer(
    command,
    await reading(command, ({ database: { rows } }) => listDeliveries(rows, query)),
    renderDeliveries,
  );
}

async function conversations(
  text: string | undefined,
  { limit }: { limit: number },
  command: Command,
): Promise<void> {
  const now = Date.now();
  if (text === undefined) {
    const list = await reading(command, ({ database: { rows } }) => listConversations(rows, { limit, now }));
    answer(command, list, (found, paint) => renderConversations(found, now, paint));
    return;
  }
  const described = await reading(command, ({ database: { rows }, config }) =>
    describeConversation(rows, readReference(text, config.forges), now),
  );
  answer(command, described, (found, paint) => renderDescriptions(found, now, paint));
}

async function stuck(_options: unknown, command: Command): Promise<void> {
  answer(command, await reading(command, ({ database: { rows } }) => listStuck(rows)), renderStuck);
}

async function audit(
  text: string | undefined,
  { denied = false, doors = false, limit }: { denied?: boolean; doors?: boolean; limit: number },
  command: Command,
): Promise<void> {
  if (doors) {
    const view = await reading(command, ({ database: { rows }, config }) => {
      const reference = text === undefined ? null : readReference(text, config.forges);
      return readDoors(rows, { reference, denied, limit });
    });
    return answer(command, view, renderDoors);
  }
  const entries = await reading(command, ({ database: { rows }, config }) => {
    const reference = text === undefined ? null : readReference(text, config.forges);
    return readAudit(rows, { reference, denied, limit });
  });
  answer(command, entries, renderAudit);
}
