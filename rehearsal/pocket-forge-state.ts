/**
 * What the pocket forge remembers besides git: accounts, repositories, issues, pull requests, comments, reviews,
 * statuses, runs, hooks and the hook tasks nobody attempted yet. One JSON file, replaced whole by a rename.
 * Tokens are never stored: they are given at every start.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export interface StoredUser {
  id: number;
  login: string;
  fullName: string;
  admin: boolean;
  created: string;
  /** of accounts that were made by the API; the others have a placeholder */
  email?: string;
  /** what it wrote stays, under the name Ghost */
  deleted?: true;
}

export type CollaboratorPermission = 'read' | 'write' | 'admin';

export interface StoredLabel {
  id: number;
  name: string;
  /** six hex digits, no # */
  color: string;
  description: string;
}

export interface StoredHook {
  id: number;
  /** `gitea` gets short refs and compact JSON in create and delete events */
  type: 'forgejo' | 'gitea';
  url: string;
  secret: string;
  /** fine names, already expanded from the groups */
  events: string[];
  active: boolean;
  authorizationHeader: string;
  created: string;
}

export interface StoredProtection {
  branch: string;
  /** statuses that must have succeeded on the head */
  contexts: string[];
  approvals: number;
  blockOnRejectedReviews: boolean;
}

export interface StoredRepository {
  id: number;
  owner: number;
  name: string;
  private: boolean;
  defaultBranch: string;
  created: string;
  updated: string;
  /** issues and pull requests share this sequence */
  lastNumber: number;
  labels: StoredLabel[];
  hooks: StoredHook[];
  collaborators: { user: number; permission: CollaboratorPermission }[];
  /** not in files of older releases */
  protections?: StoredProtection[];
}

export interface StoredPull {
  id: number;
  headRef: string;
  headSha: string;
  /** the head branch was deleted: the API then names refs/pull/N/head */
  headGone: boolean;
  baseRef: string;
  baseSha: string;
  mergeBase: string;
  additions: number;
  deletions: number;
  changedFiles: number;
  mergeable: boolean;
  merged: { at: string; by: number; commit: string } | null;
  /** a merge that waits for the rules of its base */
  scheduled?: {
    by: number;
    style: 'merge' | 'squash' | 'rebase' | 'fast-forward-only';
    title: string;
    message: string;
    deleteBranch: boolean;
  };
}

export interface StoredItem {
  id: number;
  repository: number;
  number: number;
  title: string;
  body: string;
  author: number;
  state: 'open' | 'closed';
  /** label ids, in the order they were added */
  labels: number[];
  /** user ids, in the order they were added */
  assignees: number[];
  created: string;
  updated: string;
  closed: string | null;
  /** null for an issue */
  pull: StoredPull | null;
  /** ids of the items it waits for; left out = none */
  dependencies?: number[];
}

export interface StoredComment {
  id: number;
  item: number;
  author: number;
  body: string;
  created: string;
  updated: string;
}

export interface StoredReaction {
  target: 'item' | 'comment';
  id: number;
  user: number;
  content: string;
  created: string;
}

export interface StoredReviewComment {
  id: number;
  path: string;
  body: string;
  /** file line on the new side, 0 when the comment is on the old side */
  newPosition: number;
  oldPosition: number;
  created: string;
  /** whoever replied in the thread; left out, it is the reviewer */
  author?: number;
  /** left out, it was not edited */
  updated?: string;
}

type ReviewState = 'PENDING' | 'APPROVED' | 'REQUEST_CHANGES' | 'COMMENT' | 'REQUEST_REVIEW';

export interface StoredReview {
  id: number;
  item: number;
  author: number;
  state: ReviewState;
  body: string;
  commit: string;
  submitted: string;
  /** when the draft was begun; not in files of older releases */
  begun?: string;
  comments: StoredReviewComment[];
  /** somebody took it back; left out, nobody did */
  dismissed?: boolean;
}

export type StatusState = 'pending' | 'success' | 'error' | 'failure' | 'warning' | 'skipped';

export interface StoredStatus {
  id: number;
  repository: number;
  sha: string;
  state: StatusState;
  context: string;
  description: string;
  targetUrl: string;
  creator: number;
  created: string;
}

export type RunStatus =
  | 'success'
  | 'failure'
  | 'cancelled'
  | 'skipped'
  | 'waiting'
  | 'running'
  | 'blocked'
  | 'unknown';

export interface StoredRun {
  id: number;
  repository: number;
  /** 1-based within the repository */
  index: number;
  title: string;
  /** file name under .forgejo/workflows */
  workflow: string;
  sha: string;
  ref: string;
  event: 'push' | 'pull_request';
  /** the payload of the event that triggered the run, as a JSON string */
  eventPayload: string;
  status: RunStatus;
  /** of its first job; not in files of older releases */
  log?: string;
  /** what the workflow calls itself; left out, as its file is called */
  name?: string;
  /** left out, it is one job called build */
  jobs?: { name: string; status: RunStatus }[];
  user: number;
  created: string;
}

/** What somebody did to an item and no comment tells. */
export interface StoredTimelineEntry {
  id: number;
  item: number;
  type:
    | 'assignees'
    | 'label'
    | 'review_request'
    | 'pull_push'
    | 'close'
    | 'reopen'
    | 'merge_pull'
    | 'change_title'
    | 'change_target_branch';
  user: number;
  created: string;
  updated: string;
  /** id of the assignee, the reviewer or the label */
  subject: number;
  /** taken away, not added */
  removed: boolean;
  /** of a push, oldest first */
  commits: string[];
  /** of a title or a base branch: what it was, and what it became */
  from?: string;
  to?: string;
}

/** A hook delivery that was not attempted yet. */
export interface HookTask {
  id: string;
  repository: number;
  hook: number;
  event: string;
  eventType: string;
  body: string;
}

export interface PocketState {
  version: 1;
  lastIds: Record<string, number>;
  users: StoredUser[];
  repositories: StoredRepository[];
  items: StoredItem[];
  comments: StoredComment[];
  /** not in files of older releases */
  attachments?: StoredAttachment[];
  reactions: StoredReaction[];
  reviews: StoredReview[];
  statuses: StoredStatus[];
  runs: StoredRun[];
  waiting: HookTask[];
  /** not in files of older releases */
  timeline?: StoredTimelineEntry[];
  /** old names of repositories, lower case, and the repository each leads to; not in files of older releases */
  oldNames?: Record<string, number>;
  /** hooks of the whole forge; not in files of older releases */
  systemHooks?: StoredHook[];
  /** hooks of an account, by its id: they send for all of its repositories */
  ownerHooks?: Record<number, StoredHook[]>;
}

export interface StoredAttachment {
  id: number;
  uuid: string;
  repository: number;
  /** of an item, or of a comment */
  place: { item: number } | { comment: number };
  name: string;
  uploader: number;
  created: string;
  /** Base64 */
  data: string;
}

/** RFC 3339 in whole seconds: a forge's clock is no finer, and receivers must cope with equal times. */
export function now(): string {
  return new Date().toISOString().replace(/\.\d{3}Z$/, 'Z');
}

export function nextId(state: PocketState, kind: string): number {
  const id = (state.lastIds[kind] ?? 0) + 1;
  state.lastIds[kind] = id;
  return id;
}

function emptyState(): PocketState {
  return {
    version: 1,
    lastIds: {},
    users: [],
    repositories: [],
    items: [],
    comments: [],
    reactions: [],
    reviews: [],
    statuses: [],
    runs: [],
    waiting: [],
  };
}

const envelope = z.looseObject({ version: z.literal(1), waiting: z.array(z.unknown()) });

/** Opens (or starts) the state of a folder. `save` replaces the file atomically; it does not fsync. */
export function openState(folder: string): { state: PocketState; save(): void } {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'pocket-forge.json');
  const state = existsSync(path) ? readState(path) : emptyState();
  const save = () => {
    // Hook secrets are inside, as they are in a real forge's database.
    writeFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  return { state, save };
}

function readState(path: string): PocketState {
  const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!envelope.safeParse(parsed).success) {
    throw new Error(`${path} is not a pocket forge state of version 1. Start the forge on an empty folder.`);
  }
  return parsed as PocketState;
}
