/**
 * The nouns of claude-hooks and their closed unions. Pure types: no I/O, no imports. docs/glossary.md defines each
 * word; docs/states.md draws the state machines.
 */

/** Where a CLI runs; the order is from the strongest isolation to none. */
export type EngineName = 'docker' | 'podman' | 'bubblewrap' | 'process';

/** Kinds of package registries, each with its own tools. */
export const ECOSYSTEMS = ['npm', 'pypi', 'crates', 'go', 'maven'] as const;
export type EcosystemName = (typeof ECOSYSTEMS)[number];

/** What may pass the package door; the order is from the least. */
export const PACKAGE_POLICIES = ['off', 'lockfile', 'registry'] as const;
export type PackagePolicy = (typeof PACKAGE_POLICIES)[number];

/** Why a run ends before the agent is done: caps of the CLI, then caps of the gateway. */
export type CapReason =
  | 'max-turns'
  | 'max-budget'
  | 'max-output'
  | 'max-requests'
  | 'max-tokens'
  | 'max-usd'
  | 'budget';

/** The CLI's tools that an agent has when its file names none: those that work on a repository needs. */
export const USUAL_TOOLS = ['Agent', 'Bash', 'Edit', 'Read', 'Skill', 'TaskStop', 'Write'] as const;

/**
 * Tools that its file may name besides. All other tools of the CLI are for a person at a terminal, or for the network.
 */
export const MORE_TOOLS = [
  'Glob',
  'Grep',
  'NotebookEdit',
  'TaskCreate',
  'TaskGet',
  'TaskList',
  'TaskUpdate',
] as const;

/**
 * `Bash(git status)` is a rule about calls of Bash. The CLI (2.1.330) takes it for a permission, and not for a tool's
 * name.
 */
export function toolOfRule(rule: string): string {
  return rule.split('(')[0]!.trim();
}

/**
 * Tools of the forge by their short names. The CLI sees them as `mcp__forge__<name>`.
 */
export const FORGE_TOOLS = [
  'read_item',
  'list_items',
  'list_comments',
  'list_reviews',
  'list_ci_runs',
  'read_ci_log',
  'comment',
  'ask_person',
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
  'wake_me',
  'attach_picture',
] as const;

/** What somebody may do in a repository, weakest first. */
export const PERMISSIONS = ['none', 'read', 'write', 'admin', 'owner'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** What a delivery can tell. A flow's `on` lists these names. */
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
/** The name of an event of a forge. */
export type ForgeEventName = (typeof EVENT_NAMES)[number];

/**
 * What no forge tells: somebody spoke to the conversation by command, a timer of the conversation is due. They go to their
 * conversation's mailbox directly, and no flow is asked.
 */
const OWN_EVENT_NAMES = ['person.said', 'timer.due'] as const;
type OwnEventName = (typeof OWN_EVENT_NAMES)[number];

export type EventName = ForgeEventName | OwnEventName;

export function isOwnEvent({ name }: { name: EventName }): boolean {
  return (OWN_EVENT_NAMES as readonly string[]).includes(name);
}

/**
 * A forge account. `id` is the identity; `login` can be renamed, and its case varies. Deleted users are -1, Actions is
 * -2.
 */
export interface ForgeUser {
  id: number;
  login: string;
}

/** The ids that every row about a dispatch carries. */
export interface DispatchKey {
  dispatchId: string;
  conversationId: string;
}

/**
 * A repository. `id` is the key, because renames and transfers send no event; use `fullName` only for the next API
 * call.
 */
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

/** The issue or pull request that an event is about, as the payload describes it. */
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

/** The pull request of an event, where the payload has one. */
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
 * What one delivery tells, in our vocabulary. CEL conditions and Liquid skills see exactly this object as `event`.
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
   * What this event added to the item's sets. Where the delivery does not name the change, the parser puts in the
   * complete sets, and the router subtracts what it saw last.
   */
  added: { assignees: string[]; labels: string[] };
  /** RFC 3339, from the object's updated_at; '' where the forge gives none */
  occurredAt: string;
  /** the same for every delivery of one happening, different for two happenings */
  semanticKey: string;
}

/** The words of an event that no forge tells. Skills and conditions do not see them: the service adds them to the prompt. */
export interface EventNote {
  text: string;
  /** a name for people: who said it */
  by: string;
}

export type OwnEvent = ForgeEvent & { note: EventNote };

/** Null for an event of a forge. */
export function noteOf(event: ForgeEvent): EventNote | null {
  return (event as Partial<OwnEvent>).note ?? null;
}

export type DeliveryState = 'received' | 'routed' | 'ignored' | 'duplicate' | 'failed';
export type DispatchState =
  | 'queued'
  | 'running'
  | 'succeeded'
  /** answered, but the forge refused the answer */
  | 'unposted'
  | 'failed'
  | 'interrupted'
  | 'cancelled'
  | 'parked';
export type SessionState = 'proposed' | 'verified' | 'abandoned' | 'replaced';
export type TimerState = 'waiting' | 'due' | 'cancelled';
export type MessageState = 'waiting' | 'carried' | 'answered' | 'declined';

/** What people may tell us to do, in a comment as `/claude hold` and on the command line. */
export const COMMAND_VERBS = [
  'hold',
  'resume',
  'cancel',
  'retry',
  'fresh',
  'explain',
  'say',
  'cost',
] as const;
export type CommandVerb = (typeof COMMAND_VERBS)[number];

/**
 * What waits for a person. `question`: an agent asked; `approval`: a rule leaves it to a person; `failed`, `unposted`: a
 * dispatch that goes on only when somebody acts; `stuck`: an item on which nothing moves.
 */
export const ASK_KINDS = ['question', 'approval', 'failed', 'unposted', 'stuck'] as const;
export type AskKind = (typeof ASK_KINDS)[number];
export type AskState = 'open' | 'answered' | 'dismissed';
export type NoticeState = 'planned' | 'shown' | 'gone' | 'refused';

/**
 * What the forge shows of our work besides answers. `reaction`: that it was seen; `full`: commit status, status comment and
 * receipts, too.
 */
export const FEEDBACK_LEVELS = ['none', 'reaction', 'full'] as const;
export type FeedbackLevel = (typeof FEEDBACK_LEVELS)[number];

/**
 * The rungs of the resume ladder, best first. `fresh` means a first dispatch, or an agent whose policy asks for it.
 */
export const CONTINUITIES = ['fresh', 'resumed', 'restored', 'repaired', 'rebuilt'] as const;
export type Continuity = (typeof CONTINUITIES)[number];

/**
 * Why a dispatch waits: a usage limit of the model, an outage of something we need, trouble of unknown cause, an
 * account other than the configured one, CI that still runs, a budget that is spent, the loop court, or an open item
 * that the issue depends on.
 */
export const PARK_CAUSES = [
  'limit',
  'outage',
  'trouble',
  'identity',
  'ci',
  'budget',
  'court',
  'dependency',
] as const;
export type ParkCause = (typeof PARK_CAUSES)[number];

/** What no event tells, each found by a rule of the reconciler. */
export const RULES = [
  'merged-issue-open',
  'review-never-began',
  'assigned-without-conversation',
  'success-without-effect',
] as const;
export type RuleName = (typeof RULES)[number];

/** What a skill may promise that a run leaves on the forge. */
export const PROMISES = ['head', 'pull', 'verdict', 'answer'] as const;
export type SkillPromise = (typeof PROMISES)[number];

/** What a hold holds up. */
export const HOLD_KINDS = ['all', 'credential', 'agent', 'repository', 'conversation'] as const;
export type HoldKind = (typeof HOLD_KINDS)[number];

/** Who placed a hold: a person, or the part of the service that had a reason. */
export const HOLD_SETTERS = ['person', 'limit', 'budget', 'court', 'dependency'] as const;
export type HoldSetter = (typeof HOLD_SETTERS)[number];

/** What a pull request of an agent needs next (`src/team`). */
export const PULL_ACTS = [
  'nothing',
  'wait',
  'fix-ci',
  'review',
  'address-review',
  'rebase',
  'merge',
  'leave-to-people',
  'ask-person',
] as const;
export type PullAct = (typeof PULL_ACTS)[number];

/** The part of a decision about a pull request that conditions may see as `decision`. */
export interface DecisionView {
  /** '' = the event is about no pull request that an agent opened */
  act: PullAct | '';
  /** name of the row of the table */
  row: string;
  /** agent that opened the pull request */
  author: string;
  /** of CI at the head: none, pending, success, failure; '' as for `act` */
  ci: string;
  /** agents whose review of the head is missing */
  reviewers: readonly string[];
}

export const NO_DECISION: DecisionView = { act: '', row: '', author: '', ci: '', reviewers: [] };

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
