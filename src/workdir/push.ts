/**
 * Pushes go from the checkout into the mirror, and from the mirror to the forge. So the command that carries the token
 * runs in a repository that no agent writes, and git's own checks have seen every object before it is sent.
 */
import { inCheckout } from './checkout.ts';
import type { Control } from './control.ts';
import { isAncestor, readFacts } from './facts.ts';
import { GitCommandFailed } from './failure.ts';
import { failed, type Git, type GitAnswer, type GitCall } from './git.ts';
import { sendLfs } from './lfs-push.ts';
import type { AgentStores } from './lfs-store.ts';
import { fetchInto, type Mirrors, type MirrorUse } from './mirror.ts';
import type { CheckoutHandle, PushOutcome, PushRequest, Refusal } from './port.ts';

/** Where a push goes: a branch of the forge, sent from its mirror. */
export interface Destination {
  git: Git;
  mirrors: Mirrors;
  use: MirrorUse;
  branch: string;
}

export interface Push extends Destination {
  control: Control;
  checkout: CheckoutHandle;
  stores: AgentStores;
  request: PushRequest;
}

export type Sent = Extract<PushOutcome, { kind: 'pushed' | 'rejected' }>;

/** The mirror's ref that holds what a conversation last handed over. */
export function relayRef(conversation: string): string {
  return `refs/claude-hooks/${conversation.toLowerCase()}`;
}

/** The mirror's ref that holds what was accepted while the forge was down. */
export function keptRef(conversation: string): string {
  return `refs/claude-hooks/kept/${conversation.toLowerCase()}`;
}

export async function pushCheckout(p: Push): Promise<PushOutcome> {
  const taken = await takeOver(p);
  if (typeof taken !== 'string') return taken;
  const sha = await withKept(p, taken);
  if (sha === null) return { kind: 'nothing' };
  const outcome = await pushCommit(p, sha);
  if (outcome.kind === 'pushed' || outcome.kind === 'up-to-date') await forgetKept(p, outcome.sha);
  // A later run sees by this ref whether somebody has taken these commits away again.
  if (outcome.kind === 'pushed') await noteOnForge(p, outcome.sha);
  return outcome;
}

async function pushCommit(p: Push, sha: string): Promise<PushOutcome> {
  const { git, use } = p;
  const remoteSha = await remoteHead(p);
  const expected = p.request.expectedRemoteSha;
  if (expected !== undefined && expected !== remoteSha) {
    const reason = `The branch ${p.branch} on the forge is at ${remoteSha ?? 'no commit'}, not at ${expected ?? 'no commit'} as expected. Prepare the checkout again and look at the new commits.`;
    return { kind: 'rejected', reason, why: { kind: 'behind' }, remoteSha };
  }
  if (remoteSha !== null) {
    if (await isAncestor(git, use.path, [sha, remoteSha])) {
      return { kind: 'up-to-date', sha: remoteSha, news: await isNews(p, sha) };
    }
  }
  if (await isAncestor(git, use.path, [sha, p.checkout.baseSha])) return { kind: 'nothing' };
  if (remoteSha !== null && !(await isAncestor(git, use.path, [remoteSha, sha]))) {
    const reason = `The branch ${p.branch} on the forge has commits that the checkout does not contain. Merge or rebase onto origin/${p.branch}, then push again.`;
    return { kind: 'rejected', reason, why: { kind: 'behind' }, remoteSha };
  }
  const refusal = await refusalOf(p, sha, remoteSha);
  if (refusal === null) return await send(p, sha, null);
  const { what, todo } = refusal;
  return { kind: 'rejected', reason: `${what} ${todo}`, why: { kind: 'rules', what }, remoteSha };
}

/** Where the mirror does not have the commit at which the work began, nothing of that was ever published. */
async function isNews(p: Push, sha: string): Promise<boolean> {
  const { began } = p.request;
  if (began == null) return false;
  const args = ['merge-base', '--is-ancestor', sha, began];
  return (await p.git({ gitDir: p.use.path, args, answers: [0, 1, 128] })).exitCode !== 0;
}

/** The push after a run is refused for the same reasons as one at the git door. */
async function refusalOf(p: Push, sha: string, remoteSha: string | null): Promise<Refusal | null> {
  const { check } = p.request;
  // guard: relay: push after the run
  if (check === undefined) return null;
  const base = await p.mirrors.head(p.use.path, `refs/heads/${check.base}`);
  const facts = await readFacts({
    git: p.git,
    gitDir: p.use.path,
    sha,
    branch: p.branch,
    bases: base === null ? [p.checkout.baseSha] : [base, p.checkout.baseSha],
    remote: { remoteSha, reachable: true, seen: undefined },
    isWatched: check.isWatched,
  });
  const { git, use, stores } = p;
  const maxBytes = check.maxLfsBytes;
  const { changedFiles } = facts;
  const at = { gitDir: use.path, commit: sha, changedFiles, stores, maxBytes, reachable: true };
  return check.refuse(facts) ?? (await sendLfs({ git, use, ...at }));
}

/**
 * The branch, or HEAD where the agent continued from the branch elsewhere. HEAD counts only when it has commits that
 * the forge does not have.
 */
async function workOf(p: Push): Promise<string> {
  if (p.checkout.branch === null) return 'HEAD';
  const branch = `refs/heads/${p.checkout.branch}`;
  const ask = async (args: string[]) => await inCheckout(p.git, p.control, args, [0, 1, 128]);
  const named = await ask(['rev-parse', '--verify', '--quiet', `${branch}^{commit}`]);
  const goesOn =
    named.exitCode !== 0 || (await ask(['merge-base', '--is-ancestor', branch, 'HEAD'])).exitCode === 0;
  if (!goesOn) return branch;
  const own = await ask([
    'rev-list',
    '--max-count=1',
    'HEAD',
    '--not',
    '--remotes',
    ...(named.exitCode === 0 ? [branch] : []),
  ]);
  // guard: truth: work on a branch of the agent’s own is published
  return own.exitCode === 0 && own.stdout !== '' ? 'HEAD' : branch;
}

/**
 * Copies the checkout's commits into the mirror. Answers the commit, '' for none, or why it could not be done.
 */
async function takeOver(p: Push): Promise<string | PushOutcome> {
  const from = await workOf(p);
  const named = await inCheckout(
    p.git,
    p.control,
    ['rev-parse', '--verify', '--quiet', `${from}^{commit}`],
    [0, 1],
  );
  if (named.exitCode !== 0) return '';
  const ref = relayRef(p.checkout.conversation);
  const options = ['--quiet', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules'];
  const args = [
    '-c',
    'fetch.fsckObjects=true',
    'fetch',
    ...options,
    '--',
    p.control.gitDir,
    `+${from}:${ref}`,
  ];
  try {
    await p.git({ gitDir: p.use.path, args, config: [['fetch.fsckObjects', 'true']] });
  } catch (error) {
    if (!(error instanceof GitCommandFailed) || error.kind !== 'refused') throw error;
    const reason = `Git does not accept the commits: ${lastLine(error.stderr)}. Make them anew with git itself.`;
    return { kind: 'rejected', reason, why: { kind: 'objects' }, remoteSha: await remoteHead(p) };
  }
  return (await p.mirrors.head(p.use.path, ref)) ?? '';
}

/**
 * What the agent pushed while the forge was down may be ahead of the checkout's branch (it pushed from another one);
 * then that is sent. Where the two have diverged, the checkout is the agent's latest decision.
 */
async function withKept(p: Push, sha: string): Promise<string | null> {
  const kept = await p.mirrors.head(p.use.path, keptRef(p.checkout.conversation));
  if (kept === null || kept === sha) return sha === '' ? null : sha;
  if (sha === '') return kept;
  return (await isAncestor(p.git, p.use.path, [sha, kept])) ? kept : sha;
}

/**
 * May fail: what was kept while the forge was down may be in the mirror only, and the checkout cannot name it.
 */
async function noteOnForge(p: Push, sha: string): Promise<void> {
  const args = ['update-ref', `refs/remotes/origin/${p.branch}`, sha];
  await inCheckout(p.git, p.control, args, [0, 1, 128]);
}

async function forgetKept(p: Push, sent: string): Promise<void> {
  const ref = keptRef(p.checkout.conversation);
  const kept = await p.mirrors.head(p.use.path, ref);
  if (kept === null || !(await isAncestor(p.git, p.use.path, [kept, sent]))) return;
  await p.git({ gitDir: p.use.path, args: ['update-ref', '-d', ref] });
}

/** Head of the branch on the forge; afterwards its commits are in the mirror. */
export async function remoteHead(d: Destination): Promise<string | null> {
  const ref = `refs/heads/${d.branch}`;
  const { path, address } = d.use;
  const listed = await d.git({
    gitDir: path,
    args: ['ls-remote', '--refs', '--', address.url, ref],
    remote: address,
  });
  // ls-remote compares only the end of a name: refs/heads/x/refs/heads/y is listed for refs/heads/y as well.
  const line = listed.stdout.split('\n').find((l) => l.endsWith(`\t${ref}`));
  const sha = line === undefined ? null : line.slice(0, line.indexOf('\t'));
  if (sha !== null && (await d.mirrors.head(path, ref)) !== sha)
    await fetchInto(d.git, d.use, [`+${ref}:${ref}`]);
  return sha;
}

/** `over` = the one commit of the forge that this push may overwrite; null = none. */
export async function send(d: Destination, sha: string, over: string | null): Promise<Sent> {
  const ref = `refs/heads/${d.branch}`;
  const { path, address } = d.use;
  const force = over === null ? [] : [`--force-with-lease=${ref}:${over}`];
  const options = ['--porcelain', '--no-verify', '--no-follow-tags', '--recurse-submodules=no', ...force];
  const args = ['push', ...options, '--', address.url, `${sha}:${ref}`];
  const call: GitCall = { gitDir: path, args, remote: address, answers: [0, 1] };
  const answer = await d.git(call);
  if (answer.exitCode === 0) {
    await d.git({ gitDir: path, args: ['update-ref', ref, sha] });
    return { kind: 'pushed', sha };
  }
  const refusal = answer.stdout.split('\n').find((l) => l.startsWith('!\t'));
  if (refusal === undefined || /\[remote failure\]/.test(refusal)) throw failed(call, answer);
  return {
    kind: 'rejected',
    reason: describeRefusal(refusal, answer),
    why: { kind: kindOf(`${refusal}\n${answer.stderr}`) },
    remoteSha: await remoteHead(d),
  };
}

/** Git and forges tell this by their words only. */
function kindOf(said: string): 'behind' | 'protected' | 'hook' | 'forge' {
  if (/non-fast-forward|fetch first|stale info/.test(said)) return 'behind';
  if (/protected/i.test(said)) return 'protected';
  return /hook declined/.test(said) ? 'hook' : 'forge';
}

function describeRefusal(refusal: string, answer: GitAnswer): string {
  const why = refusal.split('\t')[2] ?? 'rejected';
  const said = answer.stderr
    .split('\n')
    .filter((l) => l.startsWith('remote:'))
    .map((l) => l.slice('remote:'.length).trim())
    .filter((l) => l !== '')
    .join(' ')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, '')
    .slice(0, 1000);
  const words = said === '' ? '' : ` The forge says: ${said}`;
  return `The forge did not take the push: ${why}.${words} Correct what it names, then push again.`;
}

function lastLine(text: string): string {
  const lines = text.trim().split('\n');
  return lines.find((l) => /fsck|error: object/.test(l)) ?? lines.at(-1) ?? '';
}
