/**
 * The forge port: what the service asks of a Forgejo, Gitea, GitHub or GitLab.
 *
 * Contract, for every adapter:
 * - A client acts as one account (one token). Calls may run at once.
 * - Parsing is pure: bytes and headers in, an outcome out; no network, no clock.
 * - Reads are repeatable. Writes are NOT idempotent by themselves: the caller records the effect first and looks for
 *   its marker before it repeats a call (`outcome.ts`).
 * - Repositories are addressed by `RepositoryRef`; when the forge answers that the name has moved, the adapter finds
 *   the new name by id and repeats the call once.
 * - Errors: ForgeUnavailable (network, 429, 5xx: retry later, same call), ForgeRefused (401, 403, 405, 409, 422, 423:
 *   retrying without a change is pointless), ForgeMissing (404).
 */
import type {
  EventItem,
  EventPull,
  ForgeEvent,
  ForgeUser,
  RepositoryRef,
  ReviewVerdict,
} from '../vocabulary.ts';

/** The webhook headers of one delivery, whatever prefix the forge used. */
export interface DeliveryHeaders {
  kind: 'forgejo' | 'gitea' | 'gitlab' | 'github';
  deliveryId: string;
  /** coarse name, e.g. `issue_comment` */
  event: string;
  /** fine name, e.g. `pull_request_comment`; equals `event` where the forge sends none */
  eventType: string;
}

export type ParseOutcome =
  | { kind: 'event'; event: ForgeEvent }
  /** well-formed but nothing we act on; the reason is stored and shown by `explain` */
  | { kind: 'ignored'; reason: string }
  /** the body is not what the headers promise; the error says what was expected where */
  | { kind: 'malformed'; error: string };

export type ParseDelivery = (forge: string, headers: DeliveryHeaders, body: Uint8Array) => ParseOutcome;

export interface Comment {
  id: number;
  author: ForgeUser;
  body: string;
  htmlUrl: string;
  createdAt: string;
  updatedAt: string;
}

export interface InlineComment {
  path: string;
  line: number | null;
  body: string;
}

export interface Review {
  id: number;
  author: ForgeUser;
  verdict: ReviewVerdict;
  body: string;
  commitId: string;
  submittedAt: string;
  inline: InlineComment[];
}

export interface Item extends EventItem {
  updatedAt: string;
  /** null for an issue */
  pull: (EventPull & { htmlUrl: string }) | null;
}

export interface CiState {
  /** `none` when the forge knows no status or run for this commit */
  state: 'none' | 'pending' | 'success' | 'failure';
  /** contexts or workflow names that failed */
  failed: string[];
}

/** What a run reads before it starts. */
export interface ForgeReader {
  self(): Promise<ForgeUser>;
  getRepository(
    repository: RepositoryRef,
  ): Promise<RepositoryRef & { defaultBranch: string; cloneUrl: string }>;
  /** an issue or a pull request: they share one number sequence */
  getItem(repository: RepositoryRef, number: number): Promise<Item>;
  /** conversation comments in creation order; inline review comments are in `listReviews` */
  listComments(repository: RepositoryRef, number: number): Promise<Comment[]>;
  /** submitted reviews with their inline comments, oldest first */
  listReviews(repository: RepositoryRef, number: number): Promise<Review[]>;
  ciState(repository: RepositoryRef, sha: string): Promise<CiState>;
  /** the open pull request from `head` (branch name in the same repository) to `base`, if there is one */
  findPull(repository: RepositoryRef, head: string, base: string): Promise<Item | null>;
}

/** What the service writes on an agent's behalf. */
export interface ForgeWriter {
  createComment(repository: RepositoryRef, number: number, body: string): Promise<Comment>;
  openPull(
    repository: RepositoryRef,
    pull: { title: string; body: string; head: string; base: string },
  ): Promise<Item>;
  updatePull(
    repository: RepositoryRef,
    number: number,
    change: { title?: string; body?: string },
  ): Promise<Item>;
  submitReview(
    repository: RepositoryRef,
    number: number,
    review: { verdict: ReviewVerdict; body: string; commitId: string; inline: InlineComment[] },
  ): Promise<{ id: number }>;
}

export interface Forge extends ForgeReader, ForgeWriter {
  readonly name: string;
}
