import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { needs, titleOf } from './support/requirements.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a file of tests in a Vitest of its own and answers what that printed. */
async function runVitest(text: string, ...options: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'claude-hooks-skipped-'));
  try {
    await writeFile(join(folder, 'some.test.ts'), text);
    const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder, '--globals'];
    const reporters = ['--reporter', join(root, 'test/support/skipped-reporter.ts'), '--reporter', 'default'];
    // PATH without git, flock and unshare, and no home to write to.
    const env = { PATH: folder, HOME: folder, NO_COLOR: '1' };
    return await new Promise((resolve) => {
      execFile(
        process.execPath,
        [...args, ...reporters, ...options],
        { cwd: folder, env },
        (_, stdout, stderr) => resolve(stdout + stderr),
      );
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The lines about suites; those about whole files of this repository stand beside them. */
function suitesIn(output: string): string[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('not run here: ') && !line.includes('.test.ts — '));
}

const SOME_TESTS = `
import { needs } from ${JSON.stringify(join(root, 'test/support/requirements.ts'))};
const tools = needs('git', 'flock');
describe.skipIf(!tools.ok)(tools.title('pushes'), () => {
  test('one', () => {});
  test('two', () => {});
});
describe('others', () => {
  test('runs', () => {});
  test.skip('forgotten', () => {});
});
`;

describe('what a machine lacks', () => {
  test('is listed once, with the reason, and fails nothing', async () => {
    const output = await runVitest(SOME_TESTS);
    expect(suitesIn(output)).toEqual([
      'not run here: others > forgotten',
      'not run here: pushes — git does not run; install git; flock does not lock; install util-linux',
    ]);
    expect(output).toContain('not run here: test/scenarios.test.ts — git does not run; install git');
    expect(output).toMatch(/Tests +1 passed \| 3 skipped \(4\)/);
  });

  test('is not confused with what -t left out', async () => {
    const output = await runVitest(SOME_TESTS, '-t', 'runs');
    expect(suitesIn(output)).toEqual([
      'not run here: pushes — git does not run; install git; flock does not lock; install util-linux',
    ]);
  });
});

test('a need that is met leaves the title alone', () => {
  const need = needs();
  expect([need.ok, need.reason, need.title('pushes')]).toEqual([true, '', 'pushes']);
  expect(titleOf('pushes', 'no git')).toBe('pushes — not run here: no git');
});
