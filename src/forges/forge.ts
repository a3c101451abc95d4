/**
 * What the service asks of a forge: small ports by what they do. A client has all of them and acts as one account.
 *
 * Contract of every port:
 * - Calls may run at once. A client keeps nothing that a crash could lose.
 * - Repositories are addressed by `RepositoryRef`; when the forge answers that the name has moved, the adapter finds
 *   the new name by id and repeats the call once.
 * - Where the forge has no such endpoint, because it is too old or of another kind, or keeps it from this account, the
 *   answer is `NotOffered`, a value.
 * - Errors: ForgeUnavailable (network, 429, 5xx: retry later, same call), ForgeRefused (401, 403, 405, 409, 422, 423:
 *   retrying without a change is pointless), ForgeMissing (404).
 */
import type {
  EventItem,
  EventPull,
  EventRepository,
  ForgeUser,
  Permission,
  RepositoryRef,
  ReviewVerdict,
} from '../vocabulary.ts';
import type { ForgeChanges } from './changes.ts';
import type { NotOffered } from './not-offered.ts';

export interface Forge
  extends ForgeIdentity,
    ForgeAccess,
    ForgeHooks,
    ForgeReader,
    ForgeDependencies,
    ForgeCi,
    ForgeWriter,
    ForgeMarker,
    ForgeAttachments,
    ForgeChanges {
  readonly name: string;
}

/** Who we are there, and what it is. Reads; may be repeated. */
export interface ForgeIdentity {
  /** ForgeRefused with 403: the token may not be asked whose it is */
  self(): Promise<ForgeUser>;
  /** the address by which the forge knows commits of our own account `login` */
  commitAddress(login: string): Promise<string>;
  /** the version as the forge words it, and which of its family it is */
  version(): Promise<{ version: string; kind: string }>;
  /** unix ms of the forge's own clock (whole seconds), null when it sends no Date */
  serverTime(): Promise<number | null>;
}

/**
 * What accounts reach and may do. Reads; may be repeated. In doubt the answer is `unknown` and never a guess: a guess
 * would let a stranger wake an agent.
 */
export interface ForgeAccess {
  /**
   * What an account may do in a repository. `unknown`: this token may not ask (it takes an administrator of the
   * repository) and no other answer of the forge decides it. `another`: the login is not that of the account with
   * this id, so whoever said so was wrong about one of the two.
   */
  permissionOf(repository: RepositoryRef, user: ForgeUser): Promise<Permission | 'unknown' | 'another'>;
  /** what the branch asks of a merge, and whether this account may merge into it */
  mergeRules(repository: RepositoryRef, branch: string): Promise<MergeRules | NotOffered>;
  /** what the token may do, asked by harmless calls where the forge does not list a token's scopes */
  tokenScopes(repository: RepositoryRef): Promise<TokenScopes>;
  /** people who may be assigned in it: those who may write, as a rule */
  listAssignable(repository: RepositoryRef): Promise<{ kind: 'people'; people: ForgeUser[] } | NotOffered>;
  /** follows old names. ForgeMissing: there is none, or this account may not see it */
  findRepository(fullName: string): Promise<FoundRepository>;
  /** full names of the owner's repositories that this account can reach, as far as the forge tells */
  listRepositories(owner: string): Promise<string[]>;
  /**
   * The repository with this id, and whether `fullName` is its name: the present one, or an old one that leads to it.
   * ForgeMissing: no repository has this id, or this account may not see it.
   */
  identifyRepository(claimed: RepositoryRef): Promise<{ repository: EventRepository; named: boolean }>;
}

/** Subscriptions to deliveries. Takes an administrator of the repository: ForgeRefused with 403 for others. */
export interface ForgeHooks {
  listHooks(repository: RepositoryRef): Promise<ForgeHook[]>;
  /** hooks of the repository's owner, which send for all of its repositories */
  listOwnerHooks(repository: RepositoryRef): Promise<{ kind: 'hooks'; hooks: ForgeHook[] } | NotOffered>;
  /** The forge signs and sends a delivery that means nothing. May be repeated; each sends one. */
  sendTestDelivery(repository: RepositoryRef, hookId: number): Promise<void>;
}

/** Issues and pull requests, and what was said and done on them. Reads; may be repeated. */
export interface ForgeReader {
  getRepository(repository: RepositoryRef): Promise<EventRepository>;
  /** an issue or a pull request: they share one number sequence */
  getItem(repository: RepositoryRef, number: number): Promise<Item>;
  /** issues and pull requests, newest first, at most `limit` */
  listItems(
    repository: RepositoryRef,
    filter: { state: 'open' | 'closed' | 'all'; limit: number },
  ): Promise<EventItem[]>;
  /** the open pull requests of `head`, a branch of the same repository, whatever they go into */
  findPulls(repository: RepositoryRef, head: string): Promise<Item[]>;
  /** conversation comments in creation order; inline review comments are in `listReviews` */
  listComments(repository: RepositoryRef, number: number): Promise<Comment[]>;
  /** ForgeMissing also for the id of an inline review comment where the forge shows those with their review only */
  getComment(repository: RepositoryRef, id: number): Promise<Comment & { itemNumber: number }>;
  /** an inline review comment or a reply to one, which `getComment` does not know; null = there is none */
  findReviewComment(repository: RepositoryRef, number: number, id: number): Promise<Comment | null>;
  /** submitted reviews with their inline comments, oldest first */
  listReviews(repository: RepositoryRef, number: number): Promise<Review[]>;
  /** authors of reviews that were dismissed; `listReviews` leaves those out */
  dismissedReviews(repository: RepositoryRef, number: number): Promise<ForgeUser[]>;
  /** one page (from 1) of what happened since then */
  timeline(
    repository: RepositoryRef,
    number: number,
    at: { since: string | null; page: number },
  ): Promise<Timeline | NotOffered>;
}

/** What items wait for one another, as the forge itself keeps it. Reads; may be repeated. */
export interface ForgeDependencies {
  /** what the forge itself says this item waits for: open and closed ones, also of other repositories */
  listDependencies(
    repository: RepositoryRef,
    number: number,
  ): Promise<{ kind: 'items'; items: { fullName: string; number: number }[] } | NotOffered>;
}

/** What CI did, as far as the forge's API tells. Reads; may be repeated. */
export interface ForgeCi {
  ciState(repository: RepositoryRef, sha: string): Promise<CiState>;
  /** newest first, at most `limit`; `limited`: a sentence where the forge shows this account less than others */
  listRuns(
    repository: RepositoryRef,
    filter: { headSha: string | null; limit: number },
  ): Promise<{ kind: 'runs'; runs: CiRun[]; limited: string | null } | NotOffered>;
  listJobs(repository: RepositoryRef, runId: number): Promise<{ kind: 'jobs'; jobs: CiJob[] } | NotOffered>;
  /** the end of a job's log, at most `maxBytes`; `cut` = there was more before it */
  readLog(
    repository: RepositoryRef,
    jobId: number,
    maxBytes: number,
  ): Promise<{ kind: 'log'; text: string; cut: boolean } | NotOffered>;
}

/**
 * What the service writes on an agent's behalf. NOT idempotent: the caller records the effect first and looks for its
 * marker before it repeats a call (`outcome.ts`). Setting a status may be repeated.
 */
export interface ForgeWriter {
  createComment(repository: RepositoryRef, number: number, body: string): Promise<Comment>;
  editComment(repository: RepositoryRef, id: number, body: string): Promise<Comment>;
  /** one that is not there any more is no error */
  deleteComment(repository: RepositoryRef, id: number): Promise<void>;
  createIssue(repository: RepositoryRef, issue: { title: string; body: string }): Promise<Item>;
  openPull(
    repository: RepositoryRef,
    pull: { title: string; body: string; head: string; base: string },
  ): Promise<Item>;
  updatePull(
    repository: RepositoryRef,
    number: number,
    change: { title?: string; body?: string; base?: string },
  ): Promise<Item>;
  submitReview(
    repository: RepositoryRef,
    number: number,
    review: { verdict: ReviewVerdict; body: string; commitId: string; inline: NewInlineComment[] },
  ): Promise<{ id: number; author?: ForgeUser }>;
  setStatus(
    repository: RepositoryRef,
    sha: string,
    status: { state: CommitState; context: string; description: string; targetUrl: string },
  ): Promise<void>;
  /**
   * Merges now, or answers why not; nothing is merged when the head is no longer `headSha`. `not-now`: the forge does
   * not allow it yet (checks, approvals, a draft). With `whenChecksSucceed` the forge is asked to do it later.
   */
  merge(
    repository: RepositoryRef,
    number: number,
    merge: { style: MergeStyle; headSha: string; whenChecksSucceed: boolean },
  ): Promise<MergeOutcome>;
}

/** Writes that may be repeated: the second time changes nothing. */
export interface ForgeMarker {
  addLabels(repository: RepositoryRef, number: number, labels: string[]): Promise<void>;
  removeLabel(repository: RepositoryRef, number: number, label: string): Promise<void>;
  /** names of the labels the repository (and its organization) has */
  listLabels(repository: RepositoryRef): Promise<string[]>;
  /** replaces the list */
  setAssignees(repository: RepositoryRef, number: number, logins: string[]): Promise<void>;
  requestReview(repository: RepositoryRef, number: number, logins: string[]): Promise<void>;
  /** on the item itself, or on one of its comments */
  react(
    repository: RepositoryRef,
    target: { number: number } | { commentId: number },
    content: string,
  ): Promise<void>;
}

/** Files that hang on items and comments. Reads may be repeated; `attach` may not, equal files are not merged. */
export interface ForgeAttachments {
  /** ForgeMissing where there is no such item or comment */
  listAttachments(repository: RepositoryRef, place: AttachmentPlace): Promise<Attachment[]>;
  /**
   * The bytes of an attachment, as our account may see it. The forge does not say here which repository it belongs to: ask
   * `listAttachments` first. ForgeRefused: it has more than `most` bytes, or the forge keeps it elsewhere.
   */
  readAttachment(id: string, most: number): Promise<Uint8Array>;
  attach(
    repository: RepositoryRef,
    place: AttachmentPlace,
    file: { name: string; type: string; bytes: Uint8Array },
  ): Promise<Attachment>;
}

/** An item's own text, or one of its comments; not a review. */
export type AttachmentPlace = { number: number } | { commentId: number };

export interface Attachment {
  id: string;
  name: string;
  bytes: number;
  /** for Markdown */
  address: string;
}

export interface Comment {
  id: number;
  author: ForgeUser;
  body: string;
  htmlUrl: string;
  createdAt: string;
  updatedAt: string;
}

export interface NewInlineComment {
  path: string;
  line: number | null;
  body: string;
}

/**
 * A remark on a line, or a reply to one: replies of anybody stand inside the review that began the thread, so the
 * author is not always the reviewer.
 */
export interface InlineComment extends NewInlineComment {
  /** an event about it carries this id as that of a comment */
  id: number;
  author: ForgeUser;
  /** '' where the forge gives none; a draft has the time it was begun, not the time it could be read */
  createdAt: string;
  updatedAt: string;
  /** the line on the old side, null when it is on the new one; replies share path and line with what they answer */
  oldLine: number | null;
}

export interface Review {
  id: number;
  author: ForgeUser;
  verdict: ReviewVerdict;
  body: string;
  commitId: string;
  /** when it was begun: a review that waited as a draft was read by others only from `updatedAt` on */
  submittedAt: string;
  /** '' where the forge gives none */
  updatedAt: string;
  inline: InlineComment[];
}

export interface MergeRules {
  kind: 'rules';
  /** how many are needed */
  approvals: number;
  /** null = the forge does not say */
  mayMerge: boolean | null;
}

export interface Item extends EventItem {
  updatedAt: string;
  /**
   * Null for an issue. `mergeable`: null where the forge does not say; false also for a draft, and while the forge still
   * looks after a push.
   */
  pull: (EventPull & { htmlUrl: string; mergeable?: boolean | null }) | null;
}

export interface CiState {
  /** `none` when the forge knows no status or run for this commit */
  state: 'none' | 'pending' | 'success' | 'failure';
  /** contexts or workflow names that failed */
  failed: string[];
  /** something else still runs; only beside a failure */
  running?: true;
}

export interface CiRun {
  /** null where the forge does not tell it to this account */
  id: number | null;
  workflow: string;
  title: string;
  /** the forge's own word: success, failure, cancelled, running, … */
  status: string;
  headSha: string;
  /** the forge's own word for what began it: push, pull_request, issue_comment, …; '' where it does not say */
  event: string;
  htmlUrl: string;
  /** its jobs without their ids, where the list of runs has them; else empty */
  tasks: { name: string; status: string }[];
}

export interface CiJob {
  id: number;
  name: string;
  status: string;
}

/** What somebody did to an item, as the forge remembers it. */
export interface TimelineEntry {
  id: number;
  kind:
    | 'assigned'
    | 'unassigned'
    | 'labeled'
    | 'unlabeled'
    | 'requested'
    | 'withdrawn'
    | 'team-requested'
    | 'team-withdrawn'
    | 'pushed'
    | 'closed'
    | 'reopened'
    | 'merged';
  by: ForgeUser;
  /** RFC 3339, whole seconds */
  at: string;
  /** the assignee's or reviewer's login, the label's name, the commits of a push */
  subjects: string[];
}

export interface Timeline {
  kind: 'timeline';
  /** oldest first; kinds of no interest are left out */
  entries: TimelineEntry[];
  /** the page is empty, so it is the last */
  isLast: boolean;
}

export interface ForgeHook {
  id: number;
  url: string;
  active: boolean;
  /** fine event names, as the forge lists them */
  events: string[];
  contentType: string;
}

/** Whether a route group answered; `unknown` when the forge could not be asked. */
export interface TokenScopes {
  user: 'granted' | 'refused' | 'unknown';
  issue: 'granted' | 'refused' | 'unknown';
  repository: 'granted' | 'refused' | 'unknown';
}

/** A repository as one account sees it. */
export interface FoundRepository {
  /** with its present name, which may be another than the one that was asked for */
  repository: RepositoryRef;
  /** as the forge names it; nothing but a hint */
  cloneUrl: string;
  /** without any commit */
  isEmpty: boolean;
  /** of this account; null = the forge does not say */
  mayPush: boolean | null;
}

export type CommitState = 'pending' | 'success' | 'failure' | 'error';
export type MergeStyle = 'merge' | 'squash' | 'rebase' | 'fast-forward-only';

export type MergeOutcome =
  | { kind: 'merged' }
  | { kind: 'scheduled' }
  /** `why` in the forge's words */
  | { kind: 'not-now' | 'conflict'; why: string };
