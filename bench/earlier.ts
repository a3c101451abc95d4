/** An earlier commit of this repository, ready to run: a worktree with the dependencies that its own lock file names. */
import { execFile } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bench } from './bench.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

/** Leaves out of the tests' usual configuration what an earlier commit would refuse as an unknown key. */
export const KNOWN_EARLIER = { feedback: undefined } as const;

/** Answers the path of its `cli`. */
export async function checkOutEarlier(bench: Bench, commit: string): Promise<string> {
  const folder = join(bench.folder, `earlier-${commit}`);
  await git('worktree', 'add', '--detach', folder, commit).catch((error: Error) => {
    throw new Error(
      `The commit ${commit} cannot be checked out to compare with; fetch the whole history of this repository. ${error.message}`,
    );
  });
  bench.atEnd(async () => void (await git('worktree', 'remove', '--force', folder)));
  const isLockedAlike = await git('diff', '--quiet', commit, '--', 'package-lock.json').then(
    () => true,
    () => false,
  );
  if (isLockedAlike) symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  else await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, maxBuffer: 2 ** 24 });
  return join(folder, 'src', 'cli.ts');
}

async function git(...args: string[]) {
  return await run('git', args, { cwd: ROOT });
}
