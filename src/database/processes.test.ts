/** Two processes at one database: on SQLite the service and a command beside it, on PostgreSQL two workers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeDatabases, openSqlite, type TestDatabase } from '../../test/support/databases.ts';
import { acceptDelivery } from '../inbox.ts';
import { migrations } from './migrations.ts';

const SCRIPT = fileURLToPath(new URL('../../test/support/second-process.ts', import.meta.url));

interface Second {
  /** resolves when the process has said this */
  said(text: string): Promise<void>;
  /** all it said, once it ended well */
  ended: Promise<string>;
}

function second(...args: string[]): Second {
  const child: ChildProcess = spawn(process.execPath, [SCRIPT, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  let errors = '';
  child.stdout!.on('data', (data) => {
    output += String(data);
  });
  child.stderr!.on('data', (data) => {
    errors += String(data);
  });
  const ended = once(child, 'close').then(([code]) => {
    if (code !== 0) throw new Error(`the second process ended with ${code}: ${errors}`);
    return output;
  });
  const said = async (text: string): Promise<void> => {
    const silent = ended.then(() => {
      if (!output.includes(text)) throw new Error(`the second process ended without saying ${text}`);
    });
    while (!output.includes(text)) await Promise.race([once(child.stdout!, 'data'), silent]);
  };
  return { said, ended };
}

function accept(database: Pick<TestDatabase, 'rows'>, forgeDeliveryId: string) {
  return acceptDelivery(database.rows, {
    forge: 'home',
    forgeDeliveryId,
    source: 'webhook',
    headers: {},
    body: new Uint8Array(),
    now: 0,
  });
}

async function storedIds(database: TestDatabase): Promise<string[]> {
  const rows = await database.rows.selectFrom('deliveries').select('forge_delivery_id').execute();
  return rows.map((r) => r.forge_delivery_id).sort();
}

describeDatabases('two processes', (open) => {
  test('migrate an empty database once', async () => {
    const database = await open({ migrated: false });
    const processes = [second('migrate', database.url), second('migrate', database.url)];
    const applied = await Promise.all(processes.map((p) => p.ended));
    expect(applied.sort()).toEqual([JSON.stringify(Object.keys(migrations('sqlite'))), '[]']);
  });

  test('write while the other holds a transaction', async () => {
    const database = await open();
    const other = second('accept', database.url, 'theirs', '150');
    await other.said('holding');
    expect((await accept(database, 'ours')).kind).toBe('accepted');
    await other.ended;
    expect(await storedIds(database)).toEqual(['ours', 'theirs']);
  });

  test('accept the same delivery once', async () => {
    const database = await open();
    const other = second('accept', database.url, 'same', '150');
    await other.said('holding');
    expect((await accept(database, 'same')).kind).toBe('repeated');
    await other.ended;
    expect(await storedIds(database)).toEqual(['same']);
  });
});

describe('SQLite', () => {
  test('syncs every commit and writes ahead', async () => {
    const { rows } = await openSqlite();
    const FULL = 2;
    expect((await sql`pragma synchronous`.execute(rows)).rows).toEqual([{ synchronous: FULL }]);
    expect((await sql`pragma journal_mode`.execute(rows)).rows).toEqual([{ journal_mode: 'wal' }]);
    expect((await sql`pragma foreign_keys`.execute(rows)).rows).toEqual([{ foreign_keys: 1 }]);
  });

  // What a deferred transaction fails at: it reads, another process writes, and its own write comes too late.
  test('keeps a transaction that reads before it writes', async () => {
    const database = await openSqlite();
    const other = second('accept', database.url, 'theirs', '0');
    await database.transaction(async (tx) => {
      await tx.selectFrom('deliveries').selectAll().execute();
      await other.said('trying');
      await new Promise((resolve) => setTimeout(resolve, 150));
      await accept({ rows: tx as TestDatabase['rows'] }, 'ours');
    });
    await other.ended;
    expect(await storedIds(database)).toEqual(['ours', 'theirs']);
  });
});
