import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate, openDatabase } from './database.ts';

let folder: string;
let umask: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claude-hooks-private-'));
  umask = process.umask();
});
afterEach(() => {
  process.umask(umask);
  rmSync(folder, { recursive: true, force: true });
});

const modeOf = (path: string) => statSync(path).mode & 0o777;

test.each([0, 0o022, 0o077])(
  'a new file and those beside it are for the owner alone, under umask %i',
  async (mask) => {
    process.umask(mask);
    const file = join(folder, 'elsewhere', 'rows.db');
    const said: string[] = [];
    const database = openDatabase({ url: `sqlite:${file}`, tightened: (s) => said.push(s) });
    await migrate(database);
    for (const name of [file, `${file}-wal`, `${file}-shm`]) expect(modeOf(name), name).toBe(0o600);
    expect(modeOf(join(folder, 'elsewhere'))).toBe(0o700);
    expect(said).toEqual([]);
    await database.close();
  },
);

test('one that others could read is closed to them, and that is said; reading beside it changes nothing', async () => {
  const file = join(folder, 'rows.db');
  const first = openDatabase({ url: `sqlite:${file}` });
  await migrate(first);
  for (const name of [file, `${file}-wal`, `${file}-shm`]) chmodSync(name, 0o644);
  const reader = openDatabase({ url: `sqlite:${file}`, readOnly: true });
  await reader.rows.selectFrom('deliveries').select('id').execute();
  await reader.close();
  expect(modeOf(file)).toBe(0o644);
  const said: string[] = [];
  const again = openDatabase({ url: `sqlite:${file}`, tightened: (s) => said.push(s) });
  expect(said).toHaveLength(3);
  expect(said[0]).toMatch(/the mode of .*rows\.db was 0644, .* it is 0600 now/);
  for (const name of [file, `${file}-wal`, `${file}-shm`]) expect(modeOf(name), name).toBe(0o600);
  await again.close();
  await first.close();
});

test('a second connection in this process leaves the locks of the first alone', async () => {
  const file = join(folder, 'rows.db');
  const first = openDatabase({ url: `sqlite:${file}` });
  await migrate(first);
  await first.transaction(async (tx) => {
    await tx.selectFrom('deliveries').select('id').execute();
    const second = openDatabase({ url: `sqlite:${file}` });
    await second.close();
  });
  await first.close();
  expect(modeOf(file)).toBe(0o600);
});

test('what is no file of ours is left to SQLite', () => {
  writeFileSync(join(folder, 'x'), '');
  expect(() => openDatabase({ url: 'sqlite::memory:' })).not.toThrow();
});
