/** Commands that answer: explain, conversations, sessions diagnose. They read beside a running service. */
import type { Command } from 'commander';
import { pinnedCliVersion } from '../agent-runner/run-cli.ts';
import type { LoadedConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import type { Database } from '../database/database.ts';
import { openExisting } from '../database/opening.ts';
import { readAudit, renderAudit } from '../inspection/audit.ts';
import { describeConversation, listConversations } from '../inspection/conversations.ts';
import { diagnoseSession } from '../inspection/diagnose.ts';
import { explainDelivery } from '../inspection/explain.ts';
import { renderConversations, renderDescriptions } from '../inspection/render-conversations.ts';
import { renderDiagnosis } from '../inspection/render-diagnosis.ts';
import { renderExplanation } from '../inspection/render-explanation.ts';
import { registerMarks } from './marks.ts';
import { answer, configFile } from './shared.ts';

interface Json {
  json?: boolean;
}

export function registerInspection(program: Command): void {
  program
    .command('explain <delivery>')
    .description('why a delivery did, or did not, make an agent run (id, or the beginning of it)')
    .option('--json', 'print JSON')
    .action(async (reference: string, options: Json, command: Command) => {
      const found = await reading(command, ({ rows }) => explainDelivery(rows, reference));
      answer(found, options, renderExplanation);
    });
  program
    .command('conversations [reference]')
    .description('all conversations, or one by id or as owner/name#12')
    .option('--limit <number>', 'most conversations to list', '50')
    .option('--json', 'print JSON')
    .action(conversations);
  program
    .command('audit [conversation]')
    .description('what agents tried at the doors to model, forge and git, newest first')
    .option('--denied', 'only what was refused or failed')
    .option('--limit <number>', 'most entries to list', '50')
    .option('--json', 'print JSON')
    .action(audit);
  const sessions = program
    .command('sessions')
    .description('Claude sessions: where one was lost, and whose words one has read');
  registerMarks(sessions);
  sessions
    .command('diagnose <session>')
    .description('where a session was lost: cause, evidence, remedy (session id, or conversation id)')
    .option('--other-home <folder...>', 'further folders to look for a stray transcript in')
    .option('--json', 'print JSON')
    .action(diagnose);
}

async function conversations(
  reference: string | undefined,
  options: Json & { limit: string },
  command: Command,
): Promise<void> {
  if (reference === undefined) {
    const limit = Number(options.limit);
    answer(await reading(command, ({ rows }) => listConversations(rows, { limit })), options, (list) =>
      renderConversations(list),
    );
    return;
  }
  const described = await reading(command, ({ rows }) => describeConversation(rows, reference));
  answer(described, options, (found) => renderDescriptions(found));
}

async function audit(
  reference: string | undefined,
  options: Json & { denied?: boolean; limit: string },
  command: Command,
): Promise<void> {
  const query = {
    reference: reference ?? null,
    denied: options.denied === true,
    limit: Number(options.limit),
  };
  answer(await reading(command, ({ rows }) => readAudit(rows, query)), options, renderAudit);
}

async function diagnose(
  reference: string,
  options: Json & { otherHome?: string[] },
  command: Command,
): Promise<void> {
  const diagnosis = await reading(command, ({ rows }, config) =>
    diagnoseSession(rows, reference, {
      currentCliVersion: pinnedCliVersion(),
      otherHomes: options.otherHome ?? [],
      stateFolder: config.state,
    }),
  );
  answer(diagnosis, options, renderDiagnosis);
  if (diagnosis.verdict !== 'resumable') process.exitCode = 2;
}

async function reading<T>(
  command: Command,
  work: (database: Database, config: LoadedConfig) => Promise<T>,
): Promise<T> {
  const config = loadConfig({ file: configFile(command), env: process.env });
  const database = await openExisting({ url: config.database.url, readOnly: true });
  try {
    return await work(database, config);
  } finally {
    await database.close();
  }
}
