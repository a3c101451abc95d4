/**
 * Layers: what set-up commands made on the base branch, shared by all conversations of a repository.
 *
 * Contract:
 * - Nobody but the set-up run writes a layer. Its container has nothing that an agent has written, and what it ran came
 *   from the configuration or the base branch. A conversation writes in a folder of its own above the layer.
 * - A layer has one name, its key, and comes to its place by one rename: there is no half layer. Each use looks at all
 *   names, sizes and times in it; one that is not as it was made is put away and built anew.
 * - Dispatches that need the same layer at once wait for one build; a kernel lock keeps other processes out.
 * - A set-up that fails does not stop the run. The same key is not tried again before its wait is over.
 * - Rows say what there is; the disk decides whether it is used.
 */
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerSettings } from './config/config.ts';
import { readSetupFile, SETUP_FILE } from './config/setup-file.ts';
import type { ContainerEngine } from './container/container.ts';
import { tryOverlay } from './container/overlay-trial.ts';
import type { Database } from './database/database.ts';
import { type BuildDeps, buildLayer, type LayerAnswer } from './layers/building.ts';
import { type Job, jobOf } from './layers/job.ts';
import { bytesOf, findLayer, type LayerOnDisk, readyFolder } from './layers/manifest.ts';
import { failedNote, notesOfOwn } from './layers/notes.ts';
import { CopyFailed, ownLayer, type Way } from './layers/own.ts';
import type { LayerRequest, Layers, ReadyLayers, SetUpSaid } from './layers/port.ts';
import { shownPath } from './layers/recipe.ts';
import { forgetBuilding, noteBuilding, noteReady, noteUsed, readLayer } from './layers/rows.ts';
import { sweepLayers } from './layers/sweep.ts';
import { makeFolders } from './layers/tree.ts';
import type { Log } from './log.ts';
import { takeLock } from './state-lock.ts';
import type { Workdir } from './workdir/port.ts';
import { removeTree } from './workdir/remove-tree.ts';

export interface LayersOptions {
  /** absolute, in the state folder */
  folder: string;
  /** names this installation, in rows and in the marks of processes */
  instance: string;
  database: Database;
  engine: ContainerEngine;
  workdir: Workdir;
  /** names the content of an image; for an engine without images, of this machine's system */
  systemOf: (image: string | null) => Promise<string>;
  secrets: () => readonly string[];
  limits: () => { unusedDays: number; maxBytes: number };
  log: Log;
  now: () => number;
}

export function openLayers(options: LayersOptions): Layers {
  const shared = new SharedLayers(options);
  return {
    forRun: (request) => shared.forRun(request),
    look: (settings) => shared.look(settings),
    recover: () => shared.recover(),
    sweep: () => shared.sweep(),
  };
}

const NOTHING: ReadyLayers = { mounts: [], notes: [], said: null, release: () => {} };

class SharedLayers {
  readonly #options: LayersOptions;
  /** by key */
  readonly #building = new Map<string, Promise<LayerAnswer>>();
  /** how many runs use it, by key */
  readonly #used = new Map<string, number>();
  /** by image and user, because an image's user may be refused what another may */
  readonly #ways = new Map<string, Promise<Way>>();

  constructor(options: LayersOptions) {
    this.#options = options;
  }

  async forRun(r: LayerRequest): Promise<ReadyLayers> {
    const began = performance.now();
    const { engine, workdir, systemOf } = this.#options;
    const file = r.settings.setup.repositoryFile ? [SETUP_FILE] : [];
    const read = async (paths: readonly string[], texts: readonly string[]) =>
      await workdir.baseFiles(r.checkout, r.base, { paths, texts });
    // guard: layers: the set-up file is the base branch’s
    const found = (await read(file, file)).get(SETUP_FILE);
    const job = await jobOf(r, {
      file: found === undefined ? null : { blob: found.blob, read: readSetupFile(found.text ?? '') },
      engine: engine.name,
      system: () => systemOf(r.settings.image),
      blobs: async (paths) => await read(paths, []),
      tracked: (paths) => workdir.tracked(r.checkout, r.base, paths),
    });
    const said = (outcome: SetUpSaid['outcome'], key: string | null, text: string): SetUpSaid => ({
      ...{ outcome, key, text },
      ms: Math.round(performance.now() - began),
    });
    if (job.kind === 'nothing') return NOTHING;
    if (job.kind === 'problem') {
      const note = failedNote({ reason: job.problem, kept: [], logEnd: '' });
      return { ...NOTHING, notes: [note], said: said('failed', null, job.problem) };
    }
    if (!engine.isolates) {
      return { ...NOTHING, said: said('not-run', null, NOT_ISOLATED) };
    }
    const release = this.#use(job.job.key);
    try {
      const answer = await this.#layerFor(r, job.job);
      if (answer.kind === 'stopped') {
        release();
        return { ...NOTHING, said: said('stopped', job.job.key, 'The dispatch was stopped meanwhile.') };
      }
      if (answer.kind === 'failed') {
        release();
        const kept = job.job.recipe.keep.map(shownPath);
        const note = failedNote({ reason: answer.reason, kept, logEnd: answer.logEnd });
        return { ...NOTHING, notes: [note], said: said('failed', job.job.key, answer.reason) };
      }
      const own = await this.#own(r, job.job, answer.layer);
      const text = answer.built ? 'The set-up commands ran, and their layer is new.' : 'The layer was there.';
      return { ...own, said: said(answer.built ? 'built' : 'reused', job.job.key, text), release };
    } catch (error) {
      release();
      if (!(error instanceof CopyFailed) && !isShortOfDisk(error)) throw error;
      const reason = `What was set up cannot be shown to this conversation: ${(error as Error).message}. Make room on the disk of the state folder.`;
      const note = failedNote({ reason, kept: job.job.recipe.keep.map(shownPath), logEnd: '' });
      return { ...NOTHING, notes: [note], said: said('failed', job.job.key, reason) };
    }
  }

  async look(all: readonly ContainerSettings[]): Promise<void> {
    const { engine, log } = this.#options;
    const wanted = all.filter(({ setup }) => setup.commands.length > 0);
    if (wanted.length > 0 && !engine.isolates) log.warn(NOT_ISOLATED);
    else for (const settings of wanted) await this.#way(settings);
  }

  async recover(): Promise<void> {
    const { folder, database, instance, now } = this.#options;
    await forgetBuilding(database.rows, instance, now());
    for (const name of await readdir(join(folder, 'building')).catch(() => [] as string[])) {
      const held = await this.#lock(name);
      if (held === null) continue;
      await removeTree(join(folder, 'building', name));
      held.release();
    }
    await removeTree(join(folder, 'removing'));
    await this.sweep();
  }

  async sweep(): Promise<void> {
    const { folder, database, instance, limits, log, now } = this.#options;
    const isUsed = (key: string) => this.#used.has(key) || this.#building.has(key);
    const removed = await sweepLayers({ folder, database, place: instance, ...limits(), isUsed, now: now() });
    if (removed.length > 0) log.info('layers of set-up commands were removed', { layers: removed });
  }

  #use(key: string): () => void {
    this.#used.set(key, (this.#used.get(key) ?? 0) + 1);
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      const left = this.#used.get(key)! - 1;
      if (left > 0) this.#used.set(key, left);
      else this.#used.delete(key);
    };
  }

  async #layerFor(r: LayerRequest, job: Job): Promise<LayerAnswer> {
    for (;;) {
      if (r.signal.aborted) return { kind: 'stopped' };
      // guard: layers: one build for all that wait
      const under = this.#building.get(job.key);
      const flight = under ?? this.#begin(r, job);
      const answer = await orAborted(flight, r.signal);
      // The one that built it was stopped, and this one was not: it builds it itself.
      if (answer.kind !== 'stopped' || under === undefined) return answer;
    }
  }

  #begin(r: LayerRequest, job: Job): Promise<LayerAnswer> {
    const flight = this.#findOrBuild(r, job).finally(() => this.#building.delete(job.key));
    this.#building.set(job.key, flight);
    return flight;
  }

  async #findOrBuild(r: LayerRequest, job: Job): Promise<LayerAnswer> {
    const { database, instance, folder, log, now } = this.#options;
    const name = { place: instance, key: job.key };
    const row = await readLayer(database.rows, name);
    const there = await findLayer(folder, job.key);
    // One that a person does not want any more goes once nobody uses it.
    const isWanted = row?.state !== 'unwanted' || this.#used.get(job.key)! > 1;
    if (there.kind === 'whole' && isWanted) return await this.#reuse(r, job, there.layer);
    if (there.kind === 'broken')
      log.warn(`a layer is broken and is built anew: ${there.why}`, { layer: job.key });
    // guard: layers: a failed set-up waits
    if (row?.state === 'failed' && (row.retry_at ?? 0) > now()) {
      return { kind: 'failed', reason: row.reason ?? '', logEnd: row.log_end ?? '' };
    }
    const held = await this.#waitForLock(r, job.key);
    if (held === null) return { kind: 'stopped' };
    try {
      // Another process may have built it meanwhile.
      const now = await findLayer(folder, job.key);
      if (now.kind === 'whole' && isWanted) return await this.#reuse(r, job, now.layer);
      if (now.kind !== 'none') await this.#putAway(job.key);
      const deps: BuildDeps = this.#options;
      return await buildLayer(deps, r, { job, failures: row?.failures ?? 0 });
    } finally {
      held.release();
    }
  }

  /** The row follows the disk: the service may have died between the two, or the database may be an older one. */
  async #reuse(r: LayerRequest, { recipe }: Job, layer: LayerOnDisk): Promise<LayerAnswer> {
    const { database, engine, instance, now } = this.#options;
    const name = { place: instance, key: layer.key };
    const row = await readLayer(database.rows, name);
    if (row === null) {
      const about = { repository: r.repository, engine: engine.name, image: r.settings.image, recipe };
      await noteBuilding(database, name, { about, dispatch: r.dispatchId, now: now() });
    }
    if (row === null || row.state === 'building' || row.state === 'failed') {
      const end = { logEnd: row?.log_end ?? null, now: now() };
      await noteReady(database.rows, name, { bytes: bytesOf(layer), ...end });
    }
    await noteUsed(database.rows, name, now());
    return { kind: 'ready', layer, built: false };
  }

  async #putAway(key: string): Promise<void> {
    const { folder } = this.#options;
    await mkdir(join(folder, 'removing'), { recursive: true, mode: 0o700 });
    const aside = join(folder, 'removing', `${key}-${performance.now()}`);
    await rename(readyFolder(folder, key), aside);
    // A run of another conversation may still read it: then it stays until the next start.
    if (this.#used.get(key)! === 1) await removeTree(aside);
  }

  async #lock(key: string): Promise<{ release(): void } | null> {
    const locks = join(this.#options.folder, 'locks');
    await mkdir(locks, { recursive: true, mode: 0o700 });
    return takeLock(join(locks, key));
  }

  async #waitForLock(r: LayerRequest, key: string): Promise<{ release(): void } | null> {
    for (;;) {
      // guard: layers: one build for all processes
      const held = await this.#lock(key);
      if (held !== null || r.signal.aborted) return held;
      await new Promise((resolve) => setTimeout(resolve, LOCK_LOOK_MS));
    }
  }

  async #own(r: LayerRequest, job: Job, layer: LayerOnDisk): Promise<Pick<ReadyLayers, 'mounts' | 'notes'>> {
    const way = await this.#way(r.settings);
    const folder = r.folders.layers;
    const own = await ownLayer({ layer, folder, way, targetOf: job.targetOf, within: job.within });
    const roots = { checkout: r.checkout.path, home: r.folders.home };
    const mounts = [];
    const hidden: string[] = [];
    for (const mount of own.mounts) {
      // The agent can have put a link or a file there, and a mount would follow it.
      if (await makeFolders(roots[mount.root], mount.path)) mounts.push(mount);
      else hidden.push(shownPath(mount));
    }
    const paths = mounts.filter(({ root }) => root === 'checkout').map(({ path }) => path);
    await this.#options.workdir.overlook(r.checkout, paths);
    return { mounts, notes: notesOfOwn({ news: own.news, shown: mounts.map(shownPath), hidden }) };
  }

  async #way({ image, user }: Pick<ContainerSettings, 'image' | 'user'>): Promise<Way> {
    const { engine, folder, log } = this.#options;
    const name = JSON.stringify([image, user]);
    const asked =
      this.#ways.get(name) ??
      tryOverlay({ engine, folder, image, user }).then((problem): Way => {
        if (problem === null) log.info(`layers of set-up commands are shown by overlays in ${engine.name}`);
        else log.info(`layers of set-up commands are copied for each conversation: ${problem}`);
        return problem === null ? 'overlay' : 'copy';
      });
    this.#ways.set(name, asked);
    return await asked;
  }
}

const LOCK_LOOK_MS = 200;
const NOT_ISOLATED =
  'The set-up commands are not run, because agents run as bare processes here. Use bubblewrap, podman or docker.';

function isShortOfDisk(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException)?.code ?? '');
}

/** Whoever waits for another one's build can be stopped without it. */
async function orAborted(flight: Promise<LayerAnswer>, signal: AbortSignal): Promise<LayerAnswer> {
  let onAbort = () => {};
  const aborted = new Promise<LayerAnswer>((resolve) => {
    onAbort = () => resolve({ kind: 'stopped' });
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([flight, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
