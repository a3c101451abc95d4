/** One set-up run: the base branch in a folder of its own, the commands in a container, and its limits. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  ContainedProcess,
  ContainerEngine,
  RunningContainer,
  SpawnSpec,
} from '../container/container.ts';
import { spawnWithDoors } from '../container/doors.ts';
import { type SetUpPlaceRequest, setUpPlaceOf } from '../container/place.ts';
import { faultPoint } from '../faults.ts';
import { removeTree } from '../workdir/remove-tree.ts';
import { type Output, saysDiskFull } from './output.ts';
import type { Recipe } from './recipe.ts';
import { bytesBelow } from './tree.ts';

/** Why it did not come to an end of its own. A closed set: each has its sentence. */
export type Ran =
  | { kind: 'done' }
  | { kind: 'failed'; why: 'exit' | 'time' | 'size' | 'disk-full' | 'machine'; what: string }
  /** the dispatch was stopped: nobody's fault, and somebody else may begin anew */
  | { kind: 'stopped' };

/** Ways out of the set-up run's container, opened for it alone. */
export interface SetUpDoors {
  /** null = none is open */
  open: SetUpPlaceRequest['doors'];
  close(): Promise<void>;
}

export interface SetUpRun {
  engine: ContainerEngine;
  instance: string;
  dispatch: string;
  recipe: Recipe;
  settings: SetUpPlaceRequest['settings'];
  checkoutName: string;
  /** emptied and filled: `checkout`, `home` and `tmp` */
  folder: string;
  /** writes the files of the base branch into this folder */
  layOut(folder: string): Promise<void>;
  openDoors(): Promise<SetUpDoors>;
  output: Output;
  signal: AbortSignal;
}

export interface BuiltFolders {
  checkout: string;
  home: string;
}

export async function runSetUp(run: SetUpRun): Promise<{ ran: Ran; folders: BuiltFolders }> {
  const folders = {
    checkout: join(run.folder, 'checkout', run.checkoutName),
    home: join(run.folder, 'home'),
  };
  const temporary = join(run.folder, 'tmp');
  await removeTree(run.folder);
  for (const path of [join(run.folder, 'checkout'), folders.home, temporary]) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  }
  await run.layOut(folders.checkout);
  faultPoint('setup.begun');
  if (run.signal.aborted) return { ran: { kind: 'stopped' }, folders };
  const doors = await run.openDoors();
  try {
    const place = setUpPlaceOf(run.engine, {
      ...{ ...folders, temporary, checkoutName: run.checkoutName, settings: run.settings },
      memoryBytes: run.recipe.limits.memoryBytes,
      doors: doors.open,
    });
    const { instance, dispatch } = run;
    const container = await run.engine.start({ ...place.spec, instance, dispatch });
    const env = {
      ...(place.path === null ? {} : { PATH: place.path }),
      ...{ HOME: place.home, TMPDIR: place.temporary, LANG: 'C.UTF-8', TERM: 'dumb', CI: 'true' },
    };
    const started = { commands: commandLines(run.recipe.commands), env, cwd: place.cwd };
    const spawn =
      place.doors === null || doors.open === null
        ? plainSpawn(started)
        : spawnWithDoors({ ...started, cli: doors.open.cli, inner: place.doors });
    const ran = await toItsEnd(run, container, spawn);
    faultPoint('setup.ran');
    return { ran, folders };
  } finally {
    await doors.close();
  }
}

function plainSpawn(o: { commands: string; env: Record<string, string>; cwd: string }): SpawnSpec {
  return { command: '/bin/bash', args: ['-c', o.commands], env: o.env, cwd: o.cwd, lockFile: null };
}

/** Each command in a shell of its own, named before it runs; the exit code is that of the first that fails. */
function commandLines(commands: readonly string[]): string {
  const one = (command: string) => {
    const text = quoted(command);
    return `printf '$ %s\\n' ${text}; bash -c ${text} </dev/null || exit`;
  };
  return ['exec 2>&1', ...commands.map(one)].join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

async function toItsEnd(run: SetUpRun, container: RunningContainer, spawn: SpawnSpec): Promise<Ran> {
  let cut: Ran | null = null;
  const stop = (why: Ran) => {
    cut ??= why;
    void container.stop(GRACE_MS).catch(() => {});
  };
  const { timeoutMs, maxBytes } = run.recipe.limits;
  const onAbort = () => stop({ kind: 'stopped' });
  run.signal.addEventListener('abort', onAbort, { once: true });
  // guard: layers: a set-up has a time limit
  const timer = setTimeout(() => stop(tooLong(timeoutMs)), timeoutMs);
  const size = watchSize(run.folder, maxBytes, () => stop(tooLarge(maxBytes)));
  try {
    const child = container.spawn(spawn);
    child.stdin.end();
    child.stdout.on('data', (data: Buffer) => run.output.add(data));
    child.stderr?.on('data', (data: Buffer) => run.output.add(data));
    const code = await exitOf(child);
    if (run.signal.aborted) cut ??= { kind: 'stopped' };
    if (cut !== null) return cut;
    if (code !== 0) return failedWith(code, run);
    return (await bytesBelow(run.folder)) > maxBytes ? tooLarge(maxBytes) : { kind: 'done' };
  } finally {
    clearTimeout(timer);
    size.stop();
    run.signal.removeEventListener('abort', onAbort);
    await container.stop(GRACE_MS);
  }
}

const GRACE_MS = 500;

function exitOf(child: ContainedProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    // `close` comes after the last byte, and is what a real child process has beside the port's events.
    (child as unknown as NodeJS.EventEmitter).once('close', (code: number | null) => resolve(code ?? 137));
  });
}

function failedWith(code: number, { output, recipe }: SetUpRun): Ran {
  if (saysDiskFull(output.text)) {
    return { kind: 'failed', why: 'disk-full', what: 'found no room on the disk' };
  }
  const killed = code === 137 && recipe.limits.memoryBytes !== null;
  const what = killed
    ? `were killed (exit code 137), which is what happens beyond ${recipe.limits.memoryBytes} bytes of memory`
    : `ended with exit code ${code}`;
  return { kind: 'failed', why: 'exit', what };
}

function tooLong(timeoutMs: number): Ran {
  return { kind: 'failed', why: 'time', what: `took longer than ${timeoutMs / 60_000} minutes` };
}

function tooLarge(maxBytes: number): Ran {
  return { kind: 'failed', why: 'size', what: `took more than ${maxBytes} bytes on the disk` };
}

const FIRST_LOOK_MS = 1000;
/** A look at a large folder takes seconds; between two of them is ten times as long. */
const REST = 10;

function watchSize(folder: string, maxBytes: number, onMore: () => void): { stop(): void } {
  let timer: NodeJS.Timeout | null = null;
  let isOver = false;
  const look = async () => {
    const began = performance.now();
    // guard: layers: a set-up has a limit on the disk
    if ((await bytesBelow(folder)) > maxBytes) return onMore();
    if (!isOver) later(Math.max(FIRST_LOOK_MS, (performance.now() - began) * REST));
  };
  const later = (ms: number) => {
    timer = setTimeout(() => void look(), ms);
  };
  later(FIRST_LOOK_MS);
  return {
    stop: () => {
      isOver = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}
