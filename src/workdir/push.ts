/**
 * From the checkout into the mirror, from the mirror to the forge: the command that carries the token runs in a
 * repository that no agent writes, and what it sends went through git's own checks of every object first.
 */
import { inCheckout } from './checkout.ts';
import type { CheckoutHandle, PushOutcome, PushRequest } from './contract.ts';
import type { Control } from './control.ts';
import { GitCommandFailed } from './failure.ts';
import { failed, type Git, type GitAnswer, type GitCall } from './git.ts';
import { fetchInto, type Mirrors, type MirrorUse } from './mirror.ts';

export interface Push {
  git: Git;
  mirrors: Mirrors;
  use: MirrorUse;
  control: Control;
  checkout: CheckoutHandle;
  request: PushRequest;
}

/** The mirror's ref that holds what a conversation last handed over. */
export function relayRef(conversation: string): string {
  return `refs/claude-hooks/${conversation.toLowerCase()}`;
}

export async function pushCheckout(p: Push): Promise<PushOutcome> {
  const taken = await takeOver(p);
  if (typeof taken !== 'string') return taken;
  const sha = taken;
  const remoteSha = await remoteHead(p);
  const expected = p.request.expectedRemoteSha;
  if (expected !== undefined && expected !== remoteSha) {
    const reason = `The branch ${p.request.branch} on the forge is at ${remoteSha ?? 'no commit'}, not at ${expected ?? 'no commit'} as expected. Prepare the checkout again and look at the new commits.`;
    return { kind: 'rejected', reason, remoteSha };
  }
  if (remoteSha !== null) {
    if (await isAncestor(p, sha, remoteSha)) return { kind: 'up-to-date', sha: remoteSha };
  }
  if (await isAncestor(p, sha, p.checkout.baseSha)) return { kind: 'nothing' };
  if (remoteSha !== null && !(await isAncestor(p, remoteSha, sha))) {
    const reason = `The branch ${p.request.branch} on the forge has commits that the checkout does not contain. Merge or rebase onto origin/${p.request.branch}, then push again.`;
    return { kind: 'rejected', reason, remoteSha };
  }
  return send(p, sha);
}

/** Copies the checkout's commits into the mirror. Answers the commit, or why there is none to send. */
async function takeOver(p: Push): Promise<string | PushOutcome> {
  const from = p.checkout.branch === null ? 'HEAD' : `refs/heads/${p.checkout.branch}`;
  const named = await inCheckout(
    p.git,
    p.control,
    ['rev-parse', '--verify', '--quiet', `${from}^{commit}`],
    [0, 1],
  );
  if (named.exitCode !== 0) return { kind: 'nothing' };
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
    return { kind: 'rejected', reason, remoteSha: await remoteHead(p) };
  }
  const sha = await p.mirrors.head(p.use.path, ref);
  return sha ?? { kind: 'nothing' };
}

/** Head of the branch on the forge; its commits are in the mirror afterwards. */
async function remoteHead(p: Push): Promise<string | null> {
  const ref = `refs/heads/${p.request.branch}`;
  const { path, address } = p.use;
  const listed = await p.git({
    gitDir: path,
    args: ['ls-remote', '--refs', '--', address.url, ref],
    remote: address,
  });
  // ls-remote matches the end of a name: refs/heads/x/refs/heads/y answers to refs/heads/y as well.
  const line = listed.stdout.split('\n').find((l) => l.endsWith(`\t${ref}`));
  const sha = line === undefined ? null : line.slice(0, line.indexOf('\t'));
  if (sha !== null && (await p.mirrors.head(path, ref)) !== sha)
    await fetchInto(p.git, p.use, [`+${ref}:${ref}`]);
  return sha;
}

async function send(p: Push, sha: string): Promise<PushOutcome> {
  const ref = `refs/heads/${p.request.branch}`;
  const { path, address } = p.use;
  const options = ['--porcelain', '--no-verify', '--no-follow-tags', '--recurse-submodules=no'];
  const args = ['push', ...options, '--', address.url, `${sha}:${ref}`];
  const call: GitCall = { gitDir: path, args, remote: address, answers: [0, 1] };
  const answer = await p.git(call);
  if (answer.exitCode === 0) {
    await p.git({ gitDir: path, args: ['update-ref', ref, sha] });
    return { kind: 'pushed', sha };
  }
  const refusal = answer.stdout.split('\n').find((l) => l.startsWith('!\t'));
  if (refusal === undefined || /\[remote failure\]/.test(refusal)) throw failed(call, answer);
  return { kind: 'rejected', reason: describeRefusal(refusal, answer), remoteSha: await remoteHead(p) };
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

async function isAncestor(p: Push, ancestor: string, of: string): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', ancestor, of];
  return (await p.git({ gitDir: p.use.path, args, answers: [0, 1] })).exitCode === 0;
}

function lastLine(text: string): string {
  const lines = text.trim().split('\n');
  return lines.find((l) => /fsck|error: object/.test(l)) ?? lines.at(-1) ?? '';
}
