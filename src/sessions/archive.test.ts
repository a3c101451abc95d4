import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeDatabases, type OpenTestDatabase, untilWaiting } from '../../test/support/databases.ts';
import { conversationOn } from '../../test/support/mailbox.ts';
import { archiveBytes, archivedFiles, archiveFolder, dropArchived, readArchived } from './archive.ts';

const PATH = 'projects/conversation/one.jsonl';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'claude-hooks-archive-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A CLI folder, a conversation, and the archive between them. */
async function setUp(open: OpenTestDatabase) {
  const database = await open();
  const folder = await temporaryFolder();
  const { id } = await conversationOn(database.rows);
  return {
    database,
    id,
    folder,
    write: async (bytes: string | Uint8Array, path = PATH): Promise<void> => {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), bytes);
    },
    append: (bytes: string | Uint8Array) => appendFile(join(folder, PATH), bytes),
    archive: () => archiveFolder(database, id, folder),
    read: async (path = PATH): Promise<Buffer | null> => {
      const bytes = await readArchived(database.rows, id, path);
      return bytes === null ? null : Buffer.from(bytes);
    },
    chunks: () =>
      database.rows
        .selectFrom('transcript_chunks')
        .select(['generation', 'start'])
        .orderBy('start')
        .execute(),
  };
}

describeDatabases('the archive', (open) => {
  test('holds the bytes, whatever they are', async () => {
    const { write, archive, read } = await setUp(open);
    const bytes = Buffer.concat([Buffer.from([0, 0xff, 0xfe, 0x80, 0x0d, 0x0a]), randomBytes(500)]);
    await write(bytes);
    expect(await archive()).toEqual([{ path: PATH, generation: 1, size: 506 }]);
    expect(await read()).toEqual(bytes);
  });

  test('grows by what the file has gained', async () => {
    const { write, append, archive, read, chunks } = await setUp(open);
    await write('one\n');
    await archive();
    await append('two\nhalf a li');
    await archive();
    await append('ne\n');
    expect(await archive()).toEqual([{ path: PATH, generation: 1, size: 20 }]);
    expect((await read())?.toString()).toBe('one\ntwo\nhalf a line\n');
    expect(await chunks()).toEqual([0, 4, 17].map((start) => ({ generation: 1, start })));
    await archive();
    expect(await chunks()).toHaveLength(3);
  });

  test('holds a file of 5 MB in pieces', async () => {
    const { write, append, archive, read, chunks } = await setUp(open);
    const bytes = randomBytes(5 * 1024 * 1024 + 17);
    await write(bytes);
    await archive();
    await append('the end');
    await archive();
    expect((await read())!.equals(Buffer.concat([bytes, Buffer.from('the end')]))).toBe(true);
    expect(await chunks()).toHaveLength(7);
  });

  test('holds every file below projects, and nothing else', async () => {
    const { write, archive, read, folder, database, id } = await setUp(open);
    const companions = [
      'projects/conversation/one/subagents/agent-a.jsonl',
      'projects/conversation/one/result.txt',
    ];
    await write('main\n');
    for (const path of companions) await write(path, path);
    await write('secret', 'settings.json');
    await write('half', 'projects/conversation/two.jsonl.tmp');
    await archive();
    const known = await archivedFiles(database.rows, id);
    expect(known.map((f) => f.path).sort()).toEqual([PATH, ...companions].sort());
    for (const path of companions) expect((await read(path))?.toString()).toBe(path);
    expect(await archiveFolder(database, id, join(folder, 'nowhere'))).toEqual([]);
  });

  test('follows no link', async () => {
    const { write, archive, read, folder } = await setUp(open);
    await write('main\n');
    await write('secret', 'outside/secret.txt');
    await symlink(join(folder, 'outside/secret.txt'), join(folder, 'projects/conversation/link.jsonl'));
    await symlink(join(folder, 'outside'), join(folder, 'projects/linked'));
    expect((await archive()).map((f) => f.path)).toEqual([PATH]);
    expect(await read('projects/conversation/link.jsonl')).toBeNull();
  });

  test('keeps conversations apart', async () => {
    const { write, archive, database, folder } = await setUp(open);
    await write('mine\n');
    await archive();
    const other = await conversationOn(database.rows, { number: 13 });
    expect(await readArchived(database.rows, other.id, PATH)).toBeNull();
    await archiveFolder(database, other.id, folder);
    await dropArchived(database.rows, other.id, PATH);
    expect(await archive()).toMatchObject([{ size: 5 }]);
  });
});

describeDatabases('a file that is no continuation', (open) => {
  test.each([
    ['cut', 'one\n'],
    ['rewritten at the same length', 'ONE\nTWO\n'],
    ['rewritten and longer', 'other\nhistory\n'],
  ])('was %s: a transcript is not followed, the archived copy stays', async (_, bytes) => {
    const { write, append, archive, read, chunks } = await setUp(open);
    await write('one\n');
    await archive();
    await append('two\n');
    await archive();
    await write(bytes);
    expect(await archive()).toEqual([{ path: PATH, generation: 1, size: 8 }]);
    expect((await read())?.toString()).toBe('one\ntwo\n');
    expect((await chunks()).length).toBe(2);
  });

  test('and is no transcript starts a new generation, and the old one goes', async () => {
    const database = await open();
    const { id } = await conversationOn(database.rows, { number: 1 });
    const folder = await mkdtemp(join(tmpdir(), 'claude-hooks-archive-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const path = 'projects/conversation/one/tool-results/a.txt';
    await mkdir(join(folder, 'projects/conversation/one/tool-results'), { recursive: true });
    for (const [text, generation] of [
      ['first output', 1],
      ['second', 2],
    ] as const) {
      await writeFile(join(folder, path), text);
      expect(await archiveFolder(database, id, folder)).toEqual([{ path, generation, size: text.length }]);
      expect(Buffer.from((await readArchived(database.rows, id, path))!).toString()).toBe(text);
    }
  });

  test('and is empty leaves the archive as it is', async () => {
    const { write, archive, read } = await setUp(open);
    await write('one\n');
    await archive();
    await write('');
    expect(await archive()).toEqual([{ path: PATH, generation: 1, size: 4 }]);
    expect((await read())?.toString()).toBe('one\n');
  });

  test('can be put there by us, in pieces', async () => {
    const { write, archive, read, database, id } = await setUp(open);
    await write('broken\n');
    await archive();
    const bytes = randomBytes(2 * 1024 * 1024 + 1);
    await archiveBytes(database, { conversationId: id, path: PATH, bytes });
    expect((await read())!.equals(bytes)).toBe(true);
    await write(bytes);
    expect(await archive()).toEqual([{ path: PATH, generation: 2, size: bytes.length }]);
  });

  test('is forgotten when it is dropped', async () => {
    const { write, archive, read, chunks, database, id } = await setUp(open);
    await write('one\n');
    await archive();
    await dropArchived(database.rows, id, PATH);
    expect([await read(), await chunks()]).toEqual([null, []]);
    await archive();
    expect((await read())?.toString()).toBe('one\n');
  });
});

describeDatabases('reading the archive', (open) => {
  test('answers nothing for a file with a hole', async () => {
    const { write, append, archive, read, database } = await setUp(open);
    await write('one\n');
    for (const line of ['two\n', 'three\n']) {
      await archive();
      await append(line);
    }
    await archive();
    expect((await read())?.toString()).toBe('one\ntwo\nthree\n');
    const without = (start: number) =>
      database.rows.deleteFrom('transcript_chunks').where('start', '=', start).execute();
    await without(8);
    expect(await read(), 'the end is missing').toBeNull();
    await without(4);
    await without(0);
    expect(await read(), 'all is missing').toBeNull();
  });

  test('two archivers at once write no hole', async () => {
    const { write, append, archive, read, database, chunks } = await setUp(open);
    await write('one\n');
    await archive();
    await append('two\n');
    const holding = Promise.withResolvers<void>();
    const first = database.transaction(async (tx) => {
      await tx.updateTable('transcript_files').set({ size: 8 }).execute();
      holding.resolve();
      await untilWaiting(database);
      const [chunk] = await tx.selectFrom('transcript_chunks').selectAll().execute();
      await tx
        .insertInto('transcript_chunks')
        .values({ ...chunk!, start: 4, bytes: Buffer.from('two\n') })
        .execute();
    });
    await holding.promise;
    await append('three\n');
    await archive();
    await first;
    await archive();
    expect((await read())?.toString()).toBe('one\ntwo\nthree\n');
    expect((await chunks()).map((c) => c.start)).toEqual([0, 4, 8]);
  });

  test('many archivers at once hold the file once', async () => {
    const { write, archive, read } = await setUp(open);
    const bytes = randomBytes(3 * 1024 * 1024);
    await write(bytes);
    await Promise.all([archive(), archive(), archive()]);
    await archive();
    expect((await read())!.equals(bytes)).toBe(true);
  });
});
