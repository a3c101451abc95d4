/** Files that this process makes, and git in its name, are for its own user alone. */
import { isMainThread } from 'node:worker_threads';
import type { LoadedConfig } from '../config/config.ts';

const OWNER_ONLY = 0o077;
/**
 * An agent whose container runs as another user must read the mirror and the relay, which belong to us, so files are
 * readable for others there. The state folder above them stays closed; only the container is shown what is in it.
 */
const READABLE_INSIDE = 0o022;

export function keepFilesPrivate({ agents }: Pick<LoadedConfig, 'agents'>): void {
  // A worker thread has no umask of its own to set.
  if (!isMainThread) return;
  const own = process.getuid?.();
  const isShared = [...agents.values()].some(({ container }) => (container.user?.uid ?? own) !== own);
  process.umask(isShared ? READABLE_INSIDE : OWNER_ONLY);
}
