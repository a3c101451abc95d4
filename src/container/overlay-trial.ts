/** Whether an engine can put a writable layer over a read-only folder here: found out by doing it. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerEngine, ContainerSpec } from './container.ts';

const SAID_KEPT = 2000;
const TRIAL_INSIDE = '/trial';
/** reads what is below, changes it, removes one file and adds one: each needs another part of an overlay */
const SCRIPT = `cd ${TRIAL_INSIDE} && [ "$(cat below)" = below ] && echo above >> below && rm gone && mv folder moved && echo above > added`;

export interface OverlayTrial {
  engine: ContainerEngine;
  /** absolute; on the file system where the layers will be */
  folder: string;
  image: string | null;
  user: ContainerSpec['user'];
}

/** null = it can; otherwise why not, in the engine's words. */
export async function tryOverlay({ engine, folder, image, user }: OverlayTrial): Promise<string | null> {
  if (!engine.isolates) return 'a bare process sees this machine as it is';
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const trial = await mkdtemp(join(folder, 'trial-'));
  const at = (name: string) => join(trial, name);
  try {
    for (const name of ['lower/folder', 'upper', 'work', 'merged'])
      await mkdir(at(name), { recursive: true });
    for (const name of ['below', 'gone', 'folder/file']) await writeFile(at(`lower/${name}`), 'below\n');
    const container = await engine.start({
      ...{ instance: `trial-${randomUUID()}`, dispatch: 'trial', image, user, network: 'none' },
      limits: { memoryBytes: null, cpus: null, pids: null },
      mounts: [
        // So that what is below belongs to the container's user, as in a layer that this user made.
        { source: at('lower'), target: '/below', access: 'read', owned: true },
        {
          ...{ source: at('lower'), target: TRIAL_INSIDE, access: 'write', owned: true },
          over: { upper: at('upper'), work: at('work'), merged: at('merged') },
        },
      ],
    });
    try {
      const said = await run(container);
      if (said !== null) return said;
    } finally {
      await container.stop();
    }
    return await whatIsWrong(at('lower'), at('upper'));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    // The kernel leaves a folder there that nobody may read; without root it could not be removed.
    await chmod(at('work/work'), 0o700).catch(() => {});
    await rm(trial, { recursive: true, force: true });
  }
}

async function run(container: Awaited<ReturnType<ContainerEngine['start']>>): Promise<string | null> {
  const child = container.spawn({
    ...{ command: '/bin/sh', args: ['-c', SCRIPT], env: {}, cwd: '/', lockFile: null },
  });
  let said = '';
  child.stdout.resume();
  child.stderr?.on('data', (data: Buffer) => {
    said = (said + String(data)).slice(-SAID_KEPT);
  });
  const [code] = (await once(child as never, 'close')) as [number | null];
  return code === 0 ? null : said.trim() || `the trial ended with exit code ${code}`;
}

/** An engine that ignores the option would have written to what is below. */
async function whatIsWrong(lower: string, upper: string): Promise<string | null> {
  const names = (await readdir(lower)).sort().join(' ');
  const below = await readFile(join(lower, 'below'), 'utf8').catch(() => '');
  if (names !== 'below folder gone' || below !== 'below\n') return 'it wrote to the folder below';
  const added = await readFile(join(upper, 'added'), 'utf8').catch(() => null);
  return added === 'above\n' ? null : 'what it wrote is not in the layer above';
}
