/**
 * The row types of every table, the same on SQLite and PostgreSQL.
 * Times are integers: milliseconds since the epoch. JSON is text: both databases store it alike, and nothing in the
 * service queries inside it. Flags are 0 or 1.
 */
import type { ColumnType, Generated, Insertable, Selectable } from 'kysely';
import type {
  CapReason,
  DispatchState,
  ItemKind,
  MessageState,
  SessionState,
  TimerState,
} from '../vocabulary.ts';
import type { AuditTable, LayersTable, PackageApprovalsTable } from './door-tables.ts';
import type {
  AsksTable,
  CommandsTable,
  DependencyWaitsTable,
  NoticesTable,
  StacksTable,
} from './feedback-tables.ts';
import type { DeliveriesTable, DeliveryPiecesTable, EventProofsTable, EventsTable } from './intake-tables.ts';
import type {
  BudgetRaisesTable,
  BudgetWarningsTable,
  HoldsTable,
  ModelRequestsTable,
  ModelReservationsTable,
} from './money-tables.ts';
import type {
  EventLikenessesTable,
  ProgressTable,
  ReconcilerMarksTable,
  RuleFindingsTable,
} from './reconciler-tables.ts';
import type { PullActsTable, PullDecisionsTable } from './team-tables.ts';

export interface Tables {
  deliveries: DeliveriesTable;
  delivery_pieces: DeliveryPiecesTable;
  events: EventsTable;
  event_proofs: EventProofsTable;
  event_likenesses: EventLikenessesTable;
  reconciler_marks: ReconcilerMarksTable;
  rule_findings: RuleFindingsTable;
  progress: ProgressTable;
  items: ItemsTable;
  conversations: ConversationsTable;
  conversation_items: ConversationItemsTable;
  pushed_commits: PushedCommitsTable;
  messages: MessagesTable;
  dispatches: DispatchesTable;
  sessions: SessionsTable;
  session_marks: SessionMarksTable;
  session_mark_lifts: SessionMarkLiftsTable;
  set_aside: SetAsideTable;
  transcript_files: TranscriptFilesTable;
  transcript_chunks: TranscriptChunksTable;
  turns: TurnsTable;
  incidents: IncidentsTable;
  effects: EffectsTable;
  holds: HoldsTable;
  package_approvals: PackageApprovalsTable;
  audit: AuditTable;
  model_requests: ModelRequestsTable;
  model_reservations: ModelReservationsTable;
  budget_raises: BudgetRaisesTable;
  budget_warnings: BudgetWarningsTable;
  layers: LayersTable;
  notices: NoticesTable;
  asks: AsksTable;
  commands: CommandsTable;
  timers: TimersTable;
  dependency_waits: DependencyWaitsTable;
  stacks: StacksTable;
  pull_decisions: PullDecisionsTable;
  pull_acts: PullActsTable;
}

interface ItemsTable {
  forge: string;
  repository_id: string;
  number: number;
  kind: ItemKind;
  /**
   * JSON arrays of names, as last announced by their own events; the next complete set is compared with them
   */
  labels: string;
  assignees: string;
  head_sha: string | null;
  head_ref: string | null;
  /** JSON SeenText of the description; null = never seen, or by an earlier release */
  seen_text: Generated<string | null>;
  occurred_at: string;
}

interface ConversationsTable {
  id: string;
  forge: string;
  repository_id: string;
  /** `owner/name` as last seen; the id is the key */
  repository_name: string;
  agent: string;
  item_number: number;
  item_kind: ItemKind;
  title: string;
  branch: string | null;
  /** JSON Snapshot of the item at the last dispatch that was answered */
  seen: string | null;
  created_at: number;
  updated_at: number;
  lease_worker: string | null;
  /** rises with every lease: a holder with an older number has lost the lease */
  lease_token: number;
  lease_until: number;
  /** who asked that the next run begins a new session; null = it goes on */
  fresh_asked: Generated<string | null>;
}

interface ConversationItemsTable {
  forge: string;
  repository_id: string;
  number: number;
  kind: ItemKind;
  agent: string;
  conversation_id: string;
}

/** Head commits that were pushed for a conversation: CI may report one before a pull request shows it. */
interface PushedCommitsTable {
  forge: string;
  repository_id: string;
  sha: string;
  conversation_id: string;
  at: number;
}

interface MessagesTable {
  seq: Generated<number>;
  id: string;
  conversation_id: string;
  delivery_id: string;
  flow: string;
  skill: string;
  /** JSON of the flow's `with` */
  parameters: string;
  priority: number;
  event_id: string;
  state: MessageState;
  reason: string | null;
  dispatch_id: string | null;
  /** the id of the input it was handed to a run in that was under way; null = it was not */
  handed_as: Generated<string | null>;
  /** when the CLI took that input into the turn */
  delivered_at: Generated<number | null>;
  created_at: number;
  settled_at: number | null;
}

interface DispatchesTable {
  seq: Generated<number>;
  id: string;
  conversation_id: string;
  agent: string;
  state: DispatchState;
  reason: string | null;
  priority: number;
  created_at: number;
  /** not leased before this time: the end of the quiet window, or of its own wait */
  due_at: number;
  /** the hold that put it off; when that is lifted, the dispatch is due at once */
  hold_id: Generated<string | null>;
  /** times leased */
  attempt: number;
  /** times put off because of a failure that may pass; limits and interruptions do not count */
  troubles: Generated<number>;
  worker: string | null;
  started_at: number | null;
  ended_at: number | null;
  session_id: string | null;
  continuity: string | null;
  /**
   * the commit in the checkout when the run began; on a branch, when its first attempt began; null = no run was
   * announced yet
   */
  commit_sha: string | null;
  /** the model that made its last answer, by the name the model's side gives */
  model: string | null;
  /** the model that made the answer before it in the same session, where that was another model */
  former_model: string | null;
  /** the prompt as handed to the CLI, written before the spawn */
  prompt: string | null;
  /** JSON array of message ids the prompt carries */
  carried: string;
  /** JSON SetUpSaid: what became of the set-up commands; null = none were configured */
  set_up: Generated<string | null>;
  /** JSON Snapshot the prompt was made from */
  snapshot: string | null;
  /** final answer of the agent */
  answer: string | null;
  /** how the run ended: with an answer of its own, or at a cap of ours */
  ending: 'answered' | CapReason | null;
  history_messages: number | null;
  turns: number | null;
  /** JSON usage as the CLI reported it at the end: totals of the whole session so far, not of this run alone */
  usage: string | null;
  /** whether what its skill promised was found on the forge; null = it promised nothing, or was not looked for */
  progress: Generated<'made' | 'none' | null>;
  /** the delivery that may have recalled the running dispatch; the worker asks the forge */
  recalled_by: Generated<string | null>;
  /** a clause for people: who asked that the running dispatch stops; null = nobody did */
  stop_asked: Generated<string | null>;
  /** JSON BackgroundTask[]: what the run has left in the background; null = nothing */
  background: Generated<string | null>;
  /** JSON Versions that its last run began with */
  versions: Generated<string | null>;
  /** who was at the session's own terminal; null = it is a run of the agent, as nearly all are */
  attached_by: Generated<string | null>;
}

interface SessionsTable {
  /** the Claude session id, proposed by us */
  id: string;
  conversation_id: string;
  /** 1, 2, … along the conversation's chain */
  ordinal: number;
  state: SessionState;
  /** why it was abandoned or replaced */
  reason: string | null;
  replaced_by: string | null;
  /** uuid of the last assistant line of the main thread that was verified on disk */
  head: string | null;
  /** bytes of the transcript when it was last verified */
  size: number;
  failed_resumes: number;
  /** 1 when we wrote the transcript from the record */
  synthesised: number;
  /**
   * 1 when the system prompt that the CLI has recorded for it speaks of a memory; the prompt is then made again
   */
  told_of_memory: Generated<number>;
  /**
   * SHA-256 of the agent's instructions in that system prompt; null before its first run, and for earlier releases
   */
  instructions_digest: string | null;
  cli_version: string | null;
  config_folder: string;
  created_at: number;
  verified_at: number | null;
}

/** A text by somebody who may not wake agents, which this session has read. */
interface SessionMarksTable {
  seq: Generated<number>;
  session_id: string;
  conversation_id: string;
  /** who wrote it, as the forge names them */
  author: string;
  /** where the text was, as `comment 12 on #3` */
  place: string;
  /** SHA-256 of the text: an edited text has another one */
  digest: string;
  /** what showed it: `prompt`, or `tool <name>` */
  source: string;
  dispatch_id: string;
  at: number;
  /**
   * the session whose history this one continues and that had the mark; null = this session read the text itself
   */
  inherited_from: string | null;
  /** null = the mark counts */
  lift_id: string | null;
}

/** A person's decision that the texts a session had read until then do not count any more. */
interface SessionMarkLiftsTable {
  seq: Generated<number>;
  id: string;
  session_id: string;
  conversation_id: string;
  lifted_by: string;
  because: string;
  at: number;
}

interface TranscriptFilesTable {
  conversation_id: string;
  /** relative to the CLI folder, `projects/…` */
  path: string;
  /** rises when the file was rewritten and not only appended to; only the newest is live */
  generation: number;
  size: number;
}

interface TranscriptChunksTable {
  conversation_id: string;
  path: string;
  generation: number;
  /** byte offset of the chunk in the file */
  start: number;
  bytes: ColumnType<Uint8Array, Uint8Array, never>;
}

interface TurnsTable {
  seq: Generated<number>;
  dispatch_id: string;
  conversation_id: string;
  kind: 'prompt' | 'text' | 'tool' | 'answer';
  /** the text; for a tool `Name {input as JSON}` */
  content: string;
  /** the transcript's uuid of this line, where it has one */
  uuid: string | null;
  at: number;
}

interface IncidentsTable {
  seq: Generated<number>;
  id: string;
  conversation_id: string;
  dispatch_id: string;
  session_id: string;
  /** the rung that was reached, or `unverified` for a run whose transcript could not be verified */
  rung: string;
  reason: string;
  /** JSON */
  evidence: string;
  at: number;
}

interface EffectsTable {
  seq: Generated<number>;
  id: string;
  dispatch_id: string;
  conversation_id: string;
  /** idempotency key: dispatch id + what */
  key: string;
  /** `tool:<name>` is a call of a broker tool */
  kind: 'push' | 'pull' | 'comment' | 'review' | 'ask' | `tool:${string}`;
  state: 'planned' | 'done' | 'refused';
  /** JSON */
  request: string;
  /** JSON */
  result: string | null;
  attempts: number;
  created_at: number;
  done_at: number | null;
}

/** A text of the forge that the model refused. An edited text has another digest. */
interface SetAsideTable {
  conversation_id: string;
  kind: 'comment' | 'review' | 'remark' | 'item';
  /** the forge's id; for an item its number; for a review 0 */
  text_id: number;
  digest: string;
  dispatch_id: string;
  /** the reason, in the words of the model's side */
  why: string;
  at: number;
}

/** A conversation's wish to be woken later. */
interface TimersTable {
  id: string;
  conversation_id: string;
  /** whose run set it */
  dispatch_id: string;
  /** the model's own id of the call, so that a call that is made again sets no second timer */
  tool_use_id: string;
  reason: string;
  state: TimerState;
  due_at: number;
  created_at: number;
  ended_at: number | null;
  /** who cancelled it; null = nobody */
  ended_by: string | null;
}

export type LayerRow = Selectable<LayersTable>;
export type ReconcilerMarkRow = Selectable<ReconcilerMarksTable>;
export type TimerRow = Selectable<TimersTable>;
export type AuditRow = Selectable<AuditTable>;
export type SetAsideRow = Selectable<SetAsideTable>;
export type ModelRequestRow = Selectable<ModelRequestsTable>;
export type DeliveryRow = Selectable<DeliveriesTable>;
export type ItemRow = Selectable<ItemsTable>;
export type NewItemRow = Insertable<ItemsTable>;
export type ConversationRow = Selectable<ConversationsTable>;
export type MessageRow = Selectable<MessagesTable>;
export type DispatchRow = Selectable<DispatchesTable>;
export type SessionRow = Selectable<SessionsTable>;
export type SessionMarkRow = Selectable<SessionMarksTable>;
export type SessionMarkLiftRow = Selectable<SessionMarkLiftsTable>;
export type TurnRow = Selectable<TurnsTable>;
export type HoldRow = Selectable<HoldsTable>;
export type EffectRow = Selectable<EffectsTable>;
export type IncidentRow = Selectable<IncidentsTable>;
