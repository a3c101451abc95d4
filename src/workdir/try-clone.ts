/**
 * A small clone that is thrown away. The doctor uses it to see whether git reaches a repository as an account.
 */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FailureKind, GitCommandFailed } from './failure.ts';
import { makeGit } from './git.ts';
import type { Remote, WorkdirOptions } from './port.ts';
import { parseRemote } from './remote.ts';
import { removeTree } from './remove-tree.ts';

export type CloneTrial =
  | { kind: 'empty' }
  /** `taken`: those of the names asked for that exist as branches */
  | { kind: 'cloned'; taken: string[] }
  /** `words`: git's message, without secrets */
  | { kind: 'failed'; failure: FailureKind; words: string };

export type TryClone = (remote: Remote, names: readonly string[]) => Promise<CloneTrial>;

const TIME_LIMIT_MS = 30_000;

/** Fetches the newest commit without its files, which is enough to go through every step of a fetch. */
export async function tryClone(
  remote: Remote,
  { names, ...how }: Pick<WorkdirOptions, 'env' | 'network' | 'gitTimeoutMs'> & { names: readonly string[] },
): Promise<CloneTrial> {
  const folder = await mkdtemp(join(tmpdir(), 'claude-hooks-clone-'));
  const removeAtExit = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeAtExit);
  try {
    const git = makeGit({ folder, gitTimeoutMs: TIME_LIMIT_MS, ...how });
    const address = parseRemote(remote, how.network);
    const gitDir = join(folder, 'trial.git');
    await git({ gitDir: null, args: ['init', '--quiet', '--bare', '--template=', '--', gitDir] });
    const listed = await git({
      gitDir,
      args: ['ls-remote', '--', address.url, 'HEAD', ...names.map(branchRef)],
      remote: address,
    });
    if (listed.stdout === '') return { kind: 'empty' };
    const options = ['--quiet', '--no-tags', '--depth=1', '--filter=blob:none', '--no-write-fetch-head'];
    await git({ gitDir, args: ['fetch', ...options, '--', address.url, 'HEAD'], remote: address });
    return {
      kind: 'cloned',
      taken: names.filter((name) => `${listed.stdout}\n`.includes(`\t${branchRef(name)}\n`)),
    };
  } catch (error) {
    if (!(error instanceof GitCommandFailed)) throw error;
    const words = error.stderr.trim().split('\n').slice(-2).join(' | ').slice(0, 400);
    return { kind: 'failed', failure: error.kind, words };
  } finally {
    await removeTree(folder);
    process.off('exit', removeAtExit);
  }
}

function branchRef(name: string): string {
  return `refs/heads/${name}`;
}
