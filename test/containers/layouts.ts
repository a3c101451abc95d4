/** Layouts that are wrong on purpose: the real engine is given something else than `place.ts` says. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerEngine, Mount, SpawnSpec } from '../../src/container/container.ts';

export interface Change {
  mounts?: (mounts: Mount[]) => Mount[];
  env?: Record<string, string>;
  /** for a bare process, in a mount namespace of its own; `$0` is the CLI folder */
  script?: string;
}

export function changed(engine: ContainerEngine, change: Change): ContainerEngine {
  return {
    ...engine,
    start: async (spec) => {
      const mounts = engine.isolates ? (change.mounts?.(spec.mounts) ?? spec.mounts) : spec.mounts;
      const container = await engine.start({ ...spec, mounts });
      return {
        stop: () => container.stop(),
        spawn: (s) => container.spawn(engine.isolates ? withEnv(s, change) : inNamespace(s, change)),
      };
    },
  };
}

function withEnv(spawn: SpawnSpec, { env = {} }: Change): SpawnSpec {
  return { ...spawn, env: { ...spawn.env, ...env } };
}

function inNamespace(spawn: SpawnSpec, change: Change): SpawnSpec {
  const { command, args, env } = spawn;
  if (change.script === undefined) return withEnv(spawn, change);
  const script = `${change.script} && exec "$@"`;
  return withEnv(
    {
      ...spawn,
      command: 'unshare',
      args: ['-m', 'sh', '-c', script, env.CLAUDE_CONFIG_DIR!, command, ...args],
    },
    change,
  );
}

const INSIDE = '/state/cli';
const isCliFolder = (m: Mount) => m.target === INSIDE;
const cliFolder = (change: (m: Mount) => Mount[]) => (mounts: Mount[]) =>
  mounts.flatMap((m) => (isCliFolder(m) ? change(m) : [m]));

export const READ_ONLY: Change = {
  mounts: cliFolder((m) => [{ ...m, access: 'read' }]),
  script: 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"',
};

export const PROJECTS_READ_ONLY: Change = {
  mounts: cliFolder((m) => [
    m,
    { source: `${m.source}/projects`, target: `${m.target}/projects`, access: 'read' },
  ]),
  script: 'mount --bind "$0/projects" "$0/projects" && mount -o remount,bind,ro "$0/projects"',
};

export const NOT_MOUNTED: Change = { mounts: cliFolder(() => []) };

export const ELSEWHERE_INSIDE: Change = { mounts: cliFolder((m) => [{ ...m, target: '/state/other' }]) };

export const MOVED_INSIDE: Change = {
  mounts: cliFolder((m) => [{ ...m, target: '/state/moved' }]),
  env: { CLAUDE_CONFIG_DIR: '/state/moved' },
};

/** Every container gets a folder of its own, which is thrown away. */
export function emptyVolume(folder: string): Change {
  return {
    mounts: cliFolder((m) => [{ ...m, source: mkdtempSync(join(folder, 'volume-')) }]),
    script: 'mount -t tmpfs none "$0"',
  };
}

export const LEAKED: Change = { env: { CLAUDE_CODE_SKIP_PROMPT_HISTORY: '1' } };
