/** A conversation with a real transcript on a real disk, to be damaged by a test. */
import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import type { ConversationRow, SessionRow } from '../../src/database/tables.ts';
import { resolveConversation } from '../../src/mailbox/conversations.ts';
import { archiveFolder } from '../../src/sessions/archive.ts';
import { cliFolders, createCliFolders, transcriptPath } from '../../src/sessions/folders.ts';
import { synthesiseTranscript } from '../../src/sessions/rebuild.ts';
import { headOf, readTranscript } from '../../src/sessions/transcript.ts';
import { proposeSession, verifySession } from '../../src/sessions.ts';
import { assignedEvent } from './sample-events.ts';

export const SAMPLE_TIME = Date.parse('2026-01-02T03:04:05Z');
export const SAMPLE_CLI = '2.1.330';

export function sampleFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'claude-hooks-session-')));
  // Other users may pass, so that a test can be about what is below.
  chmodSync(folder, 0o755);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function sampleConversation(
  database: Database,
  { agent = 'dev', number = 12 } = {},
): Promise<ConversationRow> {
  const { repository, item } = assignedEvent('dev-bot');
  return await resolveConversation(database.rows, {
    forge: 'home',
    repository,
    agent,
    item: { ...item!, number },
    now: SAMPLE_TIME,
  });
}

/** Two exchanges as the CLI would have written them. */
export function sampleLines(sessionId: string): Uint8Array {
  const exchange = (n: number) => ({
    dispatchId: `d${n}`,
    prompt: `Question ${n}`,
    actions: [],
    answer: `Answer ${n}`,
  });
  return synthesiseTranscript({
    sessionId,
    cwd: '/repository',
    cliVersion: SAMPLE_CLI,
    model: 'claude-sonnet-4-5',
    exchanges: [exchange(1), exchange(2)],
    now: SAMPLE_TIME,
  });
}

export interface SampleSession {
  row: SessionRow;
  file: string;
}

/** A session whose transcript is on the disk, verified, and in the archive unless `archive` is false. */
export async function sampleSession(
  database: Database,
  of: { state: string; conversation: ConversationRow; archive?: boolean; verified?: boolean },
): Promise<SampleSession> {
  const folders = cliFolders(of.state, of.conversation.id);
  createCliFolders(folders);
  const proposed = await proposeSession(database.rows, {
    conversationId: of.conversation.id,
    configFolder: folders.config,
    synthesised: false,
    follows: null,
    reason: '',
    now: SAMPLE_TIME,
  });
  const file = join(folders.config, transcriptPath(proposed.id));
  if (of.verified === false) return { row: proposed, file };
  const bytes = sampleLines(proposed.id);
  put(file, bytes);
  if (of.archive !== false) await archiveFolder(database, of.conversation.id, folders.config);
  await verifySession(database.rows, {
    sessionId: proposed.id,
    head: headOf(readTranscript(bytes))!,
    size: bytes.length,
    cliVersion: SAMPLE_CLI,
    now: SAMPLE_TIME,
  });
  const row = await database.rows
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', proposed.id)
    .executeTakeFirstOrThrow();
  return { row, file };
}

export function put(file: string, content: Uint8Array | string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** The file without everything from the given line on; lines count from 0. */
export function cutAt(file: string, line: number): void {
  const lines = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, `${lines.slice(0, line).join('\n')}\n`);
}

export function append(file: string, text: string): void {
  appendFileSync(file, text);
}

/** An effect that was done, as `outcome/effects.ts` leaves its row. */
export async function sampleEffect(
  database: Database,
  effect: { dispatchId: string; conversationId: string; kind: 'pull' | 'comment'; result: unknown },
): Promise<void> {
  await database.rows
    .insertInto('effects')
    .values({
      id: randomUUID(),
      dispatch_id: effect.dispatchId,
      conversation_id: effect.conversationId,
      key: `${effect.dispatchId}:${effect.kind}`,
      kind: effect.kind,
      state: 'done',
      request: '{}',
      result: JSON.stringify(effect.result),
      attempts: 1,
      created_at: SAMPLE_TIME,
      done_at: SAMPLE_TIME,
    })
    .execute();
}
