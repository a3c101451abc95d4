import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { DatabaseUnusable, NotFound } from '../errors.ts';
import { migrate, openDatabase } from './database.ts';
import { openExisting } from './opening.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claude-hooks-opening-'));
  file = join(folder, 'state', 'claude-hooks.db');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

async function refusal(url: string, readOnly: boolean): Promise<Error> {
  const opened = await openExisting({ url, readOnly }).catch((error: unknown) => error);
  if (opened instanceof Error) return opened;
  throw new Error('It was opened.');
}

describe.each([true, false])('readOnly: %s', (readOnly) => {
  test('before the first start the path and the remedy are named, and nothing is made', async () => {
    const error = await refusal(`sqlite:${file}`, readOnly);
    expect(error).toBeInstanceOf(DatabaseUnusable);
    expect(error.message).toMatch(
      /^There is no database at .*claude-hooks\.db: .* Start it with `claude-hooks serve`/,
    );
    expect(error.message).toContain(file);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a file that is no database is named', async () => {
    mkdirSync(join(folder, 'state'));
    writeFileSync(file, 'no database, but text that is long enough to be looked at');
    const error = await refusal(`sqlite:${file}`, readOnly);
    expect(error).toBeInstanceOf(DatabaseUnusable);
    expect(error.message).toMatch(/cannot be used: file is not a database\. Restore a backup/);
  });

  test('without our tables it says how to make them', async () => {
    await openDatabase({ url: `sqlite:${file}` }).close();
    const error = await refusal(`sqlite:${file}`, readOnly);
    expect(error).toBeInstanceOf(NotFound);
    expect(error.message).toContain('`claude-hooks migrate`');
  });

  test('a PostgreSQL that does not answer is named without its password', async () => {
    const error = await refusal('postgres://ada:word-of-ada@127.0.0.1:9/hooks', readOnly);
    expect(error).toBeInstanceOf(DatabaseUnusable);
    expect(error.message).toMatch(
      /^The database 127\.0\.0\.1:9\/hooks cannot be used: .*ECONNREFUSED.*\. See that/,
    );
    expect(error.message).not.toContain('word-of-ada');
  });

  test('one that is there is opened', async () => {
    const made = openDatabase({ url: `sqlite:${file}` });
    await migrate(made);
    await made.close();
    const database = await openExisting({ url: `sqlite:${file}`, readOnly });
    expect(await database.rows.selectFrom('conversations').selectAll().execute()).toEqual([]);
    await database.close();
  });
});
