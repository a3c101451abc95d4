import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findProgram } from '../container/choose.ts';
import { demoEngine } from './engine.ts';

/** A machine that has flock and no engine. */
function bareMachine(): string {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-path-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(findProgram('flock', process.env.PATH!)!, join(folder, 'flock'));
  return folder;
}

function wanted(live: boolean) {
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  return { said, asked: { engine: 'auto', image: null, live, env: { PATH: bareMachine() }, say } as const };
}

test('without an engine the rehearsal is played as a bare process, and says so with what to install', async () => {
  const { said, asked } = wanted(false);
  expect(await demoEngine(asked)).toBe('process');
  expect(said).toEqual([
    expect.stringMatching(/^No container engine works here, .* bare process: .*apt-get install bubblewrap/),
  ]);
});

test('without an engine nothing that a real model says is run', async () => {
  const { said, asked } = wanted(true);
  await expect(demoEngine(asked)).rejects.toThrow(/apt-get install bubblewrap/);
  expect(said).toEqual([]);
});
