import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contextOf, diagnose, find } from '../../test/support/doctor.ts';
import { type Installation, openInstallation } from '../../test/support/smoke-config.ts';
import { type Database, migrate, openDatabase } from '../database/database.ts';
import { checkDatabase, checkRecords, compareVersions } from './records.ts';

let here: Installation;
let folder: string;
let database: Database;
beforeEach(async () => {
  here = await openInstallation();
  folder = mkdtempSync(join(tmpdir(), 'claude-hooks-records-'));
  database = openDatabase({ url: `sqlite:${join(folder, 'test.db')}` });
});
afterEach(async () => {
  await database.close();
  await here.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a database of an older release names what is missing', async () => {
  const [finding] = await checkDatabase(database, null);
  expect(finding).toMatchObject({
    check: 'database-not-migrated',
    evidence: expect.stringContaining('0002'),
    remedy: expect.stringContaining('claude-hooks migrate'),
  });
  await migrate(database);
  expect(await checkDatabase(database, null)).toEqual([]);
});

test('a database that is not there does not stop the other checks', async () => {
  const report = await diagnose(here.config(), { service: { url: null, healthUrl: null, running: true } });
  expect(find(report, 'database-unreachable')).toMatchObject({ severity: 'broken' });
  expect(find(report, 'hook-not-seen')).toBeDefined();
  const first = await diagnose(here.config());
  expect(find(first, 'not-started-yet')).toMatchObject({ severity: 'note' });
  expect(first.ok).toBe(true);
});

test('a model credential that the last request was refused with', async () => {
  await migrate(database);
  const request = (status: number) =>
    database.rows
      .insertInto('model_requests')
      .values({
        dispatch_id: 'd',
        conversation_id: 'c',
        agent: 'dev',
        at: Date.now(),
        model: 'claude-sonnet-4-5',
        status,
        outcome: 'answered',
        input_tokens: 0,
        output_tokens: 0,
        cache_read_tokens: 0,
        cache_write_tokens: 0,
        micro_usd: null,
        first_byte_ms: null,
        total_ms: null,
      })
      .execute();
  const look = () => checkRecords({ ...contextOf(here.config()), rows: database.rows });
  await request(401);
  expect(await look()).toMatchObject([{ check: 'model-credential-refused', severity: 'broken' }]);
  await request(200);
  expect(await look()).toEqual([]);
});

test('versions are compared by number', () => {
  expect(compareVersions('2.1.330', '2.1.99')).toBeGreaterThan(0);
  expect(compareVersions('2.1.330', '2.1.330')).toBe(0);
  expect(compareVersions('2.0.999', '2.1.0')).toBeLessThan(0);
});
