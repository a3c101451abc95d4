import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contextOf } from '../../test/support/doctor.ts';
import { type Installation, openInstallation } from '../../test/support/smoke-config.ts';
import { checkReaders } from './readers.ts';

let here: Installation;
beforeEach(async () => {
  here = await openInstallation();
});
afterEach(() => here.close());

const look = (changes: Record<string, unknown> = {}) =>
  checkReaders({ ...contextOf(here.config(changes)), rows: null });

test('a state folder and a database that other users can read are named', async () => {
  const { state } = here.config();
  const database = join(state, 'claude-hooks.db');
  mkdirSync(state, { recursive: true, mode: 0o755 });
  writeFileSync(database, '', { mode: 0o644 });
  // Nobody gets that far.
  chmodSync(here.folder, 0o700);
  expect(await look()).toEqual([]);
  chmodSync(here.folder, 0o755);
  const found = await look();
  expect(found.map((f) => [f.check, f.severity, f.subject])).toEqual([
    ['readable-by-others', 'risk', state],
    ['readable-by-others', 'risk', database],
  ]);
  expect(found[0]!.remedy).toMatch(/^Run chmod 700/);
  chmodSync(state, 0o700);
  expect(await look()).toEqual([]);
  const elsewhere = join(here.folder, 'rows.db');
  writeFileSync(elsewhere, '', { mode: 0o640 });
  expect(await look({ database: { url: `sqlite:${elsewhere}` } })).toMatchObject([
    { check: 'readable-by-others', subject: elsewhere, evidence: 'its mode is 640' },
  ]);
});
