/**
 * One of the two places that hold a transcript is put back from a backup that is one dispatch old: the state folder
 * behind the archive, or the archive behind the state folder. The longer one wins, and both are whole again after it.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.ts';
import type { DialectName } from '../../src/database/dialect.ts';
import { readArchived } from '../../src/sessions/archive.ts';
import { transcriptPath } from '../../src/sessions/folders.ts';
import { describeCases, isRun, tellHowToReplay } from './case.ts';
import { expectAllKept } from './guarantees.ts';
import { Injector } from './injector.ts';
import { REQUESTS_PER_TURN } from './story.ts';

interface Backup {
  name: string;
  /** where it is usual; on the other one the same lines run, and `src/sessions` tests their statements on both */
  usual: DialectName;
  take: (injector: Injector) => Promise<() => Promise<void>>;
  continuity: string;
  /** `rung: reason` of the incidents it leaves */
  incidents: string[];
}

const BACKUPS: Backup[] = [
  {
    name: 'the state folder is one dispatch old',
    usual: 'sqlite',
    take: copyConversations,
    continuity: 'restored',
    incidents: ['restored: disk-head-missing'],
  },
  {
    name: 'the archive is one dispatch old',
    usual: 'postgres',
    take: copyArchive,
    continuity: 'resumed',
    incidents: [],
  },
];

for (const dialect of ['sqlite', 'postgres'] as const) {
  const idOf = (name: string) => `${dialect}/backup/${name.replaceAll(' ', '-')}`;
  const cases = BACKUPS.filter(({ name, usual }) => isRun(idOf(name), usual === dialect));
  describeCases(dialect, cases, () => {
    for (const backup of cases) {
      test(backup.name, () => putBack(dialect, idOf(backup.name), backup));
    }
  });
}

async function putBack(dialect: DialectName, id: string, backup: Backup): Promise<void> {
  const injector = await Injector.open({ id, dialect });
  onTestFinished(() => injector.close());
  tellHowToReplay(id, injector);
  await injector.start();
  await injector.live();
  await injector.kill();
  const restore = await backup.take(injector);
  await injector.start();
  await injector.live();
  await injector.kill();
  await restore();
  await injector.start();
  const last = await injector.live();

  const facts = await injector.facts();
  expectAllKept({ ...injector, facts });
  expect.soft(facts.dispatches.map((d) => d.continuity)).toEqual(['fresh', 'resumed', backup.continuity]);
  expect.soft(await incidentsOf(injector)).toEqual(backup.incidents);
  expect.soft(last.requests.length).toBe(REQUESTS_PER_TURN);
  // Two lines of earlier rounds in what the model saw: of the issue, and of the comment that the backup did not know.
  const seen = JSON.stringify(last.requests[0]!.messages);
  for (const n of [1, 2]) expect.soft(seen).toContain(`I have written ${injector.story.line(n)}.`);
  expect
    .soft(await archivedTranscript(injector), 'the archive is whole again')
    .toBe(facts.transcript.join('\n'));
}

async function copyConversations({ stage }: Injector): Promise<() => Promise<void>> {
  const folder = join(stage.state, 'conversations');
  const copy = join(stage.folder, 'backup');
  cpSync(folder, copy, { recursive: true });
  return async () => {
    rmSync(folder, { recursive: true });
    cpSync(copy, folder, { recursive: true });
  };
}

async function copyArchive(injector: Injector): Promise<() => Promise<void>> {
  const copy = await withDatabase(injector, async ({ rows }) => ({
    files: await rows.selectFrom('transcript_files').selectAll().execute(),
    chunks: await rows.selectFrom('transcript_chunks').selectAll().execute(),
  }));
  return async () => {
    await withDatabase(injector, ({ transaction }) =>
      transaction(async (tx) => {
        await tx.deleteFrom('transcript_chunks').execute();
        await tx.deleteFrom('transcript_files').execute();
        await tx.insertInto('transcript_files').values(copy.files).execute();
        await tx.insertInto('transcript_chunks').values(copy.chunks).execute();
      }),
    );
  };
}

async function withDatabase<T>(injector: Injector, work: (database: Database) => Promise<T>): Promise<T> {
  const database = openDatabase({ url: injector.databaseUrl });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

async function incidentsOf({ stage }: Injector): Promise<string[]> {
  const rows = await stage.rows.selectFrom('incidents').selectAll().orderBy('seq').execute();
  return rows.map((i) => `${i.rung}: ${i.reason}`);
}

async function archivedTranscript({ stage }: Injector): Promise<string> {
  const session = (await stage.sessions()).at(-1)!;
  const bytes = await readArchived(stage.rows, session.conversation_id, transcriptPath(session.id));
  return Buffer.from(bytes ?? []).toString('utf8');
}
