/**
 * Does what is about to be committed start? The staged files alone are written to an empty folder, with the packages of
 * this checkout beside them: a file that was forgotten is missing there. With the names of commits, each of those.
 *
 * node scripts/starts.ts [commit …]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const PACKAGES = join(ROOT, 'node_modules');

if (!existsSync(PACKAGES)) {
  process.stderr.write('There are no packages to start with. Run npm ci first.\n');
  process.exit(1);
}
const commits = process.argv.slice(2);
const failed = (commits.length === 0 ? [null] : commits).filter((commit) => !starts(commit));
process.exitCode = failed.length === 0 ? 0 : 1;

/** `commit`: null for what is staged. */
function starts(commit: string | null): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-starts-'));
  try {
    writeTree(commit, folder);
    symlinkSync(PACKAGES, join(folder, 'node_modules'));
    const { status, stderr } = spawnSync(process.execPath, [join(folder, 'src/cli.ts'), '--version'], {
      cwd: folder,
      encoding: 'utf8',
    });
    // guard: first hour: what is staged must start
    if (status === 0) return true;
    process.stderr.write(`${stderr.replaceAll(folder, '').trim()}\n\n`);
    process.stderr.write(
      commit === null
        ? 'What is staged does not start (above: why). Stage what is missing, or mend it, and commit again.\n'
        : `${commit} does not start (above: why).\n`,
    );
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeTree(commit: string | null, folder: string): void {
  if (commit === null) {
    execFileSync('git', ['checkout-index', '--all', `--prefix=${folder}/`], { cwd: ROOT });
    return;
  }
  // With an index of its own: the one of this checkout stays as it is.
  const env = { ...process.env, GIT_INDEX_FILE: join(folder, '.index') };
  execFileSync('git', ['read-tree', '--end-of-options', commit], { cwd: ROOT, env });
  execFileSync('git', ['checkout-index', '--all', `--prefix=${folder}/`], { cwd: ROOT, env });
}
