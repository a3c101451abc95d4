/**
 * Whatever comes, in whatever order, and whoever dies over it: the invariants of the rows hold after every step, and
 * when nothing more comes everything is settled. Real rooms on both databases; only the CLI and the forge are pretended.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { ConfigFolder } from '../support/config-folder.ts';
import { describeDatabases } from '../support/databases.ts';
import { patience } from '../support/patience.ts';
import { REMEMBERED } from './remembered.ts';
import { emptyTables } from './rows.ts';
import { holdsFor } from './seeded.ts';
import { anyStep, type Step } from './steps.ts';
import { World } from './world.ts';

const folder = new ConfigFolder();
afterAll(() => folder[Symbol.dispose]());
const config = folder.load();

const MANY_STEPS = 120;
const RUNS = { usually: 40, shrinkMs: 60_000 };

async function tell(database: Database, story: Step[]): Promise<void> {
  const state = await mkdtemp(join(tmpdir(), 'claude-hooks-story-'));
  try {
    await emptyTables(database);
    const world = await World.begin({ database, config, state });
    for (const step of story) await world.perform(step);
    await world.drain();
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

describeDatabases('the invariants', (open) => {
  test.each(Object.keys(REMEMBERED))('%s', async (name) => {
    await tell(await open(), REMEMBERED[name]!);
  });

  test('hold after every step of any story, and every story ends', {
    timeout: patience(3_600_000),
  }, async () => {
    const database = await open();
    const stories = fc.array(anyStep, { maxLength: MANY_STEPS, size: 'max' });
    await holdsFor(stories, (story) => tell(database, story), RUNS);
  });
});
