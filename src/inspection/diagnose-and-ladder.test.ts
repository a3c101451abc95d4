/** The diagnosis says what the next dispatch will do; here the resume ladder does it. */
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSqlite } from '../../test/support/databases.ts';
import {
  append,
  cutAt,
  put,
  SAMPLE_CLI,
  SAMPLE_TIME,
  type SampleSession,
  sampleConversation,
  sampleFolder,
  sampleLines,
  sampleSession,
} from '../../test/support/sample-session.ts';
import { cliFolders } from '../sessions/folders.ts';
import { prepareSession } from '../sessions/ladder.ts';
import { recordTurn } from '../sessions/record.ts';
import { diagnoseSession } from './diagnose.ts';

const DAMAGES: Record<string, (s: SampleSession) => void> = {
  nothing: () => {},
  gone: ({ file }) => rmSync(file),
  cut: ({ file }) => cutAt(file, 2),
  emptied: ({ file }) => put(file, ''),
  'a bad line': ({ file }) => append(file, '{"type":\n'),
  'of another history': ({ file, row }) => put(file, sampleLines(row.id)),
  'in another project folder': ({ file, row }) => {
    const stray = join(row.config_folder, 'projects', 'x', `${row.id}.jsonl`);
    put(stray, readFileSync(file));
    rmSync(file);
  },
  'no CLI folder': ({ row }) => renameSync(row.config_folder, `${row.config_folder}-away`),
  'no .claude.json to speak of': ({ row }) => put(join(row.config_folder, '.claude.json'), '{'),
};

const RUNGS = {
  resumed: 'resumable',
  restored: 'restorable',
  repaired: 'repairable',
  rebuilt: 'rebuild-needed',
  fresh: 'resumable',
};

describe.each([true, false])('with an archive: %s', (archive) => {
  test.each([...Object.keys(DAMAGES), 'never written', 'moved'])('%s', async (damage) => {
    const database = await openSqlite();
    const state = sampleFolder();
    const conversation = await sampleConversation(database);
    const verified = damage !== 'never written';
    const session = await sampleSession(database, { state, conversation, archive, verified });
    if (verified) {
      const turn = { dispatchId: 'd1', conversationId: conversation.id, uuid: null, now: SAMPLE_TIME };
      await recordTurn(database.rows, { ...turn, kind: 'prompt', content: 'Question 1' });
      await recordTurn(database.rows, { ...turn, kind: 'answer', content: 'Answer 1' });
    }
    DAMAGES[damage]?.(session);
    const stateFolder = damage === 'moved' ? sampleFolder() : state;

    const { verdict } = await diagnoseSession(database.rows, session.row.id, {
      currentCliVersion: SAMPLE_CLI,
      stateFolder,
    });
    const plan = await prepareSession(database, {
      conversationId: conversation.id,
      dispatchId: 'd2',
      folders: cliFolders(stateFolder, conversation.id),
      cwd: '/repository',
      model: 'claude-sonnet-4-5',
      cliVersion: SAMPLE_CLI,
      archive,
      policy: 'resume',
      floor: 'resumed',
      floorReason: null,
      now: SAMPLE_TIME,
    });
    expect(verdict).toBe(RUNGS[plan.continuity]);
    // `resumable` and `restorable` promise the id itself.
    expect(plan.session.id === session.row.id).toBe(verdict !== 'rebuild-needed');
  });
});
