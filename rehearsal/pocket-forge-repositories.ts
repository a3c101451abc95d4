/**
 * The bare git repositories of the pocket forge and the plumbing on them. Every git process gets a clean environment:
 * nothing of the caller's configuration, credentials or GIT_* variables reaches it.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GitFailed } from '../src/errors.ts';
import { lastWords, runProgram } from '../src/program.ts';

const LONGEST_MS = 10 * 60_000;

export interface GitIdentity {
  name: string;
  email: string;
}

export interface GitCall {
  /** absolute path of the repository, or any folder */
  folder: string;
  args: string[];
  input?: string;
  identity?: GitIdentity;
}

export class PocketGit {
  /** holds `owner/name.git` */
  readonly root: string;
  readonly #home: string;
  readonly #execPath: string;

  private constructor(home: string, execPath: string) {
    this.root = join(home, 'repositories');
    this.#home = home;
    this.#execPath = execPath;
  }

  /**
   * Asks the installed git for its exec path once, with the inherited environment; later calls use absolute paths and
   * so need no PATH of the caller's.
   */
  static async open(home: string): Promise<PocketGit> {
    const call = {
      program: 'git',
      args: ['--exec-path'],
      env: {},
      inherits: true,
      timeoutMs: LONGEST_MS,
    } as const;
    const { exitCode, stdout, stderr, cutShort } = await runProgram(call);
    if (exitCode !== 0) {
      const said = cutShort?.why ?? lastWords(stderr);
      const message = `git --exec-path failed: ${said}. Install git 2.38 or newer.`;
      throw new GitFailed(message, { exitCode, stderr, transient: false });
    }
    const git = new PocketGit(home, stdout.toString('utf8').trim());
    await mkdir(git.root, { recursive: true });
    return git;
  }

  get backend(): string {
    return join(this.#execPath, 'git-http-backend');
  }

  path(fullName: string): string {
    return join(this.root, `${fullName}.git`);
  }

  environment(identity: GitIdentity = { name: 'Pocket Forge', email: 'forge@noreply.localhost' }) {
    return {
      PATH: `${this.#execPath}:/usr/local/bin:/usr/bin:/bin`,
      HOME: this.#home,
      LC_ALL: 'C',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_SYSTEM: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: identity.name,
      GIT_AUTHOR_EMAIL: identity.email,
      GIT_COMMITTER_NAME: identity.name,
      GIT_COMMITTER_EMAIL: identity.email,
    };
  }

  /** Standard output of one git command, untouched. Throws GitFailed on any exit code but 0. */
  async run(call: GitCall): Promise<string> {
    const { exitCode, stdout, stderr } = await this.attempt(call);
    if (exitCode === 0) return stdout;
    const message = `git ${call.args[0]} failed in ${call.folder}: ${lastWords(stderr)}. Check the repository by hand.`;
    throw new GitFailed(message, { exitCode, stderr, transient: false });
  }

  async attempt(call: GitCall): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
    const { exitCode, stdout, stderr, cutShort } = await runProgram({
      program: join(this.#execPath, 'git'),
      args: ['-c', 'core.quotePath=false', ...call.args],
      cwd: call.folder,
      env: this.environment(call.identity),
      input: { text: call.input ?? '' },
      timeoutMs: LONGEST_MS,
    });
    const said = cutShort === null ? stderr : `${stderr}\n${cutShort.why}`;
    return { exitCode: cutShort === null ? exitCode : null, stdout: stdout.toString('utf8'), stderr: said };
  }
}

/** A bare repository whose default branch has one commit with `files`; a file that begins with `#!` is executable. */
export async function createBareRepository(
  git: PocketGit,
  o: { folder: string; branch: string; files: Record<string, string>; identity: GitIdentity },
): Promise<void> {
  await mkdir(o.folder, { recursive: true });
  const run = (args: string[], input?: string) =>
    git.run({ folder: o.folder, args, identity: o.identity, ...(input === undefined ? {} : { input }) });
  await run(['init', '--quiet', '--bare', `--initial-branch=${o.branch}`]);
  await run(['config', 'http.receivepack', 'true']);
  // A push must not start a background gc that outlives the forge.
  await run(['config', 'gc.auto', '0']);
  await run(['config', 'receive.autogc', 'false']);
  await run(['config', 'receive.hideRefs', 'refs/pull']);
  await run(['config', 'uploadpack.allowFilter', 'true']);
  await run(['fast-import', '--quiet'], firstCommit(o));
}

function firstCommit(o: { branch: string; files: Record<string, string>; identity: GitIdentity }): string {
  const seconds = Math.floor(Date.now() / 1000);
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const files = Object.entries(o.files).map(([path, content]) => {
    const mode = content.startsWith('#!') ? '100755' : '100644';
    return `M ${mode} inline ${JSON.stringify(path)}\n${data(content)}`;
  });
  const who = `committer ${o.identity.name} <${o.identity.email}> ${seconds} +0000\n`;
  return `commit refs/heads/${o.branch}\n${who}${data('First commit\n')}${files.join('')}\n`;
}

/** full ref name → object id, branches and tags only */
export async function listRefs(git: PocketGit, folder: string): Promise<Map<string, string>> {
  const format = '--format=%(refname) %(objectname)';
  const out = await git.run({ folder, args: ['for-each-ref', format, 'refs/heads', 'refs/tags'] });
  const lines = out.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => line.split(' ') as [string, string]));
}

/** The commit a branch, tag, full ref or (abbreviated) id names, or null. */
export async function resolveCommit(git: PocketGit, folder: string, rev: string): Promise<string | null> {
  if (rev === '' || rev.startsWith('-')) return null;
  const args = ['rev-parse', '--verify', '--quiet', `${rev}^{commit}`];
  const { exitCode, stdout } = await git.attempt({ folder, args });
  return exitCode === 0 ? stdout.trim() : null;
}

export interface Comparison {
  mergeBase: string;
  additions: number;
  deletions: number;
  changedFiles: number;
  mergeable: boolean;
}

/** What merging `head` into `base` would change. Unrelated histories count as not mergeable. */
export async function comparePull(
  git: PocketGit,
  o: { folder: string; base: string; head: string },
): Promise<Comparison> {
  const { folder, base, head } = o;
  const found = await git.attempt({ folder, args: ['merge-base', base, head] });
  if (found.exitCode !== 0) {
    return { mergeBase: '', additions: 0, deletions: 0, changedFiles: 0, mergeable: false };
  }
  const mergeBase = found.stdout.trim();
  const [numstat, tree] = await Promise.all([
    git.run({ folder, args: ['diff', '--numstat', mergeBase, head] }),
    mergedTree(git, o),
  ]);
  const rows = numstat.split('\n').filter((line) => line !== '');
  const sum = (column: number) =>
    rows.reduce((total, row) => total + (Number(row.split('\t')[column]) || 0), 0);
  return {
    mergeBase,
    additions: sum(0),
    deletions: sum(1),
    changedFiles: rows.length,
    mergeable: tree !== null,
  };
}

/** The tree of the merge, or null on conflicts. Needs git 2.38 or newer. */
async function mergedTree(
  git: PocketGit,
  o: { folder: string; base: string; head: string },
): Promise<string | null> {
  const args = ['merge-tree', '--write-tree', '--no-messages', o.base, o.head];
  const { exitCode, stdout, stderr } = await git.attempt({ folder: o.folder, args });
  if (exitCode === 0) return stdout.trim();
  if (exitCode === 1) return null;
  const message = `git merge-tree failed: ${lastWords(stderr)}. The pocket forge needs git 2.38 or newer.`;
  throw new GitFailed(message, { exitCode, stderr, transient: false });
}

export const MERGE_STYLES = ['merge', 'squash', 'rebase', 'fast-forward-only'] as const;
export type MergeStyle = (typeof MERGE_STYLES)[number];

export interface MergeWork {
  folder: string;
  base: string;
  head: string;
  message: string;
  identity: GitIdentity;
}

/** The commit the base branch should point at after the merge, or null when git cannot make it. Moves no ref. */
export async function mergeCommit(git: PocketGit, style: MergeStyle, o: MergeWork): Promise<string | null> {
  if (style === 'fast-forward-only') {
    const args = ['merge-base', '--is-ancestor', o.base, o.head];
    return (await git.attempt({ folder: o.folder, args })).exitCode === 0 ? o.head : null;
  }
  if (style === 'rebase') return rebasedHead(git, o);
  const tree = await mergedTree(git, o);
  if (tree === null) return null;
  const parents = style === 'merge' ? ['-p', o.base, '-p', o.head] : ['-p', o.base];
  const args = ['commit-tree', tree, ...parents];
  return (await git.run({ folder: o.folder, args, input: o.message, identity: o.identity })).trim();
}

async function rebasedHead(git: PocketGit, o: MergeWork): Promise<string | null> {
  const worktree = await mkdtemp(join(git.root, '.rebase-'));
  try {
    await git.run({ folder: o.folder, args: ['worktree', 'add', '--quiet', '--detach', worktree, o.head] });
    const rebase = { folder: worktree, args: ['rebase', '--quiet', o.base], identity: o.identity };
    if ((await git.attempt(rebase)).exitCode !== 0) return null;
    return await resolveCommit(git, worktree, 'HEAD');
  } finally {
    await rm(worktree, { recursive: true, force: true });
    await git.run({ folder: o.folder, args: ['worktree', 'prune'] });
  }
}

export interface GitCommit {
  id: string;
  author: GitIdentity;
  committer: GitIdentity;
  /** RFC 3339 with the committer's offset */
  time: string;
  message: string;
  added: string[];
  removed: string[];
  modified: string[];
}

const LOG_FORMAT = '--format=%x01%H%x00%an%x00%ae%x00%cn%x00%ce%x00%cI%x00%B%x02';

/** Newest first. `revisions` are rev-list arguments, e.g. `['a..b']` or `[tip, '^main']`. */
export async function listCommits(git: PocketGit, folder: string, revisions: string[]): Promise<GitCommit[]> {
  const out = await git.run({
    folder,
    args: ['log', '--name-status', '--no-renames', LOG_FORMAT, ...revisions],
  });
  return out.split('\x01').slice(1).map(parseCommit);
}

function parseCommit(text: string): GitCommit {
  const [head = '', files = ''] = text.split('\x02');
  const [id = '', an = '', ae = '', cn = '', ce = '', time = '', message = ''] = head.split('\x00');
  const changed = files
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
  const named = (kinds: string) =>
    changed.filter(([kind]) => kinds.includes(kind ?? '')).map((c) => c[1] ?? '');
  return {
    id,
    author: { name: an, email: ae },
    committer: { name: cn, email: ce },
    time,
    message,
    added: named('A'),
    removed: named('D'),
    modified: named('MT'),
  };
}
