/**
 * The nouns of claude-hooks and their closed unions. Pure types: no I/O, no imports.
 * docs/glossary.md says what each word means; docs/states.md draws the state machines.
 */

/** Where a CLI runs; strongest first, after `auto` has chosen. */
export type EngineName = 'docker' | 'podman' | 'bubblewrap' | 'process';

/** What ends a run before the agent is done: the CLI's own caps, then the gateway's. */
export type CapReason = 'max-turns' | 'max-budget' | 'max-requests' | 'max-tokens' | 'max-usd';

/** Tools of the CLI that an agent has when its file names none: what work on a repository needs. */
export const USUAL_TOOLS = ['Agent', 'Bash', 'Edit', 'Read', 'Skill', 'TaskStop', 'Write'] as const;

/** Those that its file may name besides. Every other one of the CLI is for a person at a terminal, or for the network. */
export const MORE_TOOLS = [
  'Glob',
  'Grep',
  'NotebookEdit',
  'TaskCreate',
  'TaskGet',
  'TaskList',
  'TaskUpdate',
] as const;

/** `Bash(git status)` is a rule about calls of Bash. The CLI (2.1.330) takes it as a permission, and not as the name of a tool. */
export function toolOfRule(rule: string): string {
  return rule.split('(')[0]!.trim();
}

/** Tools of the forge by their short names; the CLI sees them as `mcp__forge__<name>`, and no other MCP server. */
export const FORGE_TOOLS = [
  'read_item',
  'list_items',
  'list_comments',
  'list_reviews',
  'list_ci_runs',
  'read_ci_log',
  'comment',
  'edit_comment',
  'react',
  'add_labels',
  'remove_labels',
  'assign',
  'unassign',
  'set_status',
  'open_pull',
  'update_pull',
  'request_review',
  'submit_review',
  'merge',
  'create_issue',
] as const;

/** What somebody may do in a repository, weakest first. */
export const PERMISSIONS = ['none', 'read', 'write', 'admin', 'owner'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** What a delivery means. A flow's `on` lists these names. */
export const EVENT_NAMES = [
  'issue.opened',
  'issue.assigned',
  'issue.unassigned',
  'issue.labeled',
  'issue.edited',
  'issue.closed',
  'issue.reopened',
  'comment.created',
  'comment.edited',
  'comment.deleted',
  'pull.opened',
  'pull.assigned',
  'pull.unassigned',
  'pull.labeled',
  'pull.edited',
  'pull.synchronized',
  'pull.closed',
  'pull.merged',
  'pull.reopened',
  'pull.review_requested',
  'pull.review_request_removed',
  'review.submitted',
  'push',
  'ci.succeeded',
  'ci.failed',
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

/** A forge account. `id` is the identity; `login` can be renamed and differs in case. Deleted users are -1, Actions is -2. */
export interface ForgeUser {
  id: number;
  login: string;
}

/** The ids that every row about a dispatch carries. */
export interface DispatchKey {
  dispatchId: string;
  conversationId: string;
}

/** A repository. `id` is the key (renames and transfers send no event); `fullName` is only good for the next API call. */
export interface RepositoryRef {
  id: string;
  /** `owner/name` */
  fullName: string;
}

export interface EventRepository extends RepositoryRef {
  defaultBranch: string;
  cloneUrl: string;
  htmlUrl: string;
  private: boolean;
}

export type ItemKind = 'issue' | 'pull';

/** The issue or pull request an event is about, as the payload described it. */
export interface EventItem {
  kind: ItemKind;
  number: number;
  title: string;
  body: string;
  state: 'open' | 'closed';
  htmlUrl: string;
  author: ForgeUser;
  /** complete set after the change, names */
  labels: string[];
  /** complete set after the change, logins */
  assignees: string[];
}

/** Present on every event about a pull request whose payload carried one. */
export interface EventPull {
  headSha: string;
  headRef: string;
  /** `owner/name`, or null when the fork is gone */
  headRepository: string | null;
  baseRef: string;
  baseSha: string;
  merged: boolean;
  draft: boolean;
  /** true when the head is not a branch of the base repository: a fork, a deleted fork, or an AGit PR */
  fork: boolean;
  /** logins */
  requestedReviewers: string[];
}

export interface EventComment {
  id: number;
  body: string;
  htmlUrl: string;
  author: ForgeUser;
}

export type ReviewVerdict = 'approved' | 'changes_requested' | 'commented';

export interface EventReview {
  verdict: ReviewVerdict;
  body: string;
}

export interface EventCi {
  /** the forge's own word: success, failure, cancelled, skipped, … */
  status: string;
  workflow: string;
  headSha: string;
  htmlUrl: string;
}

export interface EventPush {
  /** full ref, `refs/heads/…` or `refs/tags/…` */
  ref: string;
  before: string;
  after: string;
}

/**
 * One delivery's meaning, in our vocabulary. CEL conditions and Liquid skills see exactly this object as `event`.
 */
export interface ForgeEvent {
  name: EventName;
  /** the configured name of the forge, not its kind */
  forge: string;
  repository: EventRepository;
  /** null for push and for CI runs that name no pull request */
  item: EventItem | null;
  sender: ForgeUser;
  pull: EventPull | null;
  comment: EventComment | null;
  review: EventReview | null;
  ci: EventCi | null;
  push: EventPush | null;
  /** login of the one reviewer a `pull.review_requested` is about */
  requestedReviewer: string | null;
  /** logins mentioned with @ in the text that is new in this event (on an edit: only newly added ones), lower case */
  mentions: string[];
  /**
   * What this event added to the item's sets. A delivery may name no delta: then the parser fills the complete sets, and the
   * router subtracts what it saw last.
   */
  added: { assignees: string[]; labels: string[] };
  /** RFC 3339, from the object's updated_at; '' where the forge gives none */
  occurredAt: string;
  /** equal for every delivery that tells of the same happening, different for two happenings */
  semanticKey: string;
}

export type DeliveryState = 'received' | 'routed' | 'ignored' | 'duplicate' | 'failed';
export type DispatchState =
  | 'queued'
  | 'running'
  | 'succeeded'
  /** answered, and the forge refused to take the answer */
  | 'unposted'
  | 'failed'
  | 'interrupted'
  | 'cancelled'
  | 'parked';
export type SessionState = 'proposed' | 'verified' | 'abandoned' | 'replaced';
export type MessageState = 'waiting' | 'carried' | 'answered' | 'declined';

/** The rungs of the resume ladder, best first. `fresh` is a first dispatch, or an agent whose policy asks for it. */
export const CONTINUITIES = ['fresh', 'resumed', 'restored', 'repaired', 'rebuilt'] as const;
export type Continuity = (typeof CONTINUITIES)[number];

/**
 * Why a dispatch waits: a limit of the model's side, somebody who is away, trouble of unknown cause, an account that is not
 * who the configuration says, CI that is not over.
 */
export const PARK_CAUSES = ['limit', 'outage', 'trouble', 'identity', 'ci'] as const;
export type ParkCause = (typeof PARK_CAUSES)[number];

/** The part of an agent that conditions and prompts may see as `agent`. */
export interface AgentView {
  name: string;
  /** its account on the event's forge */
  login: string;
}

/** The part of a conversation that conditions and prompts may see as `conversation`. */
export interface ConversationView {
  exists: boolean;
  /** number of dispatches that succeeded */
  dispatches: number;
  branch: string | null;
  itemNumber: number | null;
}
