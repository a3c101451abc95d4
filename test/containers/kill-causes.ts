/** What ends a run in the middle: its container, the CLI, the engine's client, the worker. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { bubblewrapEngine } from '../../src/container/bubblewrap.ts';
import { findCgroups } from '../../src/container/cgroup.ts';
import { type ContainerEngine, LOCK_HELD_EXIT_CODE } from '../../src/container/container.ts';
import { ociEngine } from '../../src/container/oci.ts';
import { watchClis } from '../faults/cli-watch.ts';
import { FLOCK, type Turn } from '../support/conversation.ts';
import type { TestEngine } from '../support/engines.ts';
import { killInside } from '../support/processes.ts';
import { type Cause, cannot } from './cause.ts';
import { engineFailed, resumed } from './expected.ts';
import { killContainers } from './images.ts';
import type { Stage } from './stage.ts';

type Kill = (stage: Stage, dispatch: string) => unknown;

const CHECKED = 'I was cut off; I have checked what is there.';
const sideEffects = ({ c }: Stage) => join(c.cwd, 'side-effects.txt');

/** Killed while a tool runs. The same dispatch goes on without help, and is told that it was cut off. */
function inMidTool(name: string, kill: Kill, more: Pick<Cause, 'cannot'> = {}): Cause {
  return {
    ...more,
    name: `${name}, in mid-tool`,
    arrange: () => ({
      act: async (stage) => {
        const lease = await stage.c.lease();
        const running = stage.c.run(lease, longPrompt(stage), stage.options());
        await toolRuns(stage);
        await kill(stage, lease.dispatch.id);
        return await running;
      },
    }),
    during: resumed,
    check: wentOnOnce,
  };
}

const longPrompt = (stage: Stage) => `LONG work, please. Remember also ${stage.newFact()}`;

async function toolRuns(stage: Stage): Promise<void> {
  while (!existsSync(sideEffects(stage))) await sleep(20);
}

function wentOnOnce(stage: Stage, turn: Turn): void {
  expect(turn.outcome).toMatchObject({ answer: CHECKED });
  const last = turn.requests.at(-1)!;
  expect(last.prompt).toContain('You were cut off');
  expect(JSON.stringify(last.messages)).toContain('side-effects.txt');
  expect(readFileSync(sideEffects(stage), 'utf8'), 'what the tool did').toBe('ran\n');
}

export const KILL_CAUSES: Cause[] = [
  inMidTool('the container is stopped', ({ container }) => container!.stop()),
  inMidTool('the CLI is killed', ({ c }) =>
    killInside(c.folder, 'SIGKILL', (command) => command.endsWith('/claude')),
  ),
  inMidTool(
    'the client of the engine is killed',
    ({ child }) => process.kill((child as ChildProcess).pid!, 'SIGKILL'),
    { cannot: cannot('nothing stands between the worker and the CLI', 'process') },
  ),
  inMidTool('the container is killed behind our back', killContainers, {
    cannot: cannot(
      'no other program keeps a list of them: there is nothing to kill by name',
      'bubblewrap',
      'process',
    ),
  }),
  {
    name: 'the worker is killed in mid-tool, and another one goes on at once',
    arrange: () => ({ act: afterWorkersDeath }),
    during: resumed,
    check: wentOnOnce,
  },
  {
    name: 'the container is killed before the first word',
    arrange: () => ({
      act: async (stage) => {
        const { model } = stage.c;
        const running = stage.c.turn(`HOLD: and now? Remember also ${stage.newFact()}`, stage.options());
        await model.reached('before');
        stage.child!.kill('SIGKILL');
        model.release('before');
        return await running;
      },
    }),
    during: resumed,
    check: (_, turn) => {
      const asked = JSON.stringify(turn.requests.at(-1)!.messages).split('HOLD: and now?').length - 1;
      expect(asked, 'how often the prompt is in the last request').toBe(1);
    },
  },
  {
    name: 'the engine does not start a container',
    cannot: cannot('there is no engine that could fail before the CLI does', 'process'),
    arrange: ({ test }) => ({ turn: { engine: failingEngine(test) } }),
    during: (engine) => engineFailed(engine === 'bubblewrap' ? '/nonexistent/bwrap' : 'no-such-option'),
    after: resumed,
  },
  {
    name: 'another CLI holds the session',
    arrange: () => ({ act: besideAnother }),
    during: resumed,
    check: (_, turn) => expect(turn.requests.length).toBe(1),
  },
];

/** Its program is gone, or no longer takes what it is told. */
function failingEngine({ oci }: TestEngine): ContainerEngine {
  if (oci !== null) return ociEngine({ ...oci, runArgs: ['--no-such-option'] });
  return bubblewrapEngine({
    program: '/nonexistent/bwrap',
    flock: FLOCK,
    overlay: null,
    cgroups: findCgroups(),
  });
}

/** What a start of the service does: end what was left, put the dispatch back, and go on with it. */
async function afterWorkersDeath(stage: Stage): Promise<Turn> {
  const { c, test } = stage;
  const lease = await c.lease();
  const prompt = longPrompt(stage);
  const order = { name: test.name, folder: c.folder, url: c.model.url, lease, prompt };
  const program = fileURLToPath(new URL('./worker-process.ts', import.meta.url));
  const worker = spawn(process.execPath, [program, JSON.stringify(order)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  stage.later(() => void worker.kill('SIGKILL'));
  const died = once(worker, 'exit');
  await Promise.race([toolRuns(stage), died]);
  expect(worker.exitCode, 'the worker ended by itself').toBeNull();
  worker.kill('SIGKILL');
  await died;
  const watch = watchClis(c.folder);
  try {
    await test.engine.reapOrphans(c.folder);
    await c.interrupt(lease);
    return await c.run(await c.leaseAgain(), prompt, stage.options());
  } finally {
    watch.stop();
    expect(watch.most(), 'CLIs at once').toBeLessThanOrEqual(1);
  }
}

/** Somebody holds the lock, and nobody ends them. The lock is free again after the first try was refused. */
async function besideAnother(stage: Stage): Promise<Turn> {
  const { c } = stage;
  const lock = join(c.folders().locks, (await c.session()).id);
  const holder = spawn(FLOCK, ['-n', '-F', lock, 'sh', '-c', 'echo held; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  stage.later(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  const running = stage.ask();
  while (stage.child?.exitCode !== LOCK_HELD_EXIT_CODE) await sleep(20);
  holder.kill('SIGKILL');
  return await running;
}
