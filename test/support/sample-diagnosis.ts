/** A session to diagnose, and a diagnosis that proves that looking changed nothing. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ConversationRow } from '../../src/database/tables.ts';
import { recordTurn } from '../../src/sessions/record.ts';
import type { DiagnoseOptions } from '../../src/sessions/surroundings.ts';
import { diagnoseSession } from '../../src/views/diagnose.ts';
import type { Diagnosis } from '../../src/views/diagnosis.ts';
import { openSqlite, type TestDatabase } from './databases.ts';
import {
  SAMPLE_CLI,
  SAMPLE_TIME,
  type SampleSession,
  sampleConversation,
  sampleFolder,
  sampleSession,
} from './sample-session.ts';

export interface Sample extends SampleSession {
  database: TestDatabase;
  state: string;
  conversation: ConversationRow;
}

export async function sample(of: { archive?: boolean; verified?: boolean } = {}): Promise<Sample> {
  const database = await openSqlite();
  const state = sampleFolder();
  const conversation = await sampleConversation(database);
  return {
    database,
    state,
    conversation,
    ...(await sampleSession(database, { state, conversation, ...of })),
  };
}

/** Over a connection that cannot write, and with the files compared before and after: looking changes nothing. */
export async function diagnose(
  s: Sample,
  reference: string = s.row.id,
  options: Partial<DiagnoseOptions> = {},
): Promise<Diagnosis> {
  const rows = s.database.another({ readOnly: true }).rows;
  const before = everyFile(s.state);
  const diagnosis = await diagnoseSession(rows, reference, { currentCliVersion: SAMPLE_CLI, ...options });
  expect(everyFile(s.state)).toEqual(before);
  expect(JSON.parse(JSON.stringify(diagnosis))).toEqual(diagnosis);
  return diagnosis;
}

/** Names, sizes, times and modes of all that is below a folder: equal lists mean that nothing was touched. */
export function everyFile(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { size, mtimeMs, ctimeMs, mode } = lstatSync(join(folder, name));
      return `${name} ${size} ${mtimeMs} ${ctimeMs} ${mode}`;
    });
}

export async function answered(s: Sample): Promise<void> {
  const turn = { dispatchId: 'd1', conversationId: s.conversation.id, uuid: null, now: SAMPLE_TIME };
  await recordTurn(s.database.rows, { ...turn, kind: 'prompt', content: 'Question 1' });
  await recordTurn(s.database.rows, { ...turn, kind: 'answer', content: 'Answer 1' });
}
