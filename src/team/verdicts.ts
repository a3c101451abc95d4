/** What the reviews of a pull request come to: the verdict at its head, a veto, the rounds, the open points. Pure. */
import type { Review } from '../forges/forge.ts';
import type { ForgeUser } from '../vocabulary.ts';
import type { HeadVerdict } from './facts.ts';

export interface Reviewed {
  reviews: readonly Review[];
  headSha: string;
  /** the agent whose account this is; null = a person's or a stranger's */
  agentOf: (user: ForgeUser) => string | null;
  /** agents whose approval is needed, besides that of whoever else reviews */
  needed: readonly string[];
}

/**
 * Each account's last review of the head counts. One that asks for changes outweighs approvals, and an approval counts only
 * when every reviewer that is needed has looked.
 */
export function verdictAtHead({
  reviews,
  headSha,
  agentOf,
  needed,
}: Reviewed): HeadVerdict & { missing: string[] } {
  const last = new Map<number, Review>();
  for (const review of reviews) {
    if (review.commitId !== headSha) continue;
    const before = last.get(review.author.id);
    // Further words after a verdict do not take it back.
    if (review.verdict === 'commented' && before !== undefined) continue;
    last.set(review.author.id, review);
  }
  const given = [...last.values()].map(({ author, verdict }) => ({
    by: agentOf(author) ?? author.login,
    isAgent: agentOf(author) !== null,
    verdict,
  }));
  const names = (verdict: Review['verdict']) =>
    given.filter((one) => one.verdict === verdict).map(({ by }) => by);
  const rejecting = given.filter((one) => one.verdict === 'changes_requested' && one.isAgent);
  const missing = needed.filter((agent) => !given.some(({ by }) => by === agent));
  if (rejecting.length > 0) {
    return { is: 'changes_requested', by: rejecting.map(({ by }) => by).join(', '), missing };
  }
  const byPerson = given.find((one) => one.verdict === 'approved' && !one.isAgent);
  if (byPerson !== undefined) return { is: 'approved', by: byPerson.by, missing };
  if (missing.length > 0) return { is: 'none', by: '', missing };
  if (names('approved').length > 0) return { is: 'approved', by: names('approved').join(', '), missing };
  const unclear = given.filter((one) => one.verdict === 'commented' && one.isAgent);
  return unclear.length > 0
    ? { is: 'commented', by: unclear.map(({ by }) => by).join(', '), missing }
    : { is: 'none', by: '', missing };
}

/** The last verdict of each person that asks for changes; the newest of several. Dismissed reviews are not among them. */
export function vetoOf({ reviews, agentOf }: Pick<Reviewed, 'reviews' | 'agentOf'>): Review | null {
  const last = new Map<number, Review>();
  for (const review of reviews) {
    if (review.verdict === 'commented' || agentOf(review.author) !== null) continue;
    last.set(review.author.id, review);
  }
  return [...last.values()].findLast(({ verdict }) => verdict === 'changes_requested') ?? null;
}

/** Times our reviewers asked for changes since a person last gave a review: that person has seen it, and lets it go on. */
export function roundsOf({ reviews, agentOf }: Pick<Reviewed, 'reviews' | 'agentOf'>): number {
  const since = reviews.findLastIndex(({ author }) => agentOf(author) === null);
  return reviews
    .slice(since + 1)
    .filter(({ author, verdict }) => verdict === 'changes_requested' && agentOf(author) !== null).length;
}

/** More would not be read. */
const MOST_POINTS = 20;
const LONGEST_POINT = 160;
const LISTED = /^\s*(?:[-*]|\d+[.)])\s+(.+)$/;

/** What the last review that asked for changes names: its list items and its remarks on lines, each on one line. */
export function openPoints({ reviews, agentOf }: Pick<Reviewed, 'reviews' | 'agentOf'>): string[] {
  const last = reviews.findLast(
    ({ author, verdict }) => verdict === 'changes_requested' && agentOf(author) !== null,
  );
  if (last === undefined) return [];
  const listed = last.body.split(/\r?\n/).flatMap((line) => LISTED.exec(line)?.[1] ?? []);
  const remarks = last.inline
    .filter(({ author }) => author.id === last.author.id)
    .map(({ path, line, body }) => `${path}${line === null ? '' : `:${line}`}: ${firstLine(body)}`);
  return [...listed, ...remarks].slice(0, MOST_POINTS).map((point) => cut(point.trim()));
}

function firstLine(text: string): string {
  return text.trim().split(/\r?\n/)[0] ?? '';
}

function cut(text: string): string {
  return text.length <= LONGEST_POINT ? text : `${text.slice(0, LONGEST_POINT - 1)}…`;
}
