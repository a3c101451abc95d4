/**
 * What a push would bring, found out in a repository that only we write: the mirror, or a quarantine with the mirror's
 * refs.
 */
import { PULL_FOLDERS } from '../forges/registry.ts';
import type { Git } from './git.ts';
import { OUR_PULLS } from './mirror.ts';
import type { PushCheck, PushFacts } from './port.ts';

export interface FactsRequest {
  git: Git;
  gitDir: string;
  sha: string;
  branch: string;
  /** two commits of the base: its present head, and the one where the work began */
  bases: string[];
  remote: Pick<PushFacts, 'remoteSha' | 'reachable' | 'seen'>;
  isWatched: PushCheck['isWatched'];
}

/** Refs that only people with write access can have set. */
// guard: outgoing: words of commits in pull requests
const ON_NO_BRANCH = ['--not', '--branches', '--tags'];

/** All refs that the forge is known to have. */
export const NOT_ON_THE_FORGE = [
  '--not',
  '--branches',
  '--tags',
  ...[...PULL_FOLDERS, OUR_PULLS].map((folder) => `--glob=${folder}/*`),
];

export async function readFacts(r: FactsRequest): Promise<PushFacts> {
  const { remoteSha } = r.remote;
  const changedFiles = await changedOf(r);
  const touchesModules = changedFiles.includes('.gitmodules');
  const [bytes, commits, messages] = await Promise.all([newBytes(r), newCommits(r), newMessages(r)]);
  return {
    ...r.remote,
    branch: r.branch,
    sha: r.sha,
    fastForward: remoteSha === null || (await isAncestor(r.git, r.gitDir, [remoteSha, r.sha])),
    bytes,
    commits,
    messages,
    changedFiles,
    links: changedFiles.length === 0 ? [] : await linksOf(r),
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

/**
 * Messages are read as they were written. Git would convert them from an encoding that the commit names, but no forge
 * does.
 */
async function newMessages(r: FactsRequest): Promise<PushFacts['messages']> {
  const format = '--format=%H%n%e%n%B';
  const args = ['log', '-z', '--no-show-signature', '--encoding=none', format, r.sha, ...ON_NO_BRANCH];
  const { stdout } = await r.git({ gitDir: r.gitDir, args });
  return stdout
    .split('\0')
    .filter((record) => record !== '')
    .map((record) => {
      const [sha = '', encoding = '', ...lines] = record.split('\n');
      return { sha, encoding, text: lines.join('\n') };
    });
}

const LINK = /^120000 blob ([0-9a-f]+)\t(.+)$/s;
/** There is hardly ever one. */
const MOST_LINKS = 100;

async function linksOf(r: FactsRequest): Promise<PushFacts['links']> {
  const links: PushFacts['links'] = [];
  // Links of the base count as well: one that was added there later will be in the merge.
  for (const tree of new Set([r.sha, ...r.bases])) {
    const { stdout } = await r.git({ gitDir: r.gitDir, args: ['ls-tree', '-r', '-z', tree] });
    for (const entry of stdout.split('\0')) {
      const [, blob, path] = LINK.exec(entry) ?? [];
      if (blob === undefined || path === undefined || !r.isWatched(path)) continue;
      if (links.length >= MOST_LINKS) return links;
      const read = await r.git({ gitDir: r.gitDir, args: ['cat-file', 'blob', blob] });
      links.push({ path, target: read.stdout });
    }
  }
  return links;
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
