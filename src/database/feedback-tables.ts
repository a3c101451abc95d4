/** The tables of what people see of our work, of what waits for them, and of what they told us to do. */
import type { Generated, Selectable } from 'kysely';
import type { AskKind, AskState, NoticeState } from '../vocabulary.ts';

/**
 * One thing that the forge is to show: a reaction, a commit status or a comment. `wanted` is what it should be, `shown`
 * what the forge has confirmed. A loop makes them equal.
 */
export interface NoticesTable {
  seq: Generated<number>;
  id: string;
  /** unique: the same notice is planned once, whoever plans it */
  key: string;
  kind: 'reaction' | 'status' | 'comment';
  forge: string;
  repository_id: string;
  repository_name: string;
  /** whose account shows it */
  agent: string;
  /** of the item */
  number: number;
  /** JSON NoticeTarget */
  target: string;
  /** null = it is about no dispatch, and nothing changes it later */
  dispatch_id: string | null;
  /** the text, the word of the reaction, or JSON of the status; null = it should be gone */
  wanted: string | null;
  shown: string | null;
  /** id of the comment on the forge */
  remote_id: number | null;
  /** `refused`: the forge will not have it; `gone`: removed, by us or by a person */
  state: NoticeState;
  /** 1 = nothing will be planned for it any more */
  closed: number;
  /** tries since the forge last confirmed something */
  attempts: number;
  due_at: number;
  /** in the forge's words */
  reason: string | null;
  created_at: number;
  changed_at: number;
}

/** Something that waits for a person. */
export interface AsksTable {
  seq: Generated<number>;
  id: string;
  /** unique: the same thing is asked once */
  key: string;
  kind: AskKind;
  forge: string;
  repository_name: string;
  number: number;
  conversation_id: string | null;
  dispatch_id: string | null;
  agent: string | null;
  /** what a person has to know and do, in plain words */
  text: string;
  state: AskState;
  opened_at: number;
  closed_at: number | null;
  closed_by: string | null;
}

/** What somebody told us to do, and what came of it. */
export interface CommandsTable {
  seq: Generated<number>;
  id: string;
  /** the event it came with, or an id of the command line */
  cause: string;
  /** which of several in one comment */
  ordinal: number;
  verb: string;
  argument: string;
  asked_by: string;
  source: 'forge' | 'cli';
  state: 'done' | 'refused';
  /** what was answered, for people */
  answer: string;
  at: number;
}

/** A conversation that waits for other items to be closed. The newest wait of each. */
export interface DependencyWaitsTable {
  conversation_id: string;
  agent: string;
  forge: string;
  repository_id: string;
  repository_name: string;
  /** of the issue that waits */
  number: number;
  /** JSON [{ repository, number }]: what it waits for */
  awaited: string;
  /** 1 = it waits for itself, by way of others */
  cycle: number;
  hold_id: string;
  since: number;
  /** when the forge is asked again */
  look_at: number;
  /** null = it waits still */
  ended_at: number | null;
}

/** A conversation whose branch stands on that of another pull request. */
export interface StacksTable {
  conversation_id: string;
  agent: string;
  forge: string;
  repository_id: string;
  repository_name: string;
  /** number of the pull request below */
  parent: number;
  parent_branch: string;
  /** its newest commit when the branch began, or went on */
  parent_head: string;
  /** when the forge is asked again whether it is merged */
  look_at: number;
  /** null = it stands there still */
  ended_at: number | null;
}

export type StackRow = Selectable<StacksTable>;
export type DependencyWaitRow = Selectable<DependencyWaitsTable>;
export type NoticeRow = Selectable<NoticesTable>;
export type AskRow = Selectable<AsksTable>;
