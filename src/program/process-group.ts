/**
 * Ends a command together with its children. A signal to `git fetch` alone leaves its `git-remote-http` behind, which
 * then holds the connection and our pipes.
 */
const KILL_AFTER_MS = 2000;
const running = new Set<number>();

/**
 * `child` must have been started `detached`, which makes it the leader of a group. Answers whether the time limit ended
 * it.
 */
export async function withTimeLimit(
  child: PromiseLike<unknown> & { pid?: number | undefined },
  milliseconds: number,
): Promise<boolean> {
  const { pid } = child;
  if (pid === undefined) return false;
  if (running.size === 0) process.on('exit', killAll);
  running.add(pid);
  let timedOut = false;
  let hard: NodeJS.Timeout | undefined;
  const soft = setTimeout(() => {
    timedOut = true;
    signalGroup(pid, 'SIGTERM');
    hard = setTimeout(() => signalGroup(pid, 'SIGKILL'), KILL_AFTER_MS);
  }, milliseconds);
  try {
    await child;
  } finally {
    clearTimeout(soft);
    clearTimeout(hard);
    running.delete(pid);
    if (running.size === 0) process.off('exit', killAll);
  }
  return timedOut;
}

/** Kills at once, because nothing that it still says is wanted. */
export function endGroup({ pid }: { pid?: number | undefined }): void {
  if (pid !== undefined) signalGroup(pid, 'SIGKILL');
}

/**
 * A detached group survives its parent, but a worker that exits must not leave a git behind that writes to a mirror.
 */
function killAll(): void {
  for (const pid of running) signalGroup(pid, 'SIGKILL');
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended in between.
  }
}
