/** What only the API answers, never a webhook: shapes and their translation. */
import { z } from 'zod';
import type { ForgeUser, ReviewVerdict } from '../../vocabulary.ts';
import type { CiState, Comment, InlineComment, Item, Review } from '../forge.ts';
import { isWorkContext } from '../own-status.ts';
import { toIssueItem, toPull, toPullItem, toUser } from './objects.ts';
import { type CommentObject, type IssueObject, instant, type PullRequestObject, user } from './payloads.ts';

const word = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

export const reviewAnswer = z.object({
  id: z.number().int(),
  user: user.nullish(),
  /** APPROVED, REQUEST_CHANGES, COMMENT, PENDING or REQUEST_REVIEW */
  state: word,
  body: word,
  commit_id: word,
  dismissed: z.boolean().nullish(),
  comments_count: z.number().nullish(),
  submitted_at: instant,
  updated_at: instant,
});
type ReviewAnswer = z.output<typeof reviewAnswer>;

export const inlineAnswer = z.object({
  id: z.number().int(),
  /** not the reviewer, where it is a reply */
  user: user.nullish(),
  created_at: instant,
  updated_at: instant,
  path: word,
  body: word,
  /** line of the file on the new side; 0 for a comment on the old side */
  position: z.number().nullish(),
  /** the same for the old side */
  original_position: z.number().nullish(),
});

export const statusAnswer = z.object({
  id: z.number(),
  context: word,
  status: word,
  description: word,
});

/** Forgejo puts the result into `status`; Gitea into `conclusion`, beside the status "completed". */
export const runAnswer = z.object({
  id: z.number(),
  workflow_id: word,
  path: word,
  event: word,
  status: word,
  conclusion: word,
  /** Forgejo */
  commit_sha: word,
  /** Gitea */
  head_sha: word,
});

export function toComment(comment: CommentObject): Comment {
  return {
    id: comment.id,
    author: toUser(comment.user),
    body: comment.body,
    htmlUrl: comment.html_url,
    createdAt: comment.created_at,
    updatedAt: comment.updated_at,
  };
}

export function toIssueAnswer(issue: IssueObject): Item {
  return { ...toIssueItem(issue), updatedAt: issue.updated_at, pull: null };
}

export function toPullAnswer(pull: PullRequestObject): Item {
  // The API gives a pull request's own repository only as its base.
  const base = {
    id: pull.base.repo?.id ?? pull.base.repo_id ?? 0,
    full_name: pull.base.repo?.full_name ?? '',
  };
  return {
    ...toPullItem(pull),
    updatedAt: pull.updated_at,
    pull: { ...toPull(pull, base), htmlUrl: pull.html_url, mergeable: pull.mergeable ?? null },
  };
}

/** Stands for a deleted account, which has no permission. */
const GHOST: ForgeUser = { id: -1, login: 'ghost' };

const VERDICTS: Readonly<Record<string, ReviewVerdict>> = {
  APPROVED: 'approved',
  REQUEST_CHANGES: 'changes_requested',
  COMMENT: 'commented',
};

/** null for what is no submitted verdict: a draft, a mere request for a review, or one that was dismissed. */
export function verdictOf(review: ReviewAnswer): ReviewVerdict | null {
  if (review.dismissed === true) return null;
  return Object.hasOwn(VERDICTS, review.state) ? VERDICTS[review.state]! : null;
}

export function toReview(review: ReviewAnswer, verdict: ReviewVerdict, inline: InlineComment[]): Review {
  return {
    id: review.id,
    author: toUser(review.user ?? GHOST),
    verdict,
    body: review.body,
    commitId: review.commit_id,
    submittedAt: review.submitted_at,
    updatedAt: review.updated_at,
    inline,
  };
}

export function toInline(comment: z.output<typeof inlineAnswer>): InlineComment {
  const line = comment.position ?? 0;
  const oldLine = comment.original_position ?? 0;
  return {
    id: comment.id,
    author: toUser(comment.user ?? GHOST),
    createdAt: comment.created_at,
    updatedAt: comment.updated_at,
    path: comment.path,
    line: line > 0 ? line : null,
    oldLine: line > 0 || oldLine <= 0 ? null : oldLine,
    body: comment.body,
  };
}

export type CiResult = 'pending' | 'success' | 'failure' | 'nothing';

/** Whether a listed run is of this commit: servers that do not know the filter answer the runs of all commits. */
export function isRunOf(sha: string): (run: z.output<typeof runAnswer>) => boolean {
  return (run) => (run.commit_sha || run.head_sha || sha) === sha;
}

/** Statuses and runs of one commit as one state: a failure outweighs what is still running. */
export function toCiState(
  statuses: z.output<typeof statusAnswer>[],
  runs: z.output<typeof runAnswer>[],
): CiState {
  const all = [
    // guard: feedback: our status is no CI, part 1
    ...statuses.filter(isOfCi).map((status) => ({
      name: status.context,
      result: isCancellation(status) ? ('nothing' as const) : ciResult(status.status),
    })),
    ...newestRuns(runs).map((run) => ({
      name: runName(run),
      result: ciResult(run.conclusion || run.status),
    })),
  ];
  const results = all.filter(({ result }) => result !== 'nothing');
  const isRunning = results.some(({ result }) => result === 'pending');
  const failed = results.filter(({ result }) => result === 'failure').map(({ name }) => name);
  const names = [...new Set(failed)];
  if (names.length > 0) return { state: 'failure', failed: names, ...(isRunning ? { running: true } : {}) };
  if (isRunning) return { state: 'pending', failed: [] };
  return { state: results.length === 0 ? 'none' : 'success', failed: [] };
}

function isOfCi({ context }: { context: string }): boolean {
  return !isWorkContext(context);
}

/** A person cancelled it: Gitea reports that as a failure, and only the description differs. */
export function isCancellation({ description }: { description: string }): boolean {
  return /^(?:has been )?cancell?ed\b/i.test(description);
}

/** A cancelled run neither passed nor failed. */
export function ciResult(status: string): CiResult {
  if (['success', 'skipped', 'neutral', 'warning'].includes(status)) return 'success';
  if (status === 'cancelled') return 'nothing';
  return ['failure', 'error', 'timed_out'].includes(status) ? 'failure' : 'pending';
}

/** A workflow may have run several times on one commit; its last run for each triggering event counts. */
function newestRuns(runs: z.output<typeof runAnswer>[]): z.output<typeof runAnswer>[] {
  const newest = new Map<string, z.output<typeof runAnswer>>();
  for (const run of [...runs].sort((a, b) => a.id - b.id)) newest.set(`${run.event} ${runName(run)}`, run);
  return [...newest.values()];
}

function runName(run: z.output<typeof runAnswer>): string {
  return run.workflow_id || run.path.split('@')[0]!.split('/').at(-1)!;
}
