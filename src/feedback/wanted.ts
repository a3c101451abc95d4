/** What the forge should show of one dispatch, from what the rows say of it. Pure. */

import type { NoticeRow } from '../database/feedback-tables.ts';
import { workContext } from '../forges/own-status.ts';
import type { NoticePlace, PlannedNotice, StatusShown } from '../mailbox/notices.ts';
import type { DispatchState, FeedbackLevel } from '../vocabulary.ts';
import { AT_WORK, type Ended, endOf, OVERTAKEN, type Work, workDescription, workText } from './words.ts';

export interface WorkFacts extends Pick<NoticePlace, 'forge' | 'repository'> {
  dispatch: {
    id: string;
    agent: string;
    state: DispatchState;
    createdAt: number;
    dueAt: number;
    startedAt: number | null;
    endedAt: number | null;
  };
  conversationId: string;
  /** where whoever asked reads */
  number: number;
  /** the newest pull request of the conversation; null = it has none, or its head is not known */
  pull: { number: number; headSha: string } | null;
  holds: readonly string[];
  doing: string | null;
  url: string | null;
  /** of this dispatch, as they are */
  notices: readonly NoticeRow[];
  /** another dispatch of the conversation runs: the commit status is that one's */
  isSecond: boolean;
}

/** A run that is over sooner needs no comment: its answer is there. */
export const LONG_MS = 60_000;
/** A comment that changes with every tool call would fill the forge's own history. */
const EDIT_EVERY_MS = 15_000;

export function wantedOf(facts: WorkFacts, level: FeedbackLevel, now: number): PlannedNotice[] {
  return [...commentOf(facts, level, now), ...statusesOf(facts, level)].filter((one) => isNews(one, facts));
}

/** Whether it differs from what is planned already. */
function isNews(notice: PlannedNotice, { notices }: WorkFacts): boolean {
  const known = notices.find(({ key }) => key === notice.key);
  if (known === undefined) return notice.wanted !== null;
  if (known.state === 'refused' || known.state === 'gone') return false;
  return (
    known.wanted !== notice.wanted ||
    known.closed !== (notice.closed ? 1 : 0) ||
    known.dispatch_id !== notice.dispatchId
  );
}

function workOf({ dispatch, holds, doing, url }: WorkFacts): Work | null {
  const { state } = dispatch;
  if (state !== 'queued' && state !== 'running' && state !== 'parked' && state !== 'interrupted') return null;
  const since = state === 'running' ? dispatch.startedAt : state === 'queued' ? null : dispatch.endedAt;
  return {
    state,
    since: since ?? dispatch.createdAt,
    until: state === 'parked' ? dispatch.dueAt : null,
    holds,
    doing,
    url,
  };
}

export function commentKey(dispatchId: string): string {
  return `${dispatchId}:work`;
}

function commentOf(facts: WorkFacts, level: FeedbackLevel, now: number): PlannedNotice[] {
  const key = commentKey(facts.dispatch.id);
  const known = facts.notices.find((one) => one.key === key);
  const work = workOf(facts);
  const notice = {
    key,
    kind: 'comment' as const,
    ...placeOf(facts),
    number: known?.number ?? facts.number,
    target: { on: 'item' as const },
  };
  // guard: feedback: the status comment ends with the dispatch
  if (work === null || level !== 'full') return [{ ...notice, wanted: null, closed: true }];
  if (known === undefined && !isLong(work, facts, now)) return [];
  const isSame = work.state === 'running' && known?.wanted?.startsWith(AT_WORK) === true;
  // guard: feedback: edits are rare
  if (isSame && now - known!.changed_at < EDIT_EVERY_MS) return [];
  return [{ ...notice, wanted: workText(work), closed: false }];
}

/** A hold may last for days, so it is told at once; a run or a wait, once it is long. */
function isLong(work: Work, { dispatch }: WorkFacts, now: number): boolean {
  // A dispatch that a hold has parked is due at once: it waits for nothing but that hold.
  // guard: feedback: a hold without an end is told at once
  if (work.state === 'parked' && work.holds.length > 0 && dispatch.dueAt <= now) return true;
  if (work.state === 'queued' && work.holds.length > 0) return dispatch.dueAt <= now;
  if (work.state === 'parked') return dispatch.dueAt - now > LONG_MS || now - work.since > LONG_MS;
  const from = work.state === 'queued' ? Math.max(work.since, dispatch.dueAt) : work.since;
  // guard: feedback: a short run has no comment
  return now - from > LONG_MS;
}

function statusesOf(facts: WorkFacts, level: FeedbackLevel): PlannedNotice[] {
  const { pull, dispatch, notices } = facts;
  if (facts.isSecond) return [];
  const work = workOf(facts);
  const head = pull === null ? null : statusKey(facts.conversationId, pull.headSha);
  // Commits that were the head before: their status must not wait for ever.
  // guard: feedback: no commit status is left pending
  const earlier = notices.filter((one) => one.kind === 'status' && one.closed === 0 && one.key !== head);
  const closing = earlier.map((one) => ({
    ...placeOf(facts),
    key: one.key,
    kind: 'status' as const,
    number: one.number,
    target: JSON.parse(one.target) as PlannedNotice['target'],
    wanted: JSON.stringify(work === null ? endOf(dispatch.state as Ended) : OVERTAKEN),
    closed: true,
  }));
  if (pull === null) return closing;
  const isBegun = notices.some(({ key }) => key === head);
  // One that ended before anybody saw it begin gets none.
  if (work === null ? !isBegun : level !== 'full') return closing;
  const shown: StatusShown =
    work === null ? endOf(dispatch.state as Ended) : { state: 'pending', description: workDescription(work) };
  const status: PlannedNotice = {
    ...placeOf(facts),
    key: head!,
    kind: 'status',
    number: pull.number,
    target: { on: 'commit', sha: pull.headSha, context: workContext(dispatch.agent) },
    wanted: JSON.stringify(shown),
    closed: work === null,
  };
  return [...closing, status];
}

function statusKey(conversationId: string, sha: string): string {
  return `status:${conversationId}:${sha}`;
}

function placeOf({ forge, repository, dispatch }: WorkFacts) {
  return { forge, repository, agent: dispatch.agent, dispatchId: dispatch.id };
}
