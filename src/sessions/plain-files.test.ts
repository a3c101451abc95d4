/** What an agent can put in the place of the CLI's files, and what the service makes of it. */
import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { conversationOn } from '../../test/support/mailbox.ts';
import type { SessionRow } from '../database/tables.ts';
import { archiveBytes, archivedFiles, archiveFolder } from './archive.ts';
import { diskCopy, strayCopies } from './copies.ts';
import { createCliFolders, transcriptPath } from './folders.ts';
import { putInPlace, restoreCompanions, setAside, setAsideConfig } from './placement.ts';
import { plainFiles, readPlain, writeWhole } from './plain-files.ts';
import { isConfigBroken } from './survey.ts';

const SECRET = 'root:$6$of-this-machine';

/** A CLI folder, and a folder of somebody else's beside it. */
function setUp() {
  const base = mkdtempSync(join(tmpdir(), 'claude-hooks-plain-'));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const [config, other] = [join(base, 'cli'), join(base, 'other')];
  const folders = {
    config,
    home: join(base, 'home'),
    temporary: join(base, 'tmp'),
    locks: join(base, 'l'),
    steering: join(base, 'steering'),
  };
  createCliFolders(folders);
  mkdirSync(other);
  writeFileSync(join(other, 'shadow'), SECRET);
  const session = { id: randomUUID(), config_folder: config, head: null } as SessionRow;
  const transcript = join(config, transcriptPath(session.id));
  return { config, other, folders, session, transcript, project: dirname(transcript) };
}

function replaceBy(path: string, target: string): void {
  rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path);
}

async function paths(config: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { path } of plainFiles(config, 'projects')) found.push(path);
  return found.sort();
}

describe('plain files', () => {
  test('are found, and nothing else is', async () => {
    const { config, other, project } = setUp();
    mkdirSync(join(project, 'deep'));
    writeFileSync(join(project, 'deep', 'a.txt'), 'a');
    writeFileSync(join(project, 'b.jsonl'), 'b');
    symlinkSync(other, join(project, 'folder'));
    symlinkSync(join(other, 'shadow'), join(project, 'file'));
    execFileSync('mkfifo', [join(project, 'pipe')]);
    expect(await paths(config)).toEqual([
      'projects/conversation/b.jsonl',
      'projects/conversation/deep/a.txt',
    ]);
  });

  test.each(['projects', 'projects/conversation'])('are not looked for behind %s as a link', async (name) => {
    const { config, other } = setUp();
    mkdirSync(join(other, 'conversation'));
    writeFileSync(join(other, 'conversation', 'x.jsonl'), SECRET);
    replaceBy(join(config, name), other);
    expect(await paths(config)).toEqual([]);
  });

  test('a folder that becomes a link while they are read leads nowhere', async () => {
    const { config, other, project } = setUp();
    for (const name of ['a', 'b']) {
      mkdirSync(join(project, name));
      writeFileSync(join(project, name, 'shadow'), 'mine');
    }
    const read: string[] = [];
    for await (const { path, handle } of plainFiles(config, 'projects')) {
      read.push((await handle.readFile()).toString());
      // The other one is exchanged after its folder was listed.
      const next = join(project, path.includes('/a/') ? 'b' : 'a');
      if (lstatSync(next).isDirectory()) {
        renameSync(next, `${next}-gone`);
        symlinkSync(other, next);
      }
    }
    expect(read).toEqual(['mine']);
  });

  test('a flood of them, and a bottomless folder, come to an end', async () => {
    const { config, project } = setUp();
    mkdirSync(join(project, 'd/'.repeat(40)), { recursive: true });
    writeFileSync(join(project, 'd/'.repeat(40), 'deep'), 'x');
    expect(await paths(config)).toEqual([]);
  });

  test('a device or a pipe is not read to its end', async () => {
    const { config, session, transcript } = setUp();
    symlinkSync('/dev/zero', transcript);
    expect(await diskCopy(session)).toMatchObject({ state: 'unreadable', code: 'ELOOP' });
    rmSync(transcript);
    execFileSync('mkfifo', [transcript]);
    expect(await diskCopy(session)).toMatchObject({ state: 'unreadable', code: 'ELOOP' });
    rmSync(transcript);
    writeFileSync(transcript, '');
    truncateSync(transcript, 300 * 1024 * 1024);
    expect(await diskCopy(session)).toMatchObject({ state: 'unreadable', code: 'EFBIG' });
    await expect(readPlain(config, 'projects/conversation')).rejects.toThrow('no plain file');
  });
});

describe('writeWhole', () => {
  test('leaves the file, its folder, and no other trace', async () => {
    const { config } = setUp();
    const bytes = randomBytes(1000);
    await writeWhole(config, 'deep/file.jsonl', Buffer.from('older and longer'.repeat(100)));
    await writeWhole(config, 'deep/file.jsonl', bytes);
    expect(readFileSync(join(config, 'deep/file.jsonl')).equals(bytes)).toBe(true);
    expect(statSync(join(config, 'deep/file.jsonl')).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(config, 'deep'))).toEqual(['file.jsonl']);
  });

  test('writes through no link: of the folder, of the file, of its temporary name', async () => {
    const { config, other, project, transcript, session } = setUp();
    symlinkSync(join(other, 'shadow'), `${transcript}.tmp`);
    symlinkSync(join(other, 'shadow'), transcript);
    await writeWhole(config, transcriptPath(session.id), Buffer.from('new'));
    expect(lstatSync(transcript).isFile()).toBe(true);
    replaceBy(project, other);
    await writeWhole(config, transcriptPath(session.id), Buffer.from('new'));
    expect(readFileSync(transcript, 'utf8')).toBe('new');
    expect(readdirSync(other)).toEqual(['shadow']);
    expect(readFileSync(join(other, 'shadow'), 'utf8')).toBe(SECRET);
  });

  test('takes the place of folders', async () => {
    const { config, transcript, session } = setUp();
    mkdirSync(join(transcript, 'x'), { recursive: true });
    mkdirSync(join(`${transcript}.tmp`, 'x'), { recursive: true });
    mkdirSync(join(`${transcript}.set-aside`, 'x'), { recursive: true });
    await putInPlace({ ...session, config_folder: config }, Buffer.from('new'));
    expect(readFileSync(transcript, 'utf8')).toBe('new');
    await setAside(session);
    expect(existsSync(transcript)).toBe(false);
  });
});

describe('the CLI folder', () => {
  test.each(['projects', 'projects/conversation'])('gets %s back where it is a link', (name) => {
    const { config, other, folders, project } = setUp();
    replaceBy(join(config, name), other);
    createCliFolders(folders);
    expect(lstatSync(join(config, 'projects')).isDirectory()).toBe(true);
    expect(lstatSync(project).isDirectory()).toBe(true);
    expect(readdirSync(other)).toEqual(['shadow']);
  });

  test('a .claude.json that leads elsewhere, or never ends, is set aside', async () => {
    const { config, other } = setUp();
    for (const target of [join(other, 'shadow'), '/dev/zero']) {
      replaceBy(join(config, '.claude.json'), target);
      expect(await isConfigBroken(config)).toBe(true);
      await setAsideConfig(config);
      expect(existsSync(join(config, '.claude.json'))).toBe(false);
    }
    expect(readFileSync(join(other, 'shadow'), 'utf8')).toBe(SECRET);
  });

  test('strays behind a link are nobody’s', async () => {
    const { config, other, session } = setUp();
    writeFileSync(join(other, `${session.id}.jsonl`), '{}');
    symlinkSync(other, join(config, 'projects', 'elsewhere'));
    expect(await strayCopies(session)).toEqual([]);
  });
});

describeDatabases('the archive of a hostile folder', (open) => {
  test('takes nothing from behind a link, and is written back through none', async () => {
    const { config, other, session, project, transcript } = setUp();
    const database = await open();
    const { id } = await conversationOn(database.rows);
    const row = { ...session, conversation_id: id };
    replaceBy(join(config, 'projects'), other);
    await archiveFolder(database, id, config);
    expect(await archivedFiles(database.rows, id)).toEqual([]);

    rmSync(join(config, 'projects'));
    mkdirSync(project, { recursive: true });
    const companion = join(dirname(transcriptPath(session.id)), session.id, 'evil');
    await archiveBytes(database, { conversationId: id, path: companion, bytes: Buffer.from('evil') });
    symlinkSync(other, join(project, session.id));
    await putInPlace(row, Buffer.from('x'));
    await restoreCompanions(database, row);
    expect(readFileSync(join(config, companion), 'utf8')).toBe('evil');
    expect(readdirSync(other)).toEqual(['shadow']);
    expect(readFileSync(transcript, 'utf8')).toBe('x');
  });
});
