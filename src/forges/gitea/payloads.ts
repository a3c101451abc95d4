/**
 * The JSON of Forgejo and Gitea, in webhook bodies and API answers: only the fields we read. A field that nothing depends on
 * may be missing or null (as in trimmed, old or anonymised bodies) and becomes empty. A field that identifies something must
 * be there.
 */
import { z } from 'zod';
import { beginningOf, LONGEST_TEXT } from '../../text-limits.ts';

/** Deleted accounts; the forge's own convention. */
const GHOST = { id: -1, login: 'ghost' };

/** Strangers' texts are cut here, so that later code never meets a longer one. */
const text = z
  .string()
  .nullish()
  .transform((value) => beginningOf(value ?? '', LONGEST_TEXT));
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const id = z.number().int();
const positive = z.number().int().positive();

/**
 * RFC 3339 in UTC, or '' where the forge means "unset": Go's zero time and the epoch. The forge's offset is a setting
 * (DEFAULT_UI_LOCATION): after it was changed, the same second must not look like another one.
 */
export const instant = text.transform((value) => {
  const at = Date.parse(value);
  // guard: times are UTC
  return at > 0 ? new Date(at).toISOString().replace('.000Z', 'Z') : '';
});

/** Go encodes an empty list as null. */
function list<S extends z.ZodType>(member: S) {
  return z
    .array(member)
    .nullish()
    .transform((members) => members ?? []);
}

export const user = z.object({ id, login: z.string() });
const author = user.nullish().transform((value) => value ?? GHOST);

export const repository = z.object({
  id,
  full_name: z.string().min(1),
  default_branch: text,
  clone_url: text,
  html_url: text,
  // Every complete body has this field. Where it was trimmed away, "private" is the safe assumption.
  private: z
    .boolean()
    .nullish()
    .transform((value) => value ?? true),
  updated_at: instant,
});
export type RepositoryObject = z.output<typeof repository>;

/** What issues and pull requests have in common. */
const itemFields = {
  number: positive,
  title: text,
  body: text,
  state: text,
  html_url: text,
  user: author,
  labels: list(z.object({ name: z.string() })),
  /** deprecated by the forge, but the only one in bodies before 2018 */
  assignee: user.nullish(),
  assignees: list(user),
  created_at: instant,
  updated_at: instant,
};

export const issue = z.object({ ...itemFields, pull_request: z.unknown() });
export type IssueObject = z.output<typeof issue>;

const branch = z.object({
  /** the branch's name, also when it is gone; empty for AGit, absent in trimmed bodies */
  label: z.string().nullish(),
  ref: text,
  sha: text,
  repo_id: id.nullish(),
  /** null when the fork is gone, absent in trimmed bodies */
  repo: z.object({ id, full_name: z.string() }).nullish(),
});

export const pullRequest = z.object({
  ...itemFields,
  draft: z.boolean().nullish(),
  mergeable: z.boolean().nullish(),
  merged: flag,
  requested_reviewers: list(user),
  base: branch,
  head: branch,
  /** 0 ordinary, 1 AGit (pushed to refs/for/…, no branch); absent on old servers */
  flow: z.number().nullish(),
});
export type PullRequestObject = z.output<typeof pullRequest>;

export const comment = z.object({
  id,
  body: text,
  html_url: text,
  user: author,
  created_at: instant,
  updated_at: instant,
});
export type CommentObject = z.output<typeof comment>;

const changes = z.object({ body: z.object({ from: text }).nullish() }).nullish();

const envelope = { action: text, repository, sender: user };

export const issuePayload = z.object({ ...envelope, issue, changes });
export type IssuePayload = z.output<typeof issuePayload>;

export const commentPayload = z.object({
  ...envelope,
  issue,
  comment,
  is_pull: flag,
  /** since Forgejo 10 and Gitea 1.23 */
  pull_request: pullRequest.nullish(),
  changes,
});
export type CommentPayload = z.output<typeof commentPayload>;

export const pullPayload = z.object({
  ...envelope,
  pull_request: pullRequest,
  requested_reviewer: user.nullish(),
  review: z.object({ type: text, content: text }).nullish(),
  changes,
});
export type PullPayload = z.output<typeof pullPayload>;

export const pushPayload = z.object({
  ref: z.string().min(1),
  before: z.string().min(1),
  after: z.string().min(1),
  repository,
  sender: user,
});
export type PushPayload = z.output<typeof pushPayload>;

/** Forgejo ≥ 12. Repository and sender are inside the run. */
export const actionRunPayload = z.object({
  run: z.object({
    id,
    title: text,
    repository,
    workflow_id: text,
    trigger_user: author,
    /** "#12" for a pull request, otherwise a branch or tag */
    prettyref: text,
    commit_sha: text,
    /** the JSON of the webhook that triggered the run, as a string */
    event_payload: z
      .string()
      .nullish()
      .transform((value) => value ?? ''),
    status: z.string().min(1),
    stopped: instant,
    updated: instant,
    html_url: text,
  }),
});
export type ActionRunPayload = z.output<typeof actionRunPayload>;

/** Gitea ≥ 1.25. */
export const workflowRunPayload = z.object({
  ...envelope,
  workflow: z.object({ name: text }).nullish(),
  workflow_run: z.object({
    id,
    display_title: text,
    path: text,
    run_attempt: z.number().nullish(),
    head_sha: text,
    conclusion: text,
    html_url: text,
    completed_at: instant,
  }),
  pull_request: pullRequest.nullish(),
});
export type WorkflowRunPayload = z.output<typeof workflowRunPayload>;

/** Gitea ≥ 1.23. */
export const statusPayload = z.object({
  id,
  sha: z.string().min(1),
  state: z.string().min(1),
  context: text,
  description: text,
  target_url: text,
  updated_at: instant,
  repository,
  sender: user,
});
export type StatusPayload = z.output<typeof statusPayload>;
