/**
 * Which engine runs agents on this machine, found out by trying. A bare process is chosen only when it is asked for.
 */
import { randomUUID } from 'node:crypto';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { EngineName } from '../vocabulary.ts';
import { type BubblewrapOptions, bubblewrapEngine } from './bubblewrap.ts';
import { findCgroups } from './cgroup.ts';
import { ask } from './client.ts';
import { type ContainerEngine, EngineFailed, type Unheld } from './container.ts';
import { inspectImage } from './image.ts';
import { type OciOptions, ociEngine } from './oci.ts';
import { processEngine } from './process.ts';

export interface EngineChoice {
  engine: 'auto' | EngineName;
  /** the image that docker and podman are tried with */
  image: string | null;
  programArgs: readonly string[];
  runArgs: readonly string[];
  /** `container.runtime`; null = the engine's own */
  runtime: string | null;
  /** where programs are looked for, as in $PATH */
  path: string;
  /** absolute path of util-linux `flock`, or null where there is none */
  flock: string | null;
  /** the worker's environment; the clients of docker and podman get the variables they need from it */
  environment: Readonly<Record<string, string | undefined>>;
}

export interface Trial {
  name: EngineName;
  /** whole sentences */
  problem: string;
  remedy: string;
}

export interface ChosenEngine {
  engine: ContainerEngine;
  /** one sentence for the log */
  why: string;
  /** limits that were configured and cannot be enforced are among these */
  unheld: readonly Unheld[];
  /** the engines that would have come first, and what they lack */
  tried: Trial[];
  /** the client of an engine that runs images, else null; for `cliFor` */
  oci: OciOptions | null;
}

type Found = { engine: ContainerEngine; oci: OciOptions | null } | Trial;

const ORDER = ['docker', 'podman', 'bubblewrap'] as const;

export async function chooseEngine(choice: EngineChoice): Promise<ChosenEngine> {
  if (choice.engine === 'process') {
    const engine = processEngine({ flock: choice.flock, script: findProgram('script', choice.path) });
    return {
      engine,
      why: 'A bare process, as asked for by name.',
      unheld: engine.unheld,
      tried: [],
      oci: null,
    };
  }
  const tried: Trial[] = [];
  for (const name of choice.engine === 'auto' ? ORDER : [choice.engine]) {
    const found = await tryEngine(name, choice);
    if ('engine' in found)
      return { ...found, why: whyThis(name, choice, tried), unheld: found.engine.unheld, tried };
    tried.push(found);
  }
  // guard: container: bare process only by name
  throw nothingWorks(choice, tried);
}

function whyThis(name: EngineName, choice: EngineChoice, tried: Trial[]): string {
  if (choice.engine !== 'auto') return `${name}, as configured.`;
  const others = tried.map((trial) => `not ${trial.name}: ${trial.problem}`);
  return [`${name} is the first that works.`, ...others].join(' ');
}

function nothingWorks({ engine }: EngineChoice, tried: Trial[]): EngineFailed {
  const [only] = tried;
  if (engine !== 'auto')
    return new EngineFailed(`${engine} does not work here. ${only!.problem}`, only!.remedy);
  const told = tried.map((trial) => `${trial.name}: ${trial.problem} ${trial.remedy}`).join('\n');
  return new EngineFailed(
    `No container engine works here.\n${told}\n`,
    'One of them is enough. A bare process has the rights of this service and is never chosen by itself: where everyone who can write on the forge is trusted, set container.engine to process.',
  );
}

async function tryEngine(name: (typeof ORDER)[number], choice: EngineChoice): Promise<Found> {
  const file = name === 'bubblewrap' ? 'bwrap' : name;
  const program = findProgram(file, choice.path);
  if (program === null) {
    return {
      name,
      problem: `The program ${file} is not installed.`,
      remedy: `Install the package ${name === 'docker' ? 'docker.io or docker-ce' : name} of your system.`,
    };
  }
  try {
    return name === 'bubblewrap' ? await tryBubblewrap(program, choice) : await tryOci(name, program, choice);
  } catch (error) {
    if (!(error instanceof EngineFailed)) throw error;
    return { name, problem: error.problem, remedy: error.remedy };
  }
}

async function tryBubblewrap(program: string, { flock, path }: EngineChoice): Promise<Found> {
  const engine = bubblewrapEngine({
    program,
    flock,
    cgroups: findCgroups(),
    overlay: overlayTools(path),
    script: findProgram('script', path),
  });
  const container = await engine.start({
    instance: `trial-${randomUUID()}`,
    dispatch: 'trial',
    mounts: [],
    image: null,
    user: null,
    limits: { memoryBytes: null, cpus: null, pids: null },
    network: 'none',
  });
  await container.stop();
  return { engine, oci: null };
}

async function tryOci(name: 'docker' | 'podman', program: string, choice: EngineChoice): Promise<Found> {
  const { image, programArgs, runArgs, runtime, flock } = choice;
  if (image === null) {
    return {
      name,
      problem: 'No image is configured for it.',
      remedy: 'Set container.image to one that has a shell and git, and fetch it.',
    };
  }
  const env = clientEnvironment(choice);
  const info = await ask([program, ...programArgs, 'info', '--format', '{{json .}}'], env);
  if (info.code !== 0) {
    const remedy =
      name === 'docker'
        ? 'Start its daemon, and let the user of this service use it (group docker).'
        : 'Make "podman info" work for the user of this service.';
    return { name, problem: `It does not answer: ${info.stderr.trim() || info.stdout.trim()}`, remedy };
  }
  const rootless = rootlessOf(info.stdout);
  const script = findProgram('script', choice.path);
  const oci: OciOptions = { name, program, programArgs, runArgs, runtime, flock, script, env, rootless };
  await inspectImage(oci, image);
  return { engine: ociEngine(oci), oci };
}

/** Decided by the answer and not by the name: `docker` may be podman's compatible command. */
function rootlessOf(info: string): OciOptions['rootless'] {
  const facts = JSON.parse(info) as {
    SecurityOptions?: string[];
    host?: { security?: { rootless?: boolean } };
  };
  if (facts.host?.security?.rootless === true) return 'podman';
  return facts.SecurityOptions?.some((option) => option.includes('rootless')) ? 'docker' : null;
}

const CLIENTS_OWN =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|LANG|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|(DOCKER|CONTAINERS?|STORAGE|REGISTRY)_\w+)$/;

function clientEnvironment({ environment, path }: EngineChoice): Record<string, string> {
  const own = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && CLIENTS_OWN.test(entry[0]),
  );
  return { ...Object.fromEntries(own), PATH: path };
}

/** What bubblewrap needs to mount overlays. */
export function overlayTools(path: string): BubblewrapOptions['overlay'] {
  const unshare = findProgram('unshare', path);
  const mount = findProgram('mount', path);
  return unshare === null || mount === null ? null : { unshare, mount };
}

/** Absolute path of a program, looked for as a shell does; null where there is none. */
export function findProgram(name: string, path: string): string | null {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    if (folder.startsWith('/') && isExecutable(file)) return file;
  }
  return null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
