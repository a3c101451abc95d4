/** Engines that are the process engine with one thing wrong, to reproduce what broken layouts do. */
import type { ContainerEngine } from '../../src/container/container.ts';
import { processEngine } from '../../src/container/process.ts';
import { FLOCK } from './conversation.ts';

/** The CLI sees the folder read-only in a mount namespace of its own; the worker sees it writable: the seed's layout. */
export function readOnlyView(folder: () => string): ContainerEngine {
  const engine = processEngine({ flock: FLOCK });
  const script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"';
  return {
    ...engine,
    start: async (spec) => {
      const container = await engine.start(spec);
      return {
        stop: () => container.stop(),
        spawn: (s) =>
          container.spawn({
            ...s,
            command: 'unshare',
            args: ['-m', 'sh', '-c', script, folder(), s.command, ...s.args],
          }),
      };
    },
  };
}
