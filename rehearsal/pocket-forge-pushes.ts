/** What a forge does when refs moved: webhooks, pull requests that follow their branches, issues that commits close. */
import { fullName, openPulls, type PullItem } from './pocket-forge-access.ts';
import { folderOf, type PocketContext } from './pocket-forge-context.ts';
import { sendItemEvent, sendRefEvent } from './pocket-forge-events.ts';
import { setItemState } from './pocket-forge-issues.ts';
import { commitShape } from './pocket-forge-pull-shapes.ts';
import { actOnCommit } from './pocket-forge-references.ts';
import { comparePull, type GitCommit, listCommits, listRefs } from './pocket-forge-repositories.ts';
import { repositoryShape, userShape } from './pocket-forge-shapes.ts';
import { now, type StoredHook, type StoredRepository, type StoredUser } from './pocket-forge-state.ts';
import { recordEntry } from './pocket-forge-timeline.ts';

const ZERO = '0'.repeat(40);
/** Forgejo's default PAYLOAD_COMMIT_LIMIT; `total_commits` keeps the real number. */
const COMMIT_LIMIT = 15;
const NEW_BRANCH_COMMIT_LIMIT = 10;

export interface RefMove {
  repository: StoredRepository;
  actor: StoredUser;
  /** full ref names → object ids */
  before: ReadonlyMap<string, string>;
  after: ReadonlyMap<string, string>;
  /** false when the caller closes the issues itself, in its own order */
  closesIssues: boolean;
}

export async function publishRefMoves(context: PocketContext, move: RefMove): Promise<void> {
  const names = [...new Set([...move.before.keys(), ...move.after.keys()])].sort();
  for (const ref of names) {
    const before = move.before.get(ref) ?? ZERO;
    const after = move.after.get(ref) ?? ZERO;
    if (before !== after) await publishRefMove(context, move, { ref, before, after });
  }
}

interface OneRef {
  ref: string;
  before: string;
  after: string;
}

async function publishRefMove(context: PocketContext, move: RefMove, one: OneRef): Promise<void> {
  const { repository, actor } = move;
  const { ref, before, after } = one;
  const branch = ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : null;
  repository.updated = now();
  const deleted = { repository, kind: 'delete' as const, ref, sha: before, sender: actor };
  if (after === ZERO && branch !== null) {
    sendRefEvent(context, deleted);
    closePullsOf(context, move, branch);
    return;
  }
  const commits = branch === null || after === ZERO ? [] : await newCommits(context, move, one);
  // A push back to an older commit brings no new ones, but it still has a head.
  const head = commits[0] ?? (after === ZERO ? null : await tipOf(context, repository, after));
  const created = { repository, kind: 'create' as const, ref, sha: after, sender: actor };
  if (branch === null) {
    sendPush(context, { ...move, one, commits, head });
    if (after === ZERO) sendRefEvent(context, deleted);
    else if (before === ZERO) sendRefEvent(context, created);
    return;
  }
  // The order is as recorded, and surprising: the branch is announced before its commits and the issues they close.
  if (before === ZERO) sendRefEvent(context, created);
  if (move.closesIssues && branch === repository.defaultBranch) {
    for (const commit of commits.toReversed()) {
      actOnCommit(context, { repository, actor, text: commit.message, commit: commit.id });
    }
  }
  sendPush(context, { ...move, one, commits, head });
  markHead(context, repository, { branch, gone: false });
  const ids = commits.map((commit) => commit.id).filter((id) => id !== after);
  await followBranch(context, move, { branch, sha: after, commits: ids.toReversed() });
}

async function newCommits(context: PocketContext, move: RefMove, one: OneRef): Promise<GitCommit[]> {
  const folder = folderOf(context, move.repository);
  if (one.before !== ZERO) return listCommits(context.git, folder, [`${one.before}..${one.after}`]);
  const trunk = move.after.get(`refs/heads/${move.repository.defaultBranch}`);
  const since = trunk === undefined || trunk === one.after ? [] : [`^${trunk}`];
  return listCommits(context.git, folder, [`--max-count=${NEW_BRANCH_COMMIT_LIMIT}`, one.after, ...since]);
}

async function tipOf(
  context: PocketContext,
  repository: StoredRepository,
  sha: string,
): Promise<GitCommit | null> {
  const [tip] = await listCommits(context.git, folderOf(context, repository), ['--max-count=1', sha]);
  return tip ?? null;
}

function sendPush(context: PocketContext, push: Push): void {
  context.hooks.send(push.repository, 'push', pushBody(context, push));
}

type Push = Pick<RefMove, 'repository' | 'actor'> & {
  one: OneRef;
  commits: GitCommit[];
  head: GitCommit | null;
};

function pushBody(context: PocketContext, o: Push) {
  const { ref, before, after } = o.one;
  const html = `${context.url}/${fullName(context.state, o.repository)}`;
  const commits = o.commits.slice(0, COMMIT_LIMIT).map((c) => commitShape(context, o.repository, c));
  const actor = userShape(context, o.actor);
  return {
    ref,
    before,
    after,
    compare_url: before === ZERO || after === ZERO ? '' : `${html}/compare/${before}...${after}`,
    commits,
    total_commits: o.commits.length,
    head_commit: o.head === null ? null : commitShape(context, o.repository, o.head),
    repository: repositoryShape(context, o.repository, 'owner'),
    pusher: actor,
    sender: actor,
  };
}

/** What Forgejo calls a test: a push of the default branch to where it is, with one commit. */
export async function testHook(
  context: PocketContext,
  o: { repository: StoredRepository; actor: StoredUser; hook: StoredHook },
): Promise<void> {
  const ref = `refs/heads/${o.repository.defaultBranch}`;
  const sha = (await listRefs(context.git, folderOf(context, o.repository))).get(ref) ?? ZERO;
  const head = sha === ZERO ? null : await tipOf(context, o.repository, sha);
  const body = pushBody(context, {
    ...o,
    one: { ref, before: sha, after: sha },
    commits: head === null ? [] : [head],
    head,
  });
  context.hooks.sendTo(o.hook, { repository: o.repository, eventType: 'push', body });
}

/** Only pull requests whose head moved are announced. Those whose base moved are compared again without a webhook. */
async function followBranch(
  context: PocketContext,
  move: RefMove,
  { branch, sha, commits }: { branch: string; sha: string; commits: string[] },
): Promise<void> {
  for (const item of openPulls(context.state, move.repository)) {
    const { pull } = item;
    if (pull.headRef !== branch && pull.baseRef !== branch) continue;
    if (pull.baseRef === branch) pull.baseSha = sha;
    if (pull.headRef === branch) pull.headSha = sha;
    await refreshPull(context, move.repository, item);
    if (pull.headRef !== branch) continue;
    item.updated = now();
    recordEntry(context, { item, actor: move.actor, type: 'pull_push', commits: [...commits, sha] });
    sendItemEvent(context, { item, action: 'synchronized', sender: move.actor });
  }
}

/** Compares head and base again, and points `refs/pull/N/head` at the head so that it outlives its branch. */
export async function refreshPull(
  context: PocketContext,
  repository: StoredRepository,
  item: PullItem,
): Promise<void> {
  const folder = folderOf(context, repository);
  const { headSha, baseSha } = item.pull;
  await context.git.run({ folder, args: ['update-ref', `refs/pull/${item.number}/head`, headSha] });
  Object.assign(item.pull, await comparePull(context.git, { folder, base: baseSha, head: headSha }));
}

function closePullsOf(context: PocketContext, move: RefMove, branch: string): void {
  markHead(context, move.repository, { branch, gone: true });
  for (const item of openPulls(context.state, move.repository)) {
    if (item.pull.headRef !== branch && item.pull.baseRef !== branch) continue;
    setItemState(context, { item, actor: move.actor, state: 'closed' });
  }
}

function markHead(
  context: PocketContext,
  repository: StoredRepository,
  head: { branch: string; gone: boolean },
): void {
  for (const item of context.state.items) {
    if (item.repository !== repository.id || item.pull?.headRef !== head.branch) continue;
    item.pull.headGone = head.gone;
  }
}
