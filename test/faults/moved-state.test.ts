/**
 * The state folder stands elsewhere at each start: renamed between the first dispatches, then restored from a copy onto
 * another path while the first one is still there. One session, the same commits, every push accepted.
 */
import { cpSync, readdirSync, readFileSync, readlinkSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeCases, isRun, tellHowToReplay } from './case.ts';
import { expectAllKept } from './guarantees.ts';
import { Injector } from './injector.ts';
import { REQUESTS_PER_TURN } from './story.ts';

const copy = (from: string, to: string) => cpSync(from, to, { recursive: true, verbatimSymlinks: true });

/** Where it stands from the second dispatch on, and how it came there. */
const MOVES: [name: string, relocate: (from: string, to: string) => void][] = [
  ['moved', renameSync],
  ['deep/below/another', renameSync],
  ['restored', copy],
];

for (const dialect of ['sqlite', 'postgres'] as const) {
  const id = `${dialect}/moved-state`;
  describeCases(dialect, isRun(id, true) ? [id] : [], () => {
    test('the state folder moves between every two dispatches', async () => {
      const injector = await Injector.open({ id, dialect });
      onTestFinished(() => injector.close());
      tellHowToReplay(id, injector);
      const { stage } = injector;
      const former: string[] = [];
      await injector.start();
      await injector.live();
      for (const [name, relocate] of MOVES) {
        await injector.kill();
        former.push(stage.state);
        await stage.moveState(name, relocate);
        const untouched = timesIn(former.at(-1)!);
        await injector.start();
        const round = await injector.live();
        expect.soft(round.requests.length, 'requests of a dispatch').toBe(REQUESTS_PER_TURN);
        expect.soft(timesIn(former.at(-1)!), 'the place it came from').toEqual(untouched);
      }
      const facts = await injector.facts();
      expectAllKept({ ...injector, facts });
      expect
        .soft(facts.dispatches.map((d) => d.continuity))
        .toEqual(['fresh', 'resumed', 'resumed', 'resumed']);
      expect.soft(await stage.rows.selectFrom('incidents').selectAll().execute()).toEqual([]);
      const folders = (await stage.sessions()).map((row) => row.config_folder);
      expect.soft(folders.filter((folder) => !folder.startsWith(`${stage.state}/`))).toEqual([]);
      await injector.kill();
      for (const place of former) expect.soft(holding(stage.state, `${place}/`), place).toEqual([]);
    });
  });
}

/** Of every file below; empty where there is no such folder. */
function timesIn(folder: string): Record<string, number> {
  const below = entries(folder).filter(({ entry }) => entry.isFile());
  return Object.fromEntries(below.map(({ path }) => [path, statSync(path).mtimeMs]));
}

/**
 * Files and links that name this place, without transcripts and the database that archives them: what the CLI told the
 * model of its folder is a part of the history, and nobody reads it as a path. What the rows say is asked of them.
 */
function holding(root: string, place: string): string[] {
  return entries(root)
    .filter(({ path }) => !/\/cli\/projects\/|claude-hooks\.db/.test(path))
    .filter(({ entry, path }) =>
      entry.isSymbolicLink()
        ? readlinkSync(path).includes(place)
        : entry.isFile() && readFileSync(path).includes(place),
    )
    .map(({ path }) => path.slice(root.length + 1));
}

function entries(root: string) {
  const all = statSync(root, { throwIfNoEntry: false })
    ? readdirSync(root, { withFileTypes: true, recursive: true })
    : [];
  return all.map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }));
}
