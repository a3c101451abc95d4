import { randomUUID } from 'node:crypto';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answered, diagnose, sample } from '../../test/support/sample-diagnosis.ts';
import {
  append,
  put,
  SAMPLE_TIME,
  sampleConversation,
  sampleFolder,
  sampleLines,
} from '../../test/support/sample-session.ts';
import { renderDiagnosis } from '../cli/print/diagnosis.ts';
import { cliFolders, transcriptPath } from '../sessions/folders.ts';
import { abandonSession, recordIncident } from '../sessions.ts';

test('in order', async () => {
  const s = await sample();
  const diagnosis = await diagnose(s);
  expect(diagnosis).toMatchObject({ verdict: 'resumable', cause: 'none', archive: 'equal', evidence: [] });
  expect(
    renderDiagnosis(diagnosis)
      .replaceAll(s.state, '<state>')
      .replaceAll(s.row.id, '<session>')
      .replaceAll(s.conversation.id, '<conversation>')
      .replaceAll(s.row.head!, '<head>')
      .replace(/uid \d+/g, 'uid <uid>')
      .replace(/\d+ MB are/, '<n> MB are')
      .replaceAll(String(s.row.size), '<size>'),
  ).toMatchInlineSnapshot(`
    "session <session> of conversation <conversation>
      verdict  resumable
      cause    none
      remedy   Nothing to do.

    checks
      ok  id              <session> is number 1 of its conversation's chain
      ok  chain           the session is verified
      ok  transcript      <state>/conversations/<conversation>/cli/projects/conversation/<session>.jsonl is good, <size> bytes
      ok  head            answer <head> was verified in <size> bytes on 2026-01-02 03:04:05Z, and is there
      ok  access          <state>/conversations/<conversation>/cli/projects/conversation/<session>.jsonl can be read and written by this process, uid <uid>
      ok  owner           uid <uid>, as this process
      ok  space           <n> MB are free, 64 MB are needed
      ok  project folder  no other project folder holds this id
      ok  elsewhere       not searched: the copy in its place can be used
      ok  cleanup         the CLI's cleanup has not run here
      ok  .claude.json    absent or sound
      ok  archive         equal to the disk, <size> bytes
      ok  CLI             CLI 2.1.330 wrote it, 2.1.330 would resume it
      ok  resumes         0 resumes failed since the last success"
  `);
});

describe('the id', () => {
  test('malformed, upper case, unknown, or not a UUID in the row', async () => {
    const s = await sample();
    expect(await diagnose(s, 'my session')).toMatchObject({
      session: null,
      verdict: 'unknown',
      cause: 'wrong-id',
    });
    const upper = await diagnose(s, s.row.id.toUpperCase());
    expect(upper).toMatchObject({ session: { id: s.row.id }, verdict: 'resumable', cause: 'wrong-id' });
    expect(upper.remedy).toContain(s.row.id);
    const unknown = await diagnose(s, randomUUID());
    expect(unknown).toMatchObject({ session: null, cause: 'wrong-id' });
    expect(unknown.evidence[0]).toContain('no CLI folder has a transcript');

    const bad = s.row.id.toUpperCase();
    await s.database.rows.updateTable('sessions').set({ id: bad }).execute();
    expect(await diagnose(s, bad)).toMatchObject({ verdict: 'rebuild-needed', cause: 'wrong-id' });
  });

  test('one the CLI made up stands in the folder of a conversation, or in a home', async () => {
    const s = await sample();
    const madeUp = randomUUID();
    put(join(dirname(s.file), `${madeUp}.jsonl`), sampleLines(madeUp));
    const diagnosis = await diagnose(s, madeUp);
    expect(diagnosis).toMatchObject({ session: null, cause: 'wrong-id' });
    expect(diagnosis.remedy).toContain(`Diagnose conversation ${s.conversation.id}`);

    const home = sampleFolder();
    const foreign = randomUUID();
    const file = join(home, '.claude', 'projects', 'x', `${foreign}.jsonl`);
    put(file, sampleLines(foreign));
    const outside = await diagnose(s, foreign, { otherHomes: [home] });
    expect(outside.evidence[0]).toContain(`${file} is the history of a CLI outside`);
  });

  test('a conversation by id, beginning and item; several agents; none yet', async () => {
    const s = await sample();
    for (const reference of [
      s.conversation.id,
      s.conversation.id.slice(0, 8),
      'Team/Shop#12',
      s.row.id.slice(0, 9),
    ]) {
      expect(await diagnose(s, reference)).toMatchObject({ session: { id: s.row.id }, cause: 'none' });
    }
    const other = await sampleConversation(s.database, { agent: 'reviewer' });
    await expect(diagnose(s, 'team/shop#12')).rejects.toThrow(`${other.id} (reviewer on home:team/shop#12)`);
    expect(await diagnose(s, other.id)).toMatchObject({
      session: null,
      verdict: 'resumable',
      cause: 'no-session',
    });
  });
});

describe('nothing was written', () => {
  test('never, with and without something lost', async () => {
    const s = await sample({ verified: false });
    expect(await diagnose(s)).toMatchObject({
      verdict: 'resumable',
      cause: 'never-written',
      archive: 'missing',
    });
    await answered(s);
    expect(await diagnose(s)).toMatchObject({ verdict: 'rebuild-needed', cause: 'never-written' });
  });

  test('the answer came and its transcript did not', async () => {
    const s = await sample();
    await abandonSession(s.database.rows, s.row.id, 'transcript-not-written');
    await recordIncident(s.database.rows, {
      conversationId: s.conversation.id,
      dispatchId: 'd9',
      sessionId: s.row.id,
      rung: 'unverified',
      reason: 'transcript-not-written',
      evidence: {},
      now: SAMPLE_TIME,
    });
    const diagnosis = await diagnose(s);
    expect(diagnosis).toMatchObject({ verdict: 'rebuild-needed', cause: 'turn-not-written' });
    expect(diagnosis.evidence.at(-1)).toBe(
      'Incident of 2026-01-02 03:04:05Z, dispatch d9: unverified, transcript-not-written.',
    );
    expect(renderDiagnosis(diagnosis)).toContain('incidents\n  Incident of 2026-01-02');
  });
});

describe('in the wrong place', () => {
  test('another project folder, alone or as a second history', async () => {
    const s = await sample({ archive: false });
    const stray = join(s.row.config_folder, 'projects', '-repository', `${s.row.id}.jsonl`);
    put(stray, readFileSync(s.file));
    const twice = await diagnose(s);
    expect(twice).toMatchObject({ verdict: 'restorable', cause: 'other-project-folder' });
    expect(twice.evidence.join('\n')).toContain(stray);
    rmSync(s.file);
    expect(await diagnose(s)).toMatchObject({ verdict: 'restorable', cause: 'other-project-folder' });
    put(stray, 'nothing\n');
    expect(await diagnose(s)).toMatchObject({ verdict: 'rebuild-needed', cause: 'other-project-folder' });
  });

  test("another conversation's CLI folder", async () => {
    const s = await sample({ archive: false });
    const there = join(cliFolders(s.state, randomUUID()).config, transcriptPath(s.row.id));
    put(there, readFileSync(s.file));
    rmSync(s.file);
    const diagnosis = await diagnose(s);
    expect(diagnosis).toMatchObject({ verdict: 'restorable', cause: 'other-config-folder' });
    expect(diagnosis.remedy).toContain(`move ${there} to ${s.file}`);
    expect(diagnosis.remedy).toContain('Left alone, the next dispatch makes a new session');
  });

  test('another home: a named one, as CLI folder or as HOME, and the HOME of the conversation itself', async () => {
    const s = await sample({ archive: false });
    const lines = readFileSync(s.file);
    rmSync(s.file);
    const home = sampleFolder();
    expect(await diagnose(s, s.row.id, { otherHomes: [home] })).toMatchObject({ cause: 'missing' });
    for (const [base, otherHomes] of [
      [join(home, '.claude'), [home]],
      [join(home, 'config'), [join(home, 'config')]],
      [join(dirname(s.row.config_folder), 'home', '.claude'), []],
    ] as const) {
      const file = join(base, 'projects', '-x', `${s.row.id}.jsonl`);
      put(file, lines);
      const diagnosis = await diagnose(s, s.row.id, { otherHomes: [...otherHomes] });
      expect(diagnosis).toMatchObject({ verdict: 'restorable', cause: 'other-home' });
      expect(diagnosis.remedy).toContain(file);
      rmSync(base, { recursive: true });
    }
  });

  test('the state folder is another one now', async () => {
    const s = await sample();
    const stateFolder = sampleFolder();
    const folders = cliFolders(stateFolder, s.conversation.id);
    const former = await diagnose(s, s.row.id, { stateFolder });
    expect(former).toMatchObject({ verdict: 'restorable', cause: 'other-home' });
    expect(former.remedy).toContain(
      `Keep ${s.row.config_folder} until then, or move it to ${folders.config}`,
    );
    expect(former.remedy).toContain('The next dispatch restores it by itself.');

    cpSync(s.row.config_folder, folders.config, { recursive: true });
    const copied = await diagnose(s, s.row.id, { stateFolder });
    expect(copied).toMatchObject({ verdict: 'resumable', cause: 'none' });
    expect(copied.session!.transcript).toBe(join(folders.config, transcriptPath(s.row.id)));
    expect(await diagnose(s, s.row.id, { stateFolder: s.state })).toMatchObject({ cause: 'none' });
  });

  test('the file is the one of another session', async () => {
    const s = await sample({ archive: false });
    const other = randomUUID();
    put(s.file, sampleLines(other));
    const diagnosis = await diagnose(s);
    expect(diagnosis).toMatchObject({ verdict: 'rebuild-needed', cause: 'foreign-transcript' });
    expect(diagnosis.evidence.join('\n')).toContain(other);
    append(s.file, '{"sessionId":"\\u001b]0;title\\u0007"}\n');
    const text = renderDiagnosis(await diagnose(s));
    expect(text).toContain(`${other}, ]0;title`);
  });
});
