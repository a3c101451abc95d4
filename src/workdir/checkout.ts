/** One checkout: an ordinary repository for the agent, made by a local clone of the mirror. */
import { lstat, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Branches, refspecsOf } from './branches.ts';
import type { Control } from './control.ts';
import { GitCommandFailed, isDamage } from './failure.ts';
import type { Git, GitAnswer, GitCall } from './git.ts';
import { CLEAN } from './lfs-filter.ts';
import type { MirrorUse } from './mirror.ts';
import { removeTree } from './remove-tree.ts';
import { configureCheckout, type Settings, settingsForClone } from './settings.ts';
import type { Target } from './target.ts';

export interface Status {
  /** '' on a branch without a commit */
  headSha: string;
  branch: string | null;
  dirtyFiles: string[];
}

/** Git cannot work with the checkout; the mirror is not at fault. */
export class CheckoutBroken extends Error {
  override name = 'CheckoutBroken';
}

export async function inCheckout(
  git: Git,
  control: Control,
  args: string[],
  answers?: number[],
  input?: GitCall['input'],
): Promise<GitAnswer> {
  return git({
    gitDir: control.gitDir,
    workTree: control.checkout,
    args,
    // Files in Git LFS stand in a checkout with their content; that does not count as a change.
    // guard: lfs: a content in a checkout is no change
    config: [['filter.lfs.clean', CLEAN]],
    ...(answers ? { answers } : {}),
    ...(input ? { input } : {}),
  });
}

/**
 * Clones, and sets HEAD. Rejected: hard links, because an agent could write into the mirror's own packs through them;
 * worktrees and alternates, because they break when the mirror goes.
 */
export async function createCheckout(
  git: Git,
  use: MirrorUse,
  o: { path: string; target: Target; settings: Settings; branches: Branches },
): Promise<void> {
  const fresh = join(dirname(o.path), '.new');
  await removeTree(fresh);
  await mkdir(dirname(o.path), { recursive: true });
  const one = o.branches.kind === 'all' ? [] : ['--single-branch', '--branch', o.target.base];
  // guard: checkout: hard links
  const copied = [...one, '--local', '--no-hardlinks', '--no-checkout', '--origin', 'origin', '--template='];
  try {
    // A clone's reflog would hold the mirror's path, which is wrong once the state folder has been moved.
    const config: [string, string][] = [['core.logAllRefUpdates', 'false']];
    const args = ['clone', '--quiet', ...copied, ...settingsForClone(o.settings), '--', use.path, fresh];
    await git({ gitDir: null, args, config });
    await configureCheckout(git, fresh, o.settings);
    const gitDir = join(fresh, '.git');
    const run = (args: string[]) => git({ gitDir, workTree: fresh, args });
    if (o.branches.kind === 'named') {
      await run(['fetch', '--quiet', '--', use.path, ...refspecsOf(o.branches, 'refs/remotes/origin')]);
    }
    const t = o.target;
    if (t.kind === 'pull') {
      await run(['update-ref', t.ref, t.sha]);
      await run(['checkout', '--quiet', '--detach', t.sha, '--']);
    } else if (t.remoteSha === null) {
      await run(['checkout', '--quiet', '--no-track', '-b', t.branch, t.baseSha, '--']);
    } else {
      await run(['checkout', '--quiet', '--track', '-b', t.branch, `refs/remotes/origin/${t.branch}`, '--']);
    }
    await rename(fresh, o.path);
  } catch (error) {
    await removeTree(fresh);
    throw error;
  }
}

export async function readStatus(git: Git, control: Control): Promise<Status> {
  const flags = [
    '--porcelain=v2',
    '--branch',
    '-z',
    '--no-renames',
    '--untracked-files=all',
    '--ignore-submodules=all',
  ];
  const { stdout } = await inCheckout(git, control, ['--no-optional-locks', 'status', ...flags]);
  const status: Status = { headSha: '', branch: await control.branch(), dirtyFiles: [] };
  for (const line of stdout.split('\0')) {
    if (line.startsWith('# branch.oid ')) status.headSha = line.slice(13).replace('(initial)', '');
    else if (line === '# branch.head (unknown)' && status.branch !== '(unknown)')
      throw unreadableHead(control);
    else if (line.startsWith('? ')) status.dirtyFiles.push(line.slice(2));
    else if (line.startsWith('1 ')) status.dirtyFiles.push(afterFields(line, 8));
    else if (line.startsWith('u ')) status.dirtyFiles.push(afterFields(line, 10));
  }
  return status;
}

/** Brings `origin/*` and the pull request's head up to date. Changes neither HEAD nor the agent's files. */
export async function refreshCheckout(
  git: Git,
  use: MirrorUse,
  control: Control,
  { target, branches }: { target: Target; branches: Branches },
): Promise<void> {
  const pull = target.kind === 'pull' ? [`+${target.sha}:${target.ref}`] : [];
  const prune = branches.kind === 'all' ? ['--prune'] : [];
  const options = ['--quiet', ...prune, '--no-write-fetch-head', '--no-recurse-submodules'];
  const refspecs = [...refspecsOf(branches, 'refs/remotes/origin'), ...pull];
  try {
    await inCheckout(git, control, ['fetch', ...options, '--', use.path, ...refspecs]);
  } catch (error) {
    // The checkout or the mirror may be at fault. A new mirror costs only time, so the mirror is suspected (and
    // replaced) first.
    if (use.fresh && isDamage(error)) throw new CheckoutBroken(String(error));
    throw error;
  }
}

const OPERATIONS = {
  'rebase-merge': 'rebase',
  'rebase-apply': 'rebase',
  MERGE_HEAD: 'merge',
  CHERRY_PICK_HEAD: 'cherry-pick',
  REVERT_HEAD: 'revert',
  BISECT_LOG: 'bisect',
};

/** The git operation that the agent has not finished, or null. */
export async function operationInProgress(checkout: string): Promise<string | null> {
  const [name] = await operationFiles(checkout);
  return name === undefined ? null : OPERATIONS[name];
}

/** The files and folders in the checkout's `.git` by which git knows of an unfinished operation. */
export async function operationFiles(checkout: string): Promise<(keyof typeof OPERATIONS)[]> {
  const found: (keyof typeof OPERATIONS)[] = [];
  for (const name of Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[]) {
    if ((await lstat(join(checkout, '.git', name)).catch(() => null)) !== null) found.push(name);
  }
  return found;
}

function unreadableHead(control: Control): GitCommandFailed {
  const detail = { exitCode: 0, stderr: 'HEAD names a branch that cannot be read' };
  return new GitCommandFailed(`git status in ${control.checkout}`, 'damaged', detail);
}

function afterFields(line: string, count: number): string {
  let at = -1;
  for (let i = 0; i < count; i += 1) at = line.indexOf(' ', at + 1);
  return line.slice(at + 1);
}
