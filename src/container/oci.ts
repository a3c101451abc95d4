/**
 * docker and podman, by their command lines. Each spawn is one `run` in the foreground: its client is the process that
 * the SDK talks to, and the container lives as long as the command in it.
 *
 * A container goes on when its client dies. So the name of the container comes from the lock of the conversation, and
 * whoever gets the lock begins by removing a container that still has the name.
 */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkMounts, checkSpawn } from './check-spec.ts';
import { ask, endsWithin, isRunning, lockPrefix, startClient, withKill } from './client.ts';
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
import {
  clientVariables,
  containerName,
  DISPATCH_LABEL,
  dispatchLabel,
  instanceLabel,
  runArguments,
} from './oci-arguments.ts';
import { giveToUser, ownUser } from './ownership.ts';
import { seccompArguments } from './podman-seccomp.ts';
import { ProcessTree } from './process-tree.ts';
import { runtimeArguments } from './runtime.ts';
import { atOwnTerminal, endOf, quoted } from './terminal.ts';

export interface OciOptions {
  name: 'docker' | 'podman';
  /** absolute path of the client */
  program: string;
  /** before and after `run`, as configured */
  programArgs: readonly string[];
  runArgs: readonly string[];
  /** the program that starts containers, by name or path; null = the engine's own choice */
  runtime: string | null;
  /** absolute path of util-linux `flock`, or null where there is none: then a second holder of a lock exits with 125 */
  flock: string | null;
  /** absolute path of `script`, which makes terminals; left out or null: there is none */
  script?: string | null;
  /** the client's own environment; nothing of it reaches the container */
  env: Record<string, string>;
  /**
   * who runs the containers without root, or null; without root our own user is another one inside, unless it is mapped
   */
  rootless: 'docker' | 'podman' | null;
}

export function ociEngine(options: OciOptions): ContainerEngine {
  const client = new Client(options);
  return {
    name: options.name,
    isolates: true,
    unheld: [],
    start: (spec) => start(spec, client),
    startAtTerminal: async (spec, spawn) => (await start(spec, client)).atTerminal(spawn),
    reapOrphans: (instance) => reapOrphans(client, instance),
  };
}

async function start(spec: ContainerSpec, client: Client): Promise<OciContainer> {
  checkMounts(spec);
  const { image } = spec;
  const { name, rootless } = client.options;
  if (image === null) {
    throw new EngineFailed(
      `${name} needs an image and none is configured.`,
      `Set container.image to one that has a shell and git, or container.engine to bubblewrap.`,
    );
  }
  if (rootless === null) await giveToUser(spec, spec.user ?? ownUser());
  return new OciContainer({ ...spec, image }, client);
}

/** One installation of docker or podman, called without a shell. */
class Client {
  readonly options: OciOptions;

  constructor(options: OciOptions) {
    this.options = options;
  }

  argv(args: readonly string[]): string[] {
    return [this.options.program, ...this.options.programArgs, ...args];
  }

  seccomp(): string[] {
    // guard: container: kinds of sockets (podman)
    return this.options.name === 'podman' ? seccompArguments(this.options.runArgs) : [];
  }

  async ask(args: readonly string[]): Promise<string> {
    const answer = await ask(this.argv(args), this.options.env);
    if (answer.code === 0) return answer.stdout;
    throw new EngineFailed(
      `${this.options.name} ${args[0]} failed: ${answer.stderr.trim()}.`,
      `See that "${this.options.name} ${args[0]}" works for the user of this service.`,
    );
  }

  /** Ids of the containers with all these labels, in whatever state they are. */
  async find(labels: readonly string[]): Promise<string[]> {
    const filters = labels.flatMap((label) => ['--filter', `label=${label}`]);
    const lines = await this.ask(['ps', '-a', '--no-trunc', ...filters, '--format', '{{.ID}}']);
    return lines.split('\n').filter((line) => line !== '');
  }

  /**
   * Stops the containers, then removes them, and answers their dispatches. Refusals of the engine are ignored, because
   * a container may have ended by itself meanwhile; looking again shows which are really gone.
   */
  async remove(labels: readonly string[]): Promise<string[]> {
    const dispatches = new Set<string>();
    const format = `{{index .Config.Labels "${DISPATCH_LABEL}"}}`;
    for (let round = 0; round < 40; round++) {
      const ids = await this.find(labels);
      if (ids.length === 0) return [...dispatches];
      for (const id of ids) {
        const answer = await ask(this.argv(['inspect', '--format', format, id]), this.options.env);
        if (answer.code === 0) dispatches.add(answer.stdout.trim());
      }
      if (round === 0) await ask(this.argv(['stop', ...ids]), this.options.env);
      else await sleep(50);
      await ask(this.argv(['rm', '-f', ...ids]), this.options.env);
    }
    throw new EngineFailed(
      `${this.options.name} could not remove the containers labelled ${labels.join(' and ')}.`,
      `Remove them by hand ("${this.options.name} rm -f"), then start again.`,
    );
  }
}

class OciContainer implements RunningContainer {
  readonly #spec: ContainerSpec & { image: string };
  readonly #client: Client;
  readonly #children: ChildProcess[] = [];
  /** those that lead a session of their own */
  readonly #leaders: ChildProcess[] = [];

  constructor(spec: ContainerSpec & { image: string }, client: Client) {
    this.#spec = spec;
    this.#client = client;
  }

  spawn(spawn: SpawnSpec): ContainedProcess {
    return this.#start(spawn, false);
  }

  atTerminal(spawn: SpawnSpec): TerminalContainer {
    return { ended: endOf(this.#start(spawn, true)), stop: (graceMs) => this.stop(graceMs) };
  }

  #start(spawn: SpawnSpec, atTerminal: boolean): ContainedProcess & ChildProcess {
    checkSpawn(spawn);
    const { flock, env, runArgs, script = null } = this.#client.options;
    const name = containerName(this.#spec, spawn.lockFile, this.#children.length);
    const user = this.#user();
    const engineArgs = [...user.engineArgs, ...this.#client.seccomp()];
    const overlays = this.#client.options.name === 'podman' ? ('option' as const) : ('volume' as const);
    const runtime = runtimeArguments(this.#client.options, this.#spec.network);
    const all = [...engineArgs, ...runtime.after];
    const named = { spawn, name, atTerminal };
    const request = { spec: this.#spec, ...named, runArgs, user: user.user, engineArgs: all, overlays };
    const client = this.#client.argv([...runtime.before, ...runArguments(request)]);
    const run = atTerminal ? atOwnTerminal(script, client, this.#spec) : client;
    const lock = lockPrefix(flock, spawn.lockFile, 'exec');
    const argv = lock.length === 0 ? run : [...lock, '/bin/sh', '-c', this.#takeName(name), 'sh', ...run];
    const variables = clientVariables(env, this.#spec, spawn.env, atTerminal);
    const child = startClient({ argv, env: variables, cwd: '/', atTerminal });
    this.#children.push(child);
    if (!atTerminal) this.#leaders.push(child);
    return withKill(child, (signal) => this.#kill(child, name, signal)) as ContainedProcess & ChildProcess;
  }

  #takeName(name: string): string {
    // guard: container: name taken under the lock (docker, podman)
    const remove = this.#client.argv(['rm', '-f', name]).map(quoted).join(' ');
    return `${remove} </dev/null >/dev/null 2>&1; exec "$@"`;
  }

  /**
   * The signal goes to the container by name. The client passes signals on only once it is attached, and dies of them
   * before. When the engine refuses, there is no container yet or no more, so the client gets the signal.
   */
  #kill(child: ChildProcess, name: string, signal: NodeJS.Signals): boolean {
    if (!isRunning(child)) return false;
    const { env } = this.#client.options;
    // guard: container: kill past the client (docker, podman)
    void ask(this.#client.argv(['kill', '--signal', signal.slice(3), name]), env).then(async ({ code }) => {
      const isDone = code === 0 && (signal !== 'SIGKILL' || (await endsWithin(child, GRACE_MS)));
      if (!isDone && isRunning(child)) process.kill(child.pid!, signal);
    });
    return true;
  }

  #user(): { user: { uid: number; gid: number }; engineArgs: string[] } {
    const { rootless } = this.#client.options;
    const user = this.#spec.user ?? ownUser();
    if (rootless === null) return { user, engineArgs: [] };
    // Files must stay ours outside: podman can map our user to any user inside, docker only to root.
    if (rootless === 'podman') {
      const mapped = this.#spec.user === null ? 'keep-id' : `keep-id:uid=${user.uid},gid=${user.gid}`;
      return { user, engineArgs: ['--userns', mapped] };
    }
    return { user: this.#spec.user ?? { uid: 0, gid: 0 }, engineArgs: [] };
  }

  async stop(graceMs = GRACE_MS): Promise<void> {
    const running = this.#children.filter(isRunning);
    for (const child of running) child.kill('SIGTERM');
    await Promise.all(running.map((child) => endsWithin(child, graceMs)));
    const { instance, dispatch } = this.#spec;
    if (this.#children.length === 0) return;
    await this.#client.remove([instanceLabel(instance), dispatchLabel(dispatch)]);
    const tree = new ProcessTree(
      (mark) => mark.instance === instance && mark.dispatch === dispatch,
      () => this.#leaders.flatMap((child) => child.pid ?? []),
    );
    await endAll(() => tree.running());
  }
}

/**
 * The clients are ended before the second look, because a client that was about to start a container would do so after
 * the first.
 */
async function reapOrphans(client: Client, instance: string): Promise<string[]> {
  const labels = [instanceLabel(instance)];
  // guard: container: orphan reaping (docker, podman), part 1
  const found = await client.remove(labels);
  // guard: container: orphan reaping (docker, podman), part 3
  const tree = new ProcessTree((mark) => mark.instance === instance);
  await endAll(() => tree.running());
  // guard: container: orphan reaping (docker, podman), part 2
  const late = await client.remove(labels);
  return [...new Set([...found, ...tree.dispatches, ...late])];
}
