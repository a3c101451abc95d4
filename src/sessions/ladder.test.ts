/** The three steps on real damage: what the survey sees, what is chosen, and what stands there after it was done. */
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answered, everyFile, type Sample, sample } from '../../test/support/sample-diagnosis.ts';
import {
  append,
  cutAt,
  put,
  SAMPLE_CLI,
  SAMPLE_TIME,
  sampleFolder,
  sampleLines,
} from '../../test/support/sample-session.ts';
import type { Database } from '../database/database.ts';
import { armFault } from '../faults.ts';
import { archiveFolder, readArchived } from './archive.ts';
import { type Choice, choose } from './choose.ts';
import { cliFolders, transcriptPath } from './folders.ts';
import { prepareSession } from './ladder.ts';
import type { LadderRequest } from './ladder-request.ts';
import { type Survey, survey } from './survey.ts';

interface Damage {
  breakIt?: (s: Sample) => void;
  /** the state folder of the next run is another one */
  moved?: boolean;
  /** continuity and reason, with the archive and without it */
  archived: string;
  unarchived: string;
}

const RESUMED = 'resumed (in-order)';
const PROMPT = '{"type":"user","uuid":"u9","message":{"role":"user","content":"Question 3"}}\n';

const DAMAGES: Record<string, Damage> = {
  nothing: { archived: RESUMED, unarchived: RESUMED },
  gone: {
    breakIt: ({ file }) => rmSync(file),
    archived: 'restored (disk-missing)',
    unarchived: 'rebuilt (disk-missing)',
  },
  cut: {
    breakIt: ({ file }) => cutAt(file, 2),
    archived: 'restored (disk-head-missing)',
    unarchived: 'rebuilt (disk-head-missing)',
  },
  emptied: {
    breakIt: ({ file }) => put(file, ''),
    archived: 'restored (disk-empty)',
    unarchived: 'rebuilt (disk-empty)',
  },
  'a bad line': {
    breakIt: ({ file }) => append(file, '{"type":\n'),
    archived: 'restored (disk-damaged)',
    unarchived: 'repaired (disk-damaged)',
  },
  'of another history': {
    breakIt: ({ file, row }) => put(file, sampleLines(row.id)),
    archived: 'restored (disk-head-missing)',
    unarchived: 'rebuilt (disk-head-missing)',
  },
  'longer than its archive': {
    breakIt: ({ file }) => append(file, '{"type":"mode"}\n'),
    archived: RESUMED,
    unarchived: RESUMED,
  },
  'no continuation of its archive': {
    breakIt: ({ file }) => put(file, `{"type":"mode"}\n${readFileSync(file, 'utf8')}`),
    archived: RESUMED,
    unarchived: RESUMED,
  },
  'with a prompt that was not answered': {
    breakIt: ({ file }) => append(file, PROMPT),
    archived: RESUMED,
    unarchived: RESUMED,
  },
  'in another project folder': {
    breakIt: ({ file, row }) => {
      put(join(row.config_folder, 'projects', 'x', `${row.id}.jsonl`), readFileSync(file));
      rmSync(file);
    },
    archived: 'restored (other-project-folder)',
    unarchived: 'restored (other-project-folder)',
  },
  'in another project folder, and a folder in its place': {
    breakIt: ({ file, row }) => {
      put(join(row.config_folder, 'projects', 'x', `${row.id}.jsonl`), readFileSync(file));
      rmSync(file);
      mkdirSync(file);
    },
    archived: 'restored (other-project-folder)',
    unarchived: 'restored (other-project-folder)',
  },
  'in two project folders': {
    breakIt: ({ file, row }) =>
      put(join(row.config_folder, 'projects', 'x', `${row.id}.jsonl`), readFileSync(file)),
    archived: 'restored (other-project-folder)',
    unarchived: 'restored (other-project-folder)',
  },
  'not a file at all': {
    breakIt: ({ file }) => {
      rmSync(file);
      mkdirSync(file);
    },
    archived: 'restored (disk-unreadable)',
    unarchived: 'rebuilt (disk-unreadable)',
  },
  'behind a link in the place of its folder': {
    breakIt: ({ file, state }) => {
      renameSync(dirname(file), join(state, 'led-away'));
      symlinkSync(join(state, 'led-away'), dirname(file));
    },
    archived: 'restored (disk-missing)',
    unarchived: 'rebuilt (disk-missing)',
  },
  'no CLI folder': {
    breakIt: ({ row }) => renameSync(row.config_folder, `${row.config_folder}-away`),
    archived: 'restored (disk-missing)',
    unarchived: 'rebuilt (disk-missing)',
  },
  'no .claude.json to speak of': {
    breakIt: ({ row }) => put(join(row.config_folder, '.claude.json'), '{'),
    archived: RESUMED,
    unarchived: RESUMED,
  },
  moved: { moved: true, archived: 'restored (other-home)', unarchived: 'restored (other-home)' },
  'moved, and gone': {
    moved: true,
    breakIt: ({ file }) => rmSync(file),
    archived: 'restored (disk-missing)',
    unarchived: 'rebuilt (disk-missing)',
  },
};

interface Broken extends Sample {
  damage: Damage;
  archive: boolean;
  stateFolder: string;
}

async function broken(name: string, archive: boolean): Promise<Broken> {
  const s = await sample({ archive });
  await answered(s);
  const damage = DAMAGES[name]!;
  damage.breakIt?.(s);
  return { ...s, damage, archive, stateFolder: damage.moved === true ? sampleFolder() : s.state };
}

function request(s: Pick<Broken, 'conversation' | 'archive' | 'stateFolder'>): LadderRequest {
  return {
    conversationId: s.conversation.id,
    dispatchId: 'd2',
    folders: cliFolders(s.stateFolder, s.conversation.id),
    cwd: '/repository',
    model: 'claude-sonnet-4-5',
    cliVersion: SAMPLE_CLI,
    archive: s.archive,
    policy: 'resume',
    floor: 'resumed',
    floorReason: null,
    now: SAMPLE_TIME,
  };
}

/** Over a connection that cannot write, and with all files compared: a survey changes nothing. */
async function surveyed(s: Broken): Promise<Survey> {
  const before = everyFile(s.state);
  const asked = request(s);
  const rows = s.database.another({ readOnly: true }).rows;
  const found = await survey(rows, { ...asked, configFolder: asked.folders.config });
  expect(everyFile(s.state)).toEqual(before);
  return found;
}

function told({ continuity, reason }: Pick<Choice, 'continuity' | 'reason'>): string {
  return `${continuity} (${reason})`;
}

/** Where the CLI will look, one whole history with the verified head, or with what the record has. */
async function expectHistory(s: Broken, prepared: Awaited<ReturnType<typeof prepareSession>>): Promise<void> {
  const { session } = prepared;
  expect(session.config_folder).toBe(request(s).folders.config);
  const text = readFileSync(join(session.config_folder, transcriptPath(session.id)), 'utf8');
  expect(prepared.start).toBe('resume');
  expect(text).toContain('Answer 1');
  if (prepared.continuity !== 'rebuilt') expect(text).toContain(session.head);
  const stored = await s.database.rows
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', session.id)
    .executeTakeFirst();
  expect(stored).toEqual(session);
  // What is archived is a beginning of it, so that the archive can follow.
  const archived = await readArchived(s.database.rows, s.conversation.id, transcriptPath(session.id));
  if (s.archive && archived !== null) expect(text.startsWith(Buffer.from(archived).toString())).toBe(true);
}

describe.each([true, false])('with an archive: %s; the transcript is', (archive) => {
  test.each(Object.keys(DAMAGES))('%s', async (name) => {
    const s = await broken(name, archive);
    const expected = archive ? s.damage.archived : s.damage.unarchived;
    const choice = choose(await surveyed(s), request(s));
    expect(told(choice)).toBe(expected);

    const prepared = await prepareSession(s.database, request(s));
    expect(told(prepared)).toBe(expected);
    expect(prepared.evidence).toEqual(choice.evidence);
    expect(prepared.session.id === s.row.id).toBe(choice.step === 'go-on');
    await expectHistory(s, prepared);
    expect(prepared.resumeAt).toBe(name.includes('not answered') ? s.row.head : null);

    // Once more, as after a crash of the service before the CLI ran: all is in its place now.
    const again = await prepareSession(s.database, request(s));
    expect(again).toMatchObject({ session: prepared.session, history: prepared.history, reason: 'in-order' });
    expect(again.continuity).toBe(prepared.continuity === 'rebuilt' ? 'rebuilt' : 'resumed');
  });
});

describe('a session that was never answered', () => {
  test.each([true, false])(
    'starts again under its id, from nothing (its prompt written: %s)',
    async (isWritten) => {
      const s = { ...(await sample({ verified: false })), damage: DAMAGES.nothing!, archive: true };
      const of = { ...s, stateFolder: s.state };
      if (isWritten) {
        put(s.file, PROMPT);
        await archiveFolder(s.database, s.conversation.id, s.row.config_folder);
      }
      const prepared = await prepareSession(s.database, request(of));
      expect(prepared).toMatchObject({ start: 'new', continuity: 'fresh', session: { id: s.row.id } });
      expect(prepared.reason).toBe(isWritten ? 'first-turn-unanswered' : 'killed-before-first-write');
      expect(everyFile(s.row.config_folder).filter((f) => f.includes('.jsonl'))).toEqual([]);
      expect(await readArchived(s.database.rows, s.conversation.id, transcriptPath(s.row.id))).toBeNull();
    },
  );
});

/** The nth transaction dies before its commit, or right after it. */
function dying(
  database: Database,
  nth: number,
  when: 'before' | 'after',
): { database: Database; count: () => number } {
  let n = 0;
  const transaction: Database['transaction'] = async (work) => {
    n += 1;
    if (n !== nth) return await database.transaction(work);
    if (when === 'after') await database.transaction(work);
    throw new Error('died');
  };
  return { database: Object.assign(Object.create(database), { transaction }) as Database, count: () => n };
}

describe('a crash while it is done', () => {
  test.each(['moved', 'moved, and gone', 'no continuation of its archive'])(
    '%s: the next survey goes on from there',
    async (name) => {
      for (const when of ['before', 'after'] as const) {
        for (let nth = 1; ; nth += 1) {
          const s = await broken(name, true);
          const dead = dying(s.database, nth, when);
          const first = await prepareSession(dead.database, request(s)).catch(
            (error: Error) => error.message,
          );
          if (dead.count() < nth) {
            expect(nth).toBeGreaterThan(1);
            break;
          }
          expect(first).toBe('died');
          const prepared = await prepareSession(s.database, request(s));
          expect(prepared.session.id).toBe(s.row.id);
          expect(['resumed', 'restored']).toContain(prepared.continuity);
          await expectHistory(s, prepared);
        }
      }
    },
  );

  test('between the two rows of a rebuilt session: there is one session at the end, with the whole record', async () => {
    for (const when of ['before', 'after'] as const) {
      const s = await broken('gone', false);
      const dead = dying(s.database, 1, when);
      await expect(prepareSession(dead.database, request(s))).rejects.toThrow('died');
      const prepared = await prepareSession(s.database, request(s));
      expect(prepared.continuity).toBe('rebuilt');
      await expectHistory(s, prepared);
      const chain = await s.database.rows.selectFrom('sessions').select('state').orderBy('ordinal').execute();
      expect(chain.filter(({ state }) => state === 'proposed')).toHaveLength(1);
    }
  });

  test.each(['archive.claimed', 'archive.appended'] as const)(
    'at %s, while the archive is written anew',
    async (at) => {
      const s = await broken('no continuation of its archive', true);
      onTestFinished(() => armFault(null));
      armFault((point) => {
        if (point === at) throw new Error('died');
      });
      await expect(prepareSession(s.database, request(s))).rejects.toThrow('died');
      armFault(null);
      const prepared = await prepareSession(s.database, request(s));
      expect(told(prepared)).toBe(RESUMED);
      await expectHistory(s, prepared);
    },
  );
});
