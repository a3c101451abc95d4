/** The last check before a commit: what is staged, and nothing else, starts. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { needs } from './support/requirements.ts';

const ROOT = resolve(import.meta.dirname, '..');

const git = needs('git');
describe.skipIf(!git.ok)(git.title('scripts/starts.ts'), () => {
  test('passes what starts, and refuses what lacks a file that is in the folder but not staged', () => {
    const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-index-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    // An index of the test's own over the tree of this checkout.
    const env = { PATH: process.env.PATH, HOME: folder, GIT_DIR: join(folder, 'git'), GIT_WORK_TREE: ROOT };
    const run = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, env });
    const starts = () =>
      spawnSync(process.execPath, [join(ROOT, 'scripts/starts.ts')], { cwd: ROOT, env, encoding: 'utf8' });
    run('init', '--quiet');
    run('add', '--', 'src', 'package.json');
    expect(starts()).toMatchObject({ status: 0, stderr: '' });
    run('rm', '--quiet', '--cached', '--', 'src/cli/stopping.ts');
    const refused = starts();
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(
      /Cannot find module .*src\/cli\/stopping\.ts[\s\S]*What is staged does not start/,
    );
  });
});
