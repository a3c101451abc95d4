import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { RunningContainer } from '../container/container.ts';
import { processEngine } from '../container/process.ts';
import { runCli } from './run-cli.ts';

test('whatever ends a run, its container is stopped once: a later stop would find the next attempt', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-run-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const real = await processEngine({ flock: null }).start({
    instance: folder,
    dispatch: 'd-1',
    mounts: [],
    image: null,
    user: null,
    limits: { memoryBytes: null, cpus: null, pids: null },
    network: 'none',
  });
  let stops = 0;
  const container: RunningContainer = {
    // Ends before it says a word: the exit, the stream and the end of the run each ask for a stop.
    spawn: (spec) => real.spawn({ ...spec, command: 'sh', args: ['-c', 'exit 3'] }),
    stop: () => {
      stops++;
      return real.stop();
    },
  };
  const report = await runCli({
    container,
    prompt: 'hello',
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
    signal: new AbortController().signal,
    observe: { text: async () => {}, tool: async () => {} },
  });
  expect(report.exitCode).toBe(3);
  expect(stops).toBe(1);
});
