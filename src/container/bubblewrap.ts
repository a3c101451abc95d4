/**
 * bubblewrap: namespaces without a daemon or an image. What runs inside is this machine's /usr, read-only.
 *
 * The processes below us are, from the outside in: flock (holds the lock and waits), bwrap (the supervisor), bwrap again
 * (the first process of the sandbox, which reaps zombies), the command. When the supervisor ends, everything inside is
 * killed at once and can write nothing more. So a signal goes to the command, and only what is left after that is killed
 * from outside.
 */
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { bubblewrapArguments, madeFiles } from './bubblewrap-arguments.ts';
import type { Cgroup, Cgroups } from './cgroup.ts';
import { checkMounts, checkSpawn } from './check-spec.ts';
import { endsWithin, isRunning, lockPrefix, startClient, withKill } from './client.ts';
import {
  type ContainedProcess,
  type ContainerEngine,
  type ContainerSpec,
  EngineFailed,
  type RunningContainer,
  type SpawnSpec,
  type TerminalContainer,
} from './container.ts';
import { endAll, GRACE_MS } from './end-processes.ts';
import { type OverlayTools, overlayPrefix } from './overlay-mounts.ts';
import { giveToUser, ownUser } from './ownership.ts';
import { ProcessTree } from './process-tree.ts';
import { seccompProgram } from './seccomp.ts';
import { atOwnTerminal, endOf, markedEnvironment } from './terminal.ts';

const SECCOMP = seccompProgram();
/** The kept text goes into an error message. */
const SAID_KEPT = 20_000;

export interface BubblewrapOptions {
  /** absolute path of `bwrap` */
  program: string;
  /** absolute path of util-linux `flock`, or null where there is none */
  flock: string | null;
  cgroups: Cgroups;
  /** null where one is missing: then no overlay can be mounted */
  overlay: OverlayTools | null;
  /** absolute path of `script`, which makes terminals; left out or null: there is none */
  script?: string | null;
}

export function bubblewrapEngine(options: BubblewrapOptions): ContainerEngine {
  return {
    name: 'bubblewrap',
    isolates: true,
    unheld: options.cgroups.unheld,
    start: (spec) => start(spec, options),
    startAtTerminal: async (spec, spawn) => (await start(spec, options)).atTerminal(spawn),
    reapOrphans: (instance) => reapOrphans(instance, options.cgroups),
  };
}

/**
 * bubblewrap reports its own failures with the exit code of a failed command, so the layout is first tried without one.
 */
async function start(spec: ContainerSpec, options: BubblewrapOptions): Promise<BubblewrapContainer> {
  checkMounts(spec);
  // bubblewrap only renames the user: the files belong to the worker's user outside, whoever it is inside.
  await giveToUser(spec, ownUser());
  const groups = options.cgroups.make(groupName(spec), spec.limits);
  const container = new BubblewrapContainer(spec, options, groups);
  const trial = container.spawn({
    command: '/bin/sh',
    args: ['-c', 'exit 0'],
    env: {},
    cwd: '/',
    lockFile: null,
  });
  let said = '';
  trial.stderr?.on('data', (data: Buffer) => {
    said = (said + String(data)).slice(-SAID_KEPT);
  });
  trial.stdout.resume();
  const code = await new Promise<number | null>((resolve) => {
    trial.once('error', (error) => {
      said = error.message;
      resolve(null);
    });
    (trial as ChildProcess).once('close', resolve);
  });
  if (code === 0) return container;
  await container.stop();
  throw new EngineFailed(
    `bubblewrap does not start a sandbox: ${said.trim()}.`,
    `If a mount is named, correct container.mounts; otherwise allow user namespaces on this machine, or use podman or docker.`,
  );
}

class BubblewrapContainer implements RunningContainer {
  readonly #spec: ContainerSpec;
  readonly #options: BubblewrapOptions;
  readonly #groups: Cgroup | null;
  readonly #children: ChildProcess[] = [];
  /** those that lead a session of their own */
  readonly #leaders: ChildProcess[] = [];

  constructor(spec: ContainerSpec, options: BubblewrapOptions, groups: Cgroup | null) {
    this.#spec = spec;
    this.#options = options;
    this.#groups = groups;
  }

  spawn(spawn: SpawnSpec): ContainedProcess {
    return this.#start(spawn, false);
  }

  atTerminal(spawn: SpawnSpec): TerminalContainer {
    return { ended: endOf(this.#start(spawn, true)), stop: (graceMs) => this.stop(graceMs) };
  }

  #start(spawn: SpawnSpec, atTerminal: boolean): ContainedProcess & ChildProcess {
    checkSpawn(spawn);
    const { flock, program, script = null } = this.#options;
    const user = this.#spec.user ?? ownUser();
    const made = madeFiles(this.#spec, user);
    const lock = lockPrefix(flock, spawn.lockFile, 'keep');
    const inside = bubblewrapArguments({
      spec: this.#spec,
      user,
      spawn,
      made: made.map(([path]) => path),
      seccomp: SECCOMP !== null,
    });
    const sandbox = [...this.#joinGroups(), ...this.#mountOverlays(), program, ...inside];
    const child = startClient({
      // guard: attach: a terminal of its own
      argv: [...lock, ...(atTerminal ? atOwnTerminal(script, sandbox, this.#spec) : sandbox)],
      env: markedEnvironment(spawn.env, this.#spec, atTerminal),
      cwd: '/',
      atTerminal,
      readings: [...made.map(([, text]) => text), ...(SECCOMP === null ? [] : [SECCOMP])],
    });
    this.#children.push(child);
    if (!atTerminal) this.#leaders.push(child);
    const around = (lock.length > 0 ? 1 : 0) + (atTerminal ? 1 : 0);
    return withKill(child, (signal) => signalCommand(child, around + 2, signal)) as ContainedProcess &
      ChildProcess;
  }

  /** The shell joins the groups before it becomes bwrap, so that no process is ever outside of them. */
  #joinGroups(): string[] {
    // guard: container: limits (bubblewrap)
    if (this.#groups === null) return [];
    const lists = this.#groups.processLists;
    const script = `for list in ${lists.map((_, i) => `"$${i + 1}"`).join(' ')}; do echo $$ > "$list" || exit 125; done; shift ${lists.length}; exec "$@"`;
    return ['/bin/sh', '-c', script, 'sh', ...lists];
  }

  #mountOverlays(): string[] {
    const over = this.#spec.mounts.flatMap(({ source, over }) =>
      over === undefined ? [] : [{ source, over }],
    );
    const tools = this.#options.overlay;
    if (over.length > 0 && tools === null) {
      throw new EngineFailed(
        'An overlay cannot be mounted for bubblewrap: unshare or mount is missing.',
        'Install the packages util-linux and mount.',
      );
    }
    return tools === null ? [] : overlayPrefix(over, tools, { isRoot: process.getuid?.() === 0 });
  }

  async stop(graceMs = GRACE_MS): Promise<void> {
    const running = this.#children.filter(isRunning);
    // guard: container: tree (bubblewrap), part 2
    for (const child of running) child.kill('SIGTERM');
    await Promise.all(running.map((child) => endsWithin(child, graceMs)));
    const { instance, dispatch } = this.#spec;
    const tree = new ProcessTree(
      (mark) => mark.instance === instance && mark.dispatch === dispatch,
      () => this.#leaders.flatMap((child) => child.pid ?? []),
    );
    // guard: container: tree (bubblewrap), part 1
    await endAll(
      () => tree.running(),
      () => false,
    );
    await this.#groups?.remove();
  }
}

/** False when it has ended. A sandbox that has no command yet is killed as a whole. */
function signalCommand(child: ChildProcess, depth: number, signal: NodeJS.Signals): boolean {
  if (!isRunning(child)) return false;
  let pid: number = child.pid!;
  for (let below = 0; below < depth; below++) {
    const next = firstChild(pid);
    // Killing `flock` alone would leave its child, so the process nearest to the command is killed; the rest ends with
    // it.
    if (next === null) return send(pid, 'SIGKILL');
    pid = next;
  }
  // guard: container: last lines (bubblewrap)
  return send(pid, signal);
}

function firstChild(pid: number): number | null {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    return children === '' ? null : Number(children.split(' ')[0]);
  } catch {
    return null;
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

async function reapOrphans(instance: string, cgroups: Cgroups): Promise<string[]> {
  const tree = new ProcessTree((mark) => mark.instance === instance);
  // guard: container: orphan reaping (bubblewrap)
  await endAll(() => tree.running(), isNoSupervisor);
  cgroups.sweep(groupPrefix(instance));
  return tree.dispatches;
}

function isNoSupervisor(pid: number): boolean {
  try {
    return !['bwrap', 'flock'].includes(readFileSync(`/proc/${pid}/comm`, 'latin1').trim());
  } catch {
    return false;
  }
}

const groupPrefix = (instance: string) => `${hash(instance)}-`;
const groupName = (spec: ContainerSpec) => groupPrefix(spec.instance) + hash(spec.dispatch);

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
