import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { conversationOn, NOW } from '../../test/support/mailbox.ts';
import { assistantLine, textBlock, transcriptOf, userLine } from '../../test/support/transcript-lines.ts';
import type { Database } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';
import { proposeSession } from '../sessions.ts';
import { readArchived } from './archive.ts';
import { cutBack } from './cut-back.ts';
import { transcriptPath } from './folders.ts';
import { replaceArchived } from './placement.ts';

const ANSWERED = [
  userLine('u1', 'Correct the totals.'),
  assistantLine('a1', textBlock('Done.'), { stop: 'end_turn' }),
];
const REFUSED = [...ANSWERED, userLine('u2', 'marker-refused')];

/** A session whose last turn was refused, on the disk and in the archive. */
async function refusedSession(database: Database, head: string | null): Promise<SessionRow> {
  const configFolder = mkdtempSync(join(tmpdir(), 'claude-hooks-cut-back-'));
  onTestFinished(() => rmSync(configFolder, { recursive: true, force: true }));
  const conversation = await conversationOn(database.rows);
  const proposed = await proposeSession(database.rows, {
    conversationId: conversation.id,
    configFolder,
    synthesised: false,
    follows: null,
    reason: 'first-dispatch',
    now: NOW,
  });
  const session = { ...proposed, head };
  mkdirSync(dirname(placeOf(session)), { recursive: true });
  writeFileSync(placeOf(session), transcriptOf(REFUSED));
  await replaceArchived(database, session, transcriptOf(REFUSED));
  return session;
}

const placeOf = ({ config_folder, id }: SessionRow) => join(config_folder, transcriptPath(id));
const archivedOf = async ({ rows }: Database, { conversation_id, id }: SessionRow) =>
  await readArchived(rows, conversation_id, transcriptPath(id));

describeDatabases('a turn that was refused', (open) => {
  test('leaves the transcript and its archive as the last answer left them', async () => {
    const database = await open();
    const session = await refusedSession(database, 'a1');
    await cutBack(database, session, { archive: true });
    const kept = Buffer.from(transcriptOf(ANSWERED));
    expect(readFileSync(placeOf(session)).equals(kept)).toBe(true);
    expect(Buffer.from((await archivedOf(database, session))!).equals(kept)).toBe(true);
  });

  test('leaves nothing of a session that has answered nothing', async () => {
    const database = await open();
    const session = await refusedSession(database, null);
    await cutBack(database, session, { archive: true });
    expect(() => readFileSync(placeOf(session))).toThrow('ENOENT');
    expect(await archivedOf(database, session)).toBeNull();
  });
});
