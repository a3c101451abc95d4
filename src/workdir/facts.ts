/** What a push would bring, told from a repository that is ours: the mirror, or a quarantine with the mirror's refs. */
import type { PushFacts } from './contract.ts';
import type { Git } from './git.ts';

export interface FactsRequest {
  git: Git;
  gitDir: string;
  sha: string;
  branch: string;
  /** commits of the base: its present head, and the one the work began from */
  bases: string[];
  remote: Pick<PushFacts, 'remoteSha' | 'reachable' | 'seen'>;
}

/** Everything the forge is known to have. */
export const NOT_ON_THE_FORGE = ['--not', '--branches', '--tags', '--glob=refs/pull/*'];

export async function readFacts(r: FactsRequest): Promise<PushFacts> {
  const { remoteSha } = r.remote;
  const changedFiles = await changedOf(r);
  const touchesModules = changedFiles.includes('.gitmodules');
  const [bytes, commits] = await Promise.all([newBytes(r), newCommits(r)]);
  return {
    ...r.remote,
    branch: r.branch,
    sha: r.sha,
    fastForward: remoteSha === null || (await isAncestor(r.git, r.gitDir, [remoteSha, r.sha])),
    bytes,
    commits,
    changedFiles,
    submoduleUrls: touchesModules ? await submoduleUrls(r) : [],
  };
}

export async function isAncestor(
  git: Git,
  gitDir: string,
  [ancestor, of]: [string, string],
): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', ancestor, of];
  return (await git({ gitDir, args, answers: [0, 1] })).exitCode === 0;
}

/**
 * Compared with the merge base alone, a merge of the base would count as the agent's work where the base moved on, and
 * so would what other people have pushed to the same branch.
 */
async function changedOf(r: FactsRequest): Promise<string[]> {
  const { stdout } = await r.git({
    gitDir: r.gitDir,
    args: ['merge-base', '--all', r.sha, ...r.bases],
    answers: [0, 1],
  });
  const others = [...stdout.split('\n'), ...r.bases, r.remote.remoteSha ?? ''].filter((sha) => sha !== '');
  let changed: string[] | null = null;
  for (const other of new Set(others)) {
    const differing: string[] = await differingPaths(r, other);
    const before: Set<string> | null = changed === null ? null : new Set(changed);
    changed = differing.filter((path) => before === null || before.has(path));
  }
  return changed ?? [];
}

async function differingPaths(r: FactsRequest, other: string): Promise<string[]> {
  const args = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', other, r.sha];
  const { stdout } = await r.git({ gitDir: r.gitDir, args });
  return stdout.split('\0').filter((path) => path !== '');
}

async function newCommits(r: FactsRequest): Promise<PushFacts['commits']> {
  const args = ['log', '-z', '--no-show-signature', '--format=%H%n%cn%n%ce', r.sha, ...NOT_ON_THE_FORGE];
  const { stdout } = await r.git({ gitDir: r.gitDir, args });
  return stdout
    .split('\0')
    .filter((record) => record !== '')
    .map((record) => {
      const [sha = '', name = '', email = ''] = record.split('\n');
      return { sha, committer: { name, email } };
    });
}

async function newBytes(r: FactsRequest): Promise<number> {
  const args = ['rev-list', '--objects', '--disk-usage', r.sha, ...NOT_ON_THE_FORGE];
  return Number((await r.git({ gitDir: r.gitDir, args })).stdout);
}

async function submoduleUrls(r: FactsRequest): Promise<string[]> {
  const blob = `${r.sha}:.gitmodules`;
  const args = ['config', '-z', '--blob', blob, '--get-regexp', '^submodule\\..*\\.url$'];
  const { stdout, exitCode } = await r.git({ gitDir: r.gitDir, args, answers: [0, 1, 128] });
  if (exitCode !== 0) return [];
  return stdout
    .split('\0')
    .filter((pair) => pair.includes('\n'))
    .map((pair) => pair.slice(pair.indexOf('\n') + 1));
}
