/** Finds out that somebody force-pushed a branch while the agent was away, and tells the agent. */
import { inCheckout } from './checkout.ts';
import type { Control } from './control.ts';
import type { Git } from './git.ts';

interface Place {
  git: Git;
  control: Control;
}

/** The forge's branch, as far as the checkout knows. */
export async function remoteHeadIn(git: Git, control: Control, branch: string): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', `refs/remotes/origin/${branch}^{commit}`];
  const { exitCode, stdout } = await inCheckout(git, control, args, [0, 1, 128]);
  return exitCode === 0 ? stdout : null;
}

interface Parting {
  branch: string;
  /** of the checkout */
  head: string;
  remote: string;
  before: string | null;
}

/**
 * null: the forge's branch has lost nothing that it had before. If it has, a person decided so, and a merge, or a push
 * of the checkout as it is, would bring those commits back.
 */
export async function rewrittenNote(
  p: Place,
  { branch, head, remote, before }: Parting,
): Promise<string | null> {
  if (before === null || before === remote || (await isAncestor(p, before, remote))) return null;
  if (!(await isAncestor(p, before, head))) return null;
  const { stdout } = await inCheckout(p.git, p.control, ['rev-list', '--count', `${before}..${head}`]);
  const onForge = `origin/${branch}`;
  const happened =
    `Somebody force-pushed your branch: ${onForge} was at ${short(before)} and is now at ${short(remote)}. ` +
    `The checkout was left as it is, at ${short(head)}. What they took out is gone on purpose; do not merge it back.`;
  const ask =
    stdout === '0'
      ? `Nothing of yours is missing on the forge besides that: first of all take their state over with \`git reset --keep ${onForge}\`.`
      : `First of all put your ${stdout} commit(s) that the forge has not seen on top of theirs: \`git rebase --onto ${onForge} ${short(before)}\`.`;
  return `${happened} ${ask} Then go on, and say in your answer that you did. Until then a push from here is refused, or brings back what they took out.`;
}

export async function isAncestor(p: Place, ancestor: string, of: string): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', ancestor, of];
  return (await inCheckout(p.git, p.control, args, [0, 1])).exitCode === 0;
}

function short(sha: string): string {
  return sha.slice(0, 12);
}
