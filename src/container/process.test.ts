import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { needs } from '../../test/support/requirements.ts';
import type { ContainedProcess, RunningContainer } from './container.ts';
import { LOCK_HELD_EXIT_CODE } from './container.ts';
import { processEngine } from './process.ts';

const FLOCK = '/usr/bin/flock';
const PATH = process.env.PATH!;

function testFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'claude-hooks-process-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const NOTHING = {
  mounts: [],
  image: null,
  user: null,
  limits: { memoryBytes: null, cpus: null, pids: null },
  network: 'none' as const,
};

/** A container that ends with the test. */
async function start({ instance = randomUUID(), dispatch = 'd-1', flock = FLOCK as string | null } = {}) {
  const engine = processEngine({ flock });
  const container = await engine.start({ ...NOTHING, instance, dispatch });
  onTestFinished(() => container.stop());
  return { engine, container, instance };
}

function shell(
  container: RunningContainer,
  script: string,
  lockFile: string | null = null,
): ContainedProcess {
  return container.spawn({ command: 'sh', args: ['-c', script], env: { PATH }, cwd: tmpdir(), lockFile });
}

interface End {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
}

async function ended(child: ContainedProcess): Promise<End> {
  let out = '';
  child.stdout.on('data', (data) => {
    out += String(data);
  });
  // `close` comes after the last byte, and is what a real child process has beside the port's events.
  const [code, signal] = await once(child as unknown as ChildProcess, 'close');
  return { code, signal, out };
}

/** Resolves with the pids the script printed before it said `ready`. */
async function pidsOf(child: Pick<ContainedProcess, 'stdout'>): Promise<number[]> {
  let out = '';
  for await (const data of child.stdout.iterator({ destroyOnReturn: false })) {
    out += String(data);
    if (out.includes('ready')) return (out.match(/\d+/g) ?? []).map(Number);
  }
  throw new Error(`the script ended early: ${out}`);
}

/** A zombie waits for a parent to ask; nothing of it runs. */
function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

describe('a contained process', () => {
  test('has exactly the environment it was given, the two marks, and its folder', async () => {
    process.env.WORKERS_OWN = 'not for agents';
    onTestFinished(() => void delete process.env.WORKERS_OWN);
    const { container, instance } = await start();
    const cwd = testFolder();
    const command = process.execPath;
    const args = ['-e', 'console.log(JSON.stringify([process.cwd(), process.env]))'];
    const env = { ONE: '1', EMPTY: '', CLAUDE_HOOKS_DISPATCH: 'forged' };
    const { out } = await ended(container.spawn({ command, args, env, cwd, lockFile: null }));
    expect(JSON.parse(out)).toEqual([
      cwd,
      { ONE: '1', EMPTY: '', CLAUDE_HOOKS_INSTANCE: instance, CLAUDE_HOOKS_DISPATCH: 'd-1' },
    ]);
  });

  test.each([0, 1, 7, 143])('ends with exit code %i', async (code) => {
    const { container } = await start();
    const child = shell(container, `exit ${code}`);
    expect(await ended(child)).toMatchObject({ code, signal: null });
    expect(child.exitCode).toBe(code);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)(
    'gets %s itself, also behind a lock',
    async (signal) => {
      const { container } = await start();
      for (const lockFile of [null, join(testFolder(), 'lock')]) {
        const child = shell(container, 'echo $$ ready; exec sleep 1000', lockFile);
        const [pid] = await pidsOf(child);
        const end = once(child as unknown as ChildProcess, 'exit');
        expect(child.kill(signal)).toBe(true);
        expect(await end).toEqual([null, signal]);
        expect(child.killed).toBe(true);
        expect(runs(pid!)).toBe(false);
      }
    },
  );

  test('is spoken to by stdin, and may end before it has heard everything', async () => {
    const { container } = await start();
    const child = shell(container, 'read line; echo "heard $line"');
    const end = ended(child);
    child.stdin.write('one\n');
    expect((await end).out).toBe('heard one\n');
    // An unheard EPIPE would end this test's process.
    child.stdin.write('two\n');
    await sleep(0);
  });

  test('that does not exist is an error event', async () => {
    const { container } = await start();
    const child = container.spawn({ command: '/nowhere/cli', args: [], env: {}, cwd: '/', lockFile: null });
    const [error] = await once(child as unknown as ChildProcess, 'error');
    expect(error).toMatchObject({ code: 'ENOENT', path: '/nowhere/cli' });
    await container.stop();
  });
});

const flock = needs('flock');

describe.skipIf(!flock.ok)(flock.title('a lock'), () => {
  test('that is held ends the second at once with its own code, before it did anything', async () => {
    const folder = testFolder();
    const lockFile = join(folder, 'lock');
    const first = (await start({ dispatch: 'first' })).container;
    const second = (await start({ dispatch: 'second' })).container;
    await pidsOf(shell(first, 'echo ready; exec sleep 1000', lockFile));

    const refused = await ended(shell(second, `touch ${folder}/ran`, lockFile));
    expect(refused.code).toBe(LOCK_HELD_EXIT_CODE);
    expect(existsSync(join(folder, 'ran'))).toBe(false);

    await first.stop();
    expect((await ended(shell(second, `touch ${folder}/ran`, lockFile))).code).toBe(0);
    expect(existsSync(join(folder, 'ran'))).toBe(true);
  });

  test('is held by what the process left behind, too', async () => {
    const lockFile = join(testFolder(), 'lock');
    const { container } = await start({ dispatch: 'first' });
    await ended(shell(container, 'sleep 1000 >/dev/null 2>&1 &', lockFile));
    const other = (await start({ dispatch: 'second' })).container;
    expect((await ended(shell(other, 'true', lockFile))).code).toBe(LOCK_HELD_EXIT_CODE);
    await container.stop();
    expect((await ended(shell(other, 'true', lockFile))).code).toBe(0);
  });

  test('is not asked for where there is no flock', async () => {
    const { container } = await start({ flock: null });
    const lockFile = join(testFolder(), 'lock');
    expect((await ended(shell(container, 'exit 3', lockFile))).code).toBe(3);
    expect(existsSync(lockFile)).toBe(false);
  });
});

/** Prints the pids of: a tool, one in a session of its own, one with a cleared environment, and the leader. */
const TREE = `
  sleep 1000 & echo $!
  setsid sleep 1001 & echo $!
  env -i sleep 1002 & echo $!
  env -i setsid sleep 1003 & echo $!
  (sleep 1004 & echo $!)
  echo $$ ready; wait`;
const quietly = (script: string) => `exec 2>/dev/null; ${script}`;

const proc = needs('proc');

describe.skipIf(!proc.ok)(proc.title('stop'), () => {
  test('ends the whole tree: tools, sessions of their own, cleared environments', async () => {
    const { container } = await start();
    const child = shell(container, quietly(TREE));
    const pids = await pidsOf(child);
    expect(pids).toHaveLength(6);
    expect(pids.filter(runs)).toEqual(pids);
    await container.stop();
    expect(pids.filter(runs)).toEqual([]);
  });

  test('ends what does not listen to SIGTERM', async () => {
    const { container } = await start();
    const child = shell(
      container,
      quietly(`trap '' TERM; (trap '' TERM; sleep 1000) & echo $! $$ ready; wait`),
    );
    const pids = await pidsOf(child);
    await container.stop();
    expect(pids.filter(runs)).toEqual([]);
  });

  test('lets the process write its last lines', async () => {
    const { container } = await start();
    const child = shell(
      container,
      `trap 'sleep 0.2; echo last line; exit 0' TERM; echo ready; while :; do sleep 0.05; done`,
    );
    const end = ended(child);
    await once(child.stdout, 'data');
    await container.stop();
    expect(await end).toEqual({ code: 0, signal: null, out: 'ready\nlast line\n' });
  });

  test('ends what a process left behind that is gone itself', async () => {
    const { container } = await start();
    const child = shell(
      container,
      quietly('sleep 1000 >/dev/null & echo $!; env -i sleep 1001 >/dev/null & echo $! ready'),
    );
    const pids = await pidsOf(child);
    if (child.exitCode === null) await once(child as unknown as ChildProcess, 'exit');
    expect(pids.filter(runs)).toEqual(pids);
    await container.stop();
    expect(pids.filter(runs)).toEqual([]);
  });

  test('is there for all who call it, again and again, with or without a process', async () => {
    const { container } = await start();
    await container.stop();
    const pids = await pidsOf(shell(container, 'echo $$ ready; exec sleep 1000'));
    await Promise.all([container.stop(), container.stop()]);
    expect(pids.filter(runs)).toEqual([]);
    await container.stop();
  });

  test('leaves the other container of the instance alone', async () => {
    const instance = randomUUID();
    const one = (await start({ instance, dispatch: 'one' })).container;
    const two = (await start({ instance, dispatch: 'two' })).container;
    const [ofOne, ofTwo] = await Promise.all([one, two].map((c) => pidsOf(shell(c, quietly(TREE)))));
    await one.stop();
    expect(ofOne!.filter(runs)).toEqual([]);
    expect(ofTwo!.filter(runs)).toEqual(ofTwo);
  });
});

const MODULE = new URL('process.ts', import.meta.url).href;
/** A worker that starts two dispatches, tells their pids and waits for its death. */
const WORKER = `
  import { processEngine } from ${JSON.stringify(MODULE)};
  const [instance, script] = process.argv.slice(1);
  for (const dispatch of ['d-1', 'd-2']) {
    const container = await processEngine({ flock: null }).start({ ...${JSON.stringify(NOTHING)}, instance, dispatch });
    const child = container.spawn({ command: 'sh', args: ['-c', script], env: { PATH: process.env.PATH }, cwd: '/', lockFile: null });
    await new Promise((resolve) => child.stdout.on('data', (data) => {
      process.stdout.write(String(data).replace('ready', ''));
      if (String(data).includes('ready')) resolve();
    }));
  }
  console.log('ready');`;

describe.skipIf(!proc.ok)(proc.title('reaping orphans'), () => {
  test('ends what a worker left that was killed; other instances keep theirs', async () => {
    const instance = randomUUID();
    const worker = spawn(
      process.execPath,
      ['--input-type=module-typescript', '--eval', WORKER, instance, quietly(TREE)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    onTestFinished(() => void worker.kill('SIGKILL'));
    const orphans = await pidsOf(worker);
    const gone = once(worker, 'exit');
    worker.kill('SIGKILL');
    await gone;
    expect(orphans).toHaveLength(12);
    expect(orphans.filter(runs)).toEqual(orphans);

    const { engine, container } = await start({ instance: `${instance}-other` });
    const theirs = await pidsOf(shell(container, quietly(TREE)));
    expect((await engine.reapOrphans(instance)).sort()).toEqual(['d-1', 'd-2']);
    expect(orphans.filter(runs)).toEqual([]);
    expect(theirs.filter(runs)).toEqual(theirs);
    expect(await engine.reapOrphans(instance)).toEqual([]);
  });

  test('finds nothing where nothing was left', async () => {
    const { engine, container, instance } = await start();
    await ended(shell(container, 'true'));
    expect(await engine.reapOrphans(instance)).toEqual([]);
  });
});
