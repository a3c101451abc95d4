import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { RunningContainer } from '../container/container.ts';
import { processEngine } from '../container/process.ts';
import { LiveInput } from './live-input.ts';
import { type CliRun, runCli } from './run-cli.ts';

async function started(folder: string): Promise<RunningContainer> {
  return await processEngine({ flock: null }).start({
    instance: folder,
    dispatch: 'd-1',
    mounts: [],
    image: null,
    user: null,
    limits: { memoryBytes: null, cpus: null, pids: null },
    network: 'none',
  });
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-run-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function runIn(folder: string, container: RunningContainer, signal: AbortSignal): CliRun {
  return {
    container,
    input: new LiveInput('hello'),
    session: { id: '00000000-0000-4000-8000-000000000000', start: 'new', resumeAt: null },
    cwd: folder,
    env: { PATH: process.env.PATH! },
    instructions: null,
    lockFile: null,
    executable: '/nowhere/claude',
    agent: {
      model: 'claude-sonnet-4-5',
      effort: null,
      tools: null,
      disallowedTools: [],
      maxTurns: null,
      permissionMode: 'bypassPermissions',
      instructions: '',
    },
    tools: [],
    lateMessagesMs: 1000,
    backgroundMs: 60_000,
    signal,
    observe: { text: async () => {}, tool: async () => {} },
  };
}

test('whatever ends a run, its container is stopped once: a later stop would find the next attempt', async () => {
  const folder = temporary();
  const real = await started(folder);
  let stops = 0;
  const container: RunningContainer = {
    // Ends before it says a word: the exit, the stream and the end of the run each ask for a stop.
    spawn: (spec) => real.spawn({ ...spec, command: 'sh', args: ['-c', 'exit 3'] }),
    stop: (graceMs) => {
      stops++;
      return real.stop(graceMs);
    },
  };
  const report = await runCli(runIn(folder, container, new AbortController().signal));
  expect(report.exitCode).toBe(3);
  expect(stops).toBe(1);
});

test('a run that is told to end and does not heed it is ended, before the SDK would, with a short grace', async () => {
  const folder = temporary();
  const real = await started(folder);
  const abort = new AbortController();
  const order: string[] = [];
  const container: RunningContainer = {
    spawn: (spec) => {
      const deaf = 'trap "" TERM; echo deaf >&2; while :; do sleep 1; done';
      const child = real.spawn({ ...spec, command: 'sh', args: ['-c', deaf] });
      child.stderr!.once('data', () => abort.abort('withdrawn'));
      child.once('exit', (_code, signal) => order.push(`exit by ${signal}`));
      return child;
    },
    stop: async (graceMs) => {
      order.push(`stop with ${graceMs} ms`);
      await real.stop(graceMs);
      order.push('stopped');
    },
  };
  await runCli(runIn(folder, container, abort.signal));
  expect(order).toEqual(['stop with 700 ms', 'exit by SIGKILL', 'stopped']);
});

test('a CLI that does not end when nothing more is to come is cut', async () => {
  const folder = temporary();
  const real = await started(folder);
  const result = JSON.stringify({
    ...{ type: 'result', subtype: 'success', is_error: false, result: 'done', num_turns: 1, uuid: 'u' },
    ...{ session_id: 's', total_cost_usd: 0, usage: {}, modelUsage: {}, permission_denials: [] },
  });
  const container: RunningContainer = {
    spawn: (spec) => real.spawn({ ...spec, command: 'sh', args: ['-c', `echo '${result}'; exec sleep 600`] }),
    stop: (graceMs) => real.stop(graceMs),
  };
  const run = runIn(folder, container, new AbortController().signal);
  const report = await runCli({ ...run, lateMessagesMs: 200 });
  expect(report).toMatchObject({ cut: true, leftBehind: [], results: [{ text: 'done' }] });
});
