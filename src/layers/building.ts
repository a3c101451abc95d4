/** Builds one layer, from the row that says so to the row that says what came of it. */
import { join } from 'node:path';
import type { ContainerEngine } from '../container/container.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { Workdir } from '../workdir/port.ts';
import { removeTree } from '../workdir/remove-tree.ts';
import { type Ran, runSetUp } from './build.ts';
import { commitLayer } from './commit.ts';
import type { Job } from './job.ts';
import { bytesOf, type LayerOnDisk } from './manifest.ts';
import { Output, saysDiskFull } from './output.ts';
import type { LayerRequest } from './port.ts';
import { noteBuilding, noteFailed, noteReady, noteStopped } from './rows.ts';

export type LayerAnswer =
  | { kind: 'ready'; layer: LayerOnDisk; built: boolean }
  /** `reason`: whole sentences */
  | { kind: 'failed'; reason: string; logEnd: string }
  | { kind: 'stopped' };

export interface BuildDeps {
  folder: string;
  instance: string;
  database: Database;
  engine: ContainerEngine;
  workdir: Workdir;
  secrets: () => readonly string[];
  log: Log;
  now: () => number;
}

type Failed = Extract<Ran, { kind: 'failed' }>;

export async function buildLayer(
  deps: BuildDeps,
  r: LayerRequest,
  { job, failures }: { job: Job; failures: number },
): Promise<LayerAnswer> {
  const { database, instance, log, now } = deps;
  const name = { place: instance, key: job.key };
  const about = { repository: r.repository, engine: deps.engine.name, image: r.settings.image };
  await noteBuilding(database, name, {
    ...{ about: { ...about, recipe: job.recipe }, dispatch: r.dispatchId, now: now() },
  });
  const output = new Output();
  const folder = join(deps.folder, 'building', job.key);
  const fields = { layer: job.key, repository: r.repository.fullName, dispatch: r.dispatchId };
  log.info('set-up commands run', { ...fields, from: job.recipe.source });
  try {
    const outcome = await runAndCommit(deps, r, { job, output, folder });
    if (outcome.kind === 'stopped') {
      await noteStopped(database.rows, name, now());
      return outcome;
    }
    const logEnd = output.end(deps.secrets());
    if (outcome.kind === 'ready') {
      await noteReady(database.rows, name, { bytes: bytesOf(outcome.layer), logEnd, now: now() });
      log.info('set-up commands ended, and their layer is ready', {
        ...fields,
        bytes: bytesOf(outcome.layer),
      });
      return { ...outcome, built: true };
    }
    const reason = sentenceOf(outcome, job.recipe);
    await noteFailed(database.rows, name, { failures: failures + 1, reason, logEnd, now: now() });
    log.warn(`set-up commands failed: ${reason}`, { ...fields, end: logEnd.slice(-LOGGED) });
    return { kind: 'failed', reason, logEnd };
  } finally {
    await removeTree(folder).catch((error) => log.warn(`${folder} was not removed: ${String(error)}`));
  }
}

const LOGGED = 1000;

async function runAndCommit(
  deps: BuildDeps,
  r: LayerRequest,
  { job, output, folder }: { job: Job; output: Output; folder: string },
): Promise<{ kind: 'ready'; layer: LayerOnDisk } | Failed | { kind: 'stopped' }> {
  try {
    const { ran, folders } = await runSetUp({
      engine: deps.engine,
      instance: deps.instance,
      dispatch: r.dispatchId,
      recipe: job.recipe,
      settings: r.settings,
      checkoutName: job.checkoutName,
      folder: join(folder, 'run'),
      layOut: (into) => deps.workdir.layOut(r.checkout, r.base, into),
      openDoors: () => r.openDoors(),
      output,
      signal: r.signal,
    });
    if (ran.kind !== 'done') return ran;
    const committed = await commitLayer({
      root: deps.folder,
      key: job.key,
      fresh: join(folder, 'layer'),
      from: folders,
      keep: job.recipe.keep,
      targetOf: job.targetOf,
      within: job.within,
    });
    if (committed.kind === 'nothing') return { kind: 'failed', why: 'machine', what: committed.problem };
    for (const note of committed.notes) output.add(`\n${note}`);
    return { kind: 'ready', layer: committed.layer };
  } catch (error) {
    // Whatever keeps the commands from running, the dispatch goes on without them.
    const said = error instanceof Error ? error.message : String(error);
    if (saysDiskFull(said)) return { kind: 'failed', why: 'disk-full', what: 'found no room on the disk' };
    return { kind: 'failed', why: 'machine', what: said };
  }
}

function sentenceOf({ why, what }: Failed, { source }: Job['recipe']): string {
  const where = source === 'repository' ? '.claude-hooks/setup.yaml' : 'container.setup';
  switch (why) {
    case 'machine':
      return what;
    case 'disk-full':
      return `The set-up commands ${what}. Make room on the disk of the state folder.`;
    case 'exit':
      return `The set-up commands ${what}. Correct them in ${where}.`;
    case 'time':
    case 'size':
      return `The set-up commands ${what}. Correct them, or raise the limit in container.setup.`;
  }
}
