/**
 * Merging. A plain merge is tried first: a scheduled one may never happen where nothing new reports on the commit
 * (a forge may look only when a status arrives, not when the merge is scheduled).
 */
import { z } from 'zod';
import type { CiState, Item, Review } from '../forges/forge.ts';
import { loginOf } from '../voices.ts';
import { inline } from './quoted-texts.ts';
import {
  type Broker,
  commitSha,
  Denied,
  DeniedUnread,
  type Done,
  itemNumber,
  type Tool,
  writeTool,
} from './tool.ts';

export const MERGE_TOOLS: readonly Tool[] = [
  writeTool({
    name: 'merge',
    description:
      'Merges a pull request at the commit you looked at. Refused while somebody’s request for changes stands, while CI is red or pending, without an approval of that very commit, and where people merge. when_checks_succeed: let the forge merge later if it does not allow it now.',
    input: {
      number: itemNumber,
      head_sha: commitSha,
      style: z.enum(['merge', 'squash', 'rebase', 'fast-forward-only']).default('merge'),
      when_checks_succeed: z.boolean().default(false),
    },
    leavesMark: false,
    harmless: false,
    target: ({ number }) => number,
    async check({ number, head_sha: sha }, { scope, deps, self }) {
      const item = await deps.forge.getItem(scope.repository, number);
      // Not an error: an attempt that was cut off may have merged it, and `find` looks for that.
      if (item.pull?.merged === true && item.pull.headSha === sha) return;
      requireLeave(scope.mergeBy());
      requireMergeable(item, sha);
      await requireKnownAuthor(item, deps);
      const own = await self();
      const reviews = await deps.forge.listReviews(scope.repository, number);
      requireNoVeto(reviews, own.id);
      await requireApproval(reviews, { item, sha, ownId: own.id }, deps);
      requireGreen(await deps.forge.ciState(scope.repository, sha));
    },
    async find({ number }, { scope, deps }) {
      const { pull } = await deps.forge.getItem(scope.repository, number);
      return pull?.merged === true ? merged(number) : null;
    },
    async perform({ number, head_sha: headSha, style, when_checks_succeed: later }, { scope, deps }) {
      const { pull } = await deps.forge.getItem(scope.repository, number);
      if (pull?.merged === true) return { text: `#${number} was merged before.` };
      const now = { style, headSha, whenChecksSucceed: false };
      const first = await deps.forge.merge(scope.repository, number, now);
      const last =
        first.kind === 'not-now' && later
          ? await deps.forge.merge(scope.repository, number, { ...now, whenChecksSucceed: true })
          : first;
      if (last.kind === 'merged') return merged(number);
      if (last.kind === 'scheduled') {
        return {
          text: `#${number} is scheduled: the forge merges it when its rules are met. Look again later.`,
        };
      }
      if (last.kind === 'conflict') {
        throw new Denied(`${last.why} Update the branch, or look at the new head, and call again.`);
      }
      throw new Denied(`${last.why} The forge does not allow the merge now: see what its rules ask for.`);
    },
  }),
];

function merged(number: number): Done {
  return { text: `#${number} is merged.` };
}

/**
 * Words in its title, its description and its commits close issues with the rights of whoever merges, and its message
 * goes into the history in our name.
 */
async function requireKnownAuthor({ number, author }: Item, deps: Broker['deps']): Promise<void> {
  // guard: outgoing: merges of strangers
  if ((await deps.strangers([author])).length === 0) return;
  throw new Denied(
    `#${number} was opened by ${author.login}, who may not wake agents here. Leave the merge to a person.`,
  );
}

function requireMergeable(item: Item, sha: string): void {
  const { number, pull } = item;
  if (pull === null) throw new Denied(`#${number} is an issue. Give the number of a pull request.`);
  if (item.state === 'closed')
    throw new Denied(`#${number} is closed. Ask its people before it is reopened.`);
  if (pull.draft) throw new Denied(`#${number} is a draft. Take "WIP:" off its title when it is ready.`);
  if (pull.headSha === sha) return;
  throw new Denied(
    `The head of #${number} is ${pull.headSha} now. Look at what changed before you merge it.`,
  );
}

/** Each account's last verdict counts; a comment is none. */
function requireNoVeto(reviews: readonly Review[], ownId: number): void {
  const last = new Map<number, Review>();
  for (const review of reviews) {
    if (review.verdict !== 'commented') last.set(review.author.id, review);
  }
  last.delete(ownId);
  const vetoes = [...last.values()].filter((review) => review.verdict === 'changes_requested');
  // guard: veto
  if (vetoes.length === 0) return;
  const who = vetoes.map((review) => loginOf(review.author)).join(', ');
  throw new Denied(`Changes requested by ${who} are outstanding. Make them, then wait for a new review.`);
}

function requireLeave(mergeBy: 'people' | 'boss'): void {
  // guard: team: people merge
  if (mergeBy === 'boss') return;
  throw new DeniedUnread(
    'People merge in this repository. Say in your final answer that it is ready; the operator can set `team.merge: boss`.',
  );
}

/** Of this very commit, by somebody who is neither its author nor the one who merges, and may give agents work. */
async function requireApproval(
  reviews: readonly Review[],
  { item, sha, ownId }: { item: Item; sha: string; ownId: number },
  deps: Broker['deps'],
): Promise<void> {
  const last = new Map<number, Review>();
  for (const review of reviews) {
    if (review.verdict !== 'commented') last.set(review.author.id, review);
  }
  const approvals = [...last.values()].filter(
    ({ verdict, commitId, author }) =>
      verdict === 'approved' && commitId === sha && author.id !== ownId && author.id !== item.author.id,
  );
  const strangers = await deps.strangers(approvals.map(({ author }) => author));
  // guard: team: the head that is merged is the one that was reviewed
  if (approvals.some(({ author }) => !strangers.includes(author.login))) return;
  throw new DeniedUnread(
    `Nobody has approved ${sha.slice(0, 10)} of #${item.number}. Ask for a review of this commit, and end your run; its result wakes you again.`,
  );
}

function requireGreen({ state, failed }: CiState): void {
  if (state === 'failure') throw new Denied(`CI failed: ${failed.map(inline).join(', ')}. Mend it and push.`);
  // guard: pending is no verdict
  if (state === 'pending') {
    throw new Denied(
      'CI is still running, and pending is no verdict. End your run; its result wakes you again.',
    );
  }
}
