import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answered, diagnose, sample } from '../../test/support/sample-diagnosis.ts';
import { append, cutAt, put, SAMPLE_TIME, sampleLines } from '../../test/support/sample-session.ts';
import { archiveFolder } from '../sessions/archive.ts';
import { abandonSession, countFailedResume, proposeSession } from '../sessions.ts';
import type { Diagnosis } from './diagnosis.ts';

function failed(diagnosis: Diagnosis): string[] {
  return diagnosis.checks.filter((c) => !c.ok).map((c) => c.name);
}

describe('gone', () => {
  test('with and without an archive, and with a record to rebuild from', async () => {
    const s = await sample();
    rmSync(s.file);
    const archived = await diagnose(s);
    expect(archived).toMatchObject({ verdict: 'restorable', cause: 'missing', archive: 'ahead' });
    expect(archived.remedy).toContain('restores it by itself');

    await s.database.rows.deleteFrom('transcript_chunks').execute();
    await answered(s);
    const holed = await diagnose(s);
    expect(holed).toMatchObject({ verdict: 'rebuild-needed', cause: 'missing', archive: 'missing' });
    expect(holed.evidence.join('\n')).toContain('names the file, but has not all of it');
    expect(holed.remedy).toContain('our record of 1 exchange(s)');
  });

  test("the CLI's cleanup ran since, or had run before", async () => {
    const s = await sample({ archive: false });
    const mark = join(s.row.config_folder, '.last-cleanup');
    put(mark, '');
    rmSync(s.file);
    const day = 86_400;
    utimesSync(mark, SAMPLE_TIME / 1000 - day, SAMPLE_TIME / 1000 - day);
    expect(await diagnose(s)).toMatchObject({ verdict: 'rebuild-needed', cause: 'missing' });
    utimesSync(mark, SAMPLE_TIME / 1000 + 40 * day, SAMPLE_TIME / 1000 + 40 * day);
    const reaped = await diagnose(s);
    expect(reaped).toMatchObject({ verdict: 'rebuild-needed', cause: 'cleaned-up' });
    expect(reaped.evidence.join('\n')).toContain('40 days after this session was last in use');
  });

  test('with its whole folder', async () => {
    const s = await sample({ archive: false });
    rmSync(join(s.state, 'conversations'), { recursive: true });
    expect(await diagnose(s)).toMatchObject({ verdict: 'rebuild-needed', cause: 'folder-gone' });
  });
});

describe('damaged', () => {
  test('empty, garbage, bad lines', async () => {
    const s = await sample({ archive: false });
    const lines = readFileSync(s.file, 'utf8');
    put(s.file, '');
    expect(await diagnose(s)).toMatchObject({ verdict: 'rebuild-needed', cause: 'empty' });
    put(s.file, Buffer.alloc(500));
    expect(await diagnose(s)).toMatchObject({ verdict: 'rebuild-needed', cause: 'garbage' });
    put(s.file, `${lines}{"type":"user","mess`);
    const damaged = await diagnose(s);
    expect(damaged).toMatchObject({ verdict: 'repairable', cause: 'damaged' });
    expect(damaged.evidence.join('\n')).toContain('1 line of 5 do not parse');
  });

  test('cut, with and without an archive', async () => {
    const s = await sample();
    cutAt(s.file, 3);
    expect(await diagnose(s)).toMatchObject({ verdict: 'restorable', cause: 'truncated', archive: 'ahead' });
    for (const table of ['transcript_chunks', 'transcript_files'] as const) {
      await s.database.rows.deleteFrom(table).execute();
    }
    expect(await diagnose(s)).toMatchObject({
      verdict: 'rebuild-needed',
      cause: 'truncated',
      archive: 'missing',
    });
  });

  test('of another history', async () => {
    const s = await sample();
    put(s.file, Buffer.concat([sampleLines(s.row.id), sampleLines(s.row.id)]));
    expect(await diagnose(s)).toMatchObject({
      verdict: 'restorable',
      cause: 'other-history',
      archive: 'diverged',
    });
  });

  test('older than the archive; the archive older than the disk', async () => {
    const s = await sample();
    const before = readFileSync(s.file);
    append(s.file, '{"type":"mode"}\n');
    expect(await diagnose(s)).toMatchObject({ verdict: 'resumable', cause: 'none', archive: 'behind' });
    await archiveFolder(s.database, s.conversation.id, s.row.config_folder);
    put(s.file, before);
    expect(await diagnose(s)).toMatchObject({
      verdict: 'restorable',
      cause: 'behind-archive',
      archive: 'ahead',
    });
  });

  test('a link stands in the place of its folder: the next dispatch moves it aside', async () => {
    const s = await sample();
    const away = join(s.state, 'led-away');
    renameSync(dirname(s.file), away);
    symlinkSync(away, dirname(s.file));
    const diagnosis = await diagnose(s);
    expect(diagnosis).toMatchObject({ verdict: 'restorable', cause: 'missing' });
    expect(failed(diagnosis)).toContain('project folder');
    expect(diagnosis.remedy).toContain('restores it by itself');
  });

  test('without the archive, when the service does not use it', async () => {
    const s = await sample();
    rmSync(s.file);
    expect(await diagnose(s, s.row.id, { archive: false })).toMatchObject({
      verdict: 'rebuild-needed',
      cause: 'missing',
      archive: 'missing',
    });
  });

  test('not a file at all', async () => {
    const s = await sample();
    rmSync(s.file);
    mkdirSync(s.file);
    const diagnosis = await diagnose(s);
    expect(diagnosis).toMatchObject({ verdict: 'restorable', cause: 'unreadable' });
    expect(diagnosis.evidence.join('\n')).toContain('EISDIR');
  });
});

describe('around it', () => {
  test('.claude.json is broken', async () => {
    const s = await sample();
    put(join(s.row.config_folder, '.claude.json'), '{"projects": {');
    expect(await diagnose(s)).toMatchObject({ verdict: 'resumable', cause: 'config-broken' });
  });

  test('another CLI is evidence, and no cause', async () => {
    const s = await sample();
    const diagnosis = await diagnose(s, s.row.id, { currentCliVersion: '2.2.0' });
    expect(diagnosis).toMatchObject({ verdict: 'resumable', cause: 'none' });
    expect(diagnosis.evidence).toEqual(['CLI: CLI 2.1.330 wrote it, 2.2.0 would resume it.']);
  });

  test('the CLI refused files that are in order', async () => {
    const s = await sample();
    await countFailedResume(s.database.rows, s.row.id);
    const diagnosis = await diagnose(s);
    expect(diagnosis).toMatchObject({ verdict: 'unknown', cause: 'refused-by-cli' });
    expect(failed(diagnosis)).toEqual(['resumes']);
  });

  test('the conversation has left it, with a successor or without', async () => {
    const s = await sample();
    await abandonSession(s.database.rows, s.row.id, 'disk-missing');
    expect(await diagnose(s)).toMatchObject({ verdict: 'rebuild-needed', cause: 'no-longer-current' });
    const next = await proposeSession(s.database.rows, {
      conversationId: s.conversation.id,
      configFolder: s.row.config_folder,
      synthesised: false,
      follows: { ...s.row, state: 'abandoned' },
      reason: 'disk-missing',
      now: SAMPLE_TIME,
    });
    const left = await diagnose(s);
    expect(left).toMatchObject({ cause: 'no-longer-current', session: { replacedBy: next.id } });
    expect(left.remedy).toContain(`goes on in session ${next.id}`);
    renameSync(s.file, `${s.file}.set-aside`);
    const lost = await diagnose(s);
    expect(lost).toMatchObject({ verdict: 'restorable', cause: 'missing' });
    expect(lost.evidence.join('\n')).toContain(`beside it: ${s.file}.set-aside`);
  });
});
