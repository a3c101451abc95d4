/** What a conversation is doing at this moment. Pure. */
import type { ConversationRow } from '../database/tables.ts';
import { type Hold, holdsOf } from '../mailbox/holds.ts';
import { showTime } from '../terminal-text.ts';
import type { DispatchState } from '../vocabulary.ts';
import { type HoldView, viewHold } from './holds.ts';
import { timeOf } from './stored.ts';

/** All times RFC 3339 in UTC. */
export type ConversationState =
  /** the last dispatch was answered, or there was none, or it was withdrawn */
  | { kind: 'idle'; since: string }
  /** the last dispatch ended without an answer */
  | { kind: 'failed'; dispatch: string; since: string; why: string }
  /** the forge took no answer of the last dispatch, or the model no text of it */
  | { kind: 'refused'; by: 'forge' | 'model'; dispatch: string; since: string; why: string }
  /** `until` can be past: then it waits for a worker */
  | { kind: 'waiting'; dispatch: string; until: string; why: string | null }
  /** `leaseUntil` is past when the worker died; the next rescue interrupts the run */
  | {
      kind: 'running';
      dispatch: string;
      since: string;
      worker: string;
      leaseUntil: string;
      /** who is at the session's own terminal; null = the agent works by itself */
      attachedBy: string | null;
    }
  | { kind: 'parked'; dispatch: string; until: string; why: string }
  /** nothing of it is run; `dispatch`: what waits for it, if anything; `until` null = until somebody lifts the hold */
  | { kind: 'held'; dispatch: string | null; hold: HoldView; until: string | null; why: string };

export interface OpenDispatch {
  id: string;
  state: DispatchState;
  reason: string | null;
  due_at: number;
  hold_id: string | null;
  started_at: number | null;
  worker: string | null;
  attached_by: string | null;
}

/** The newest of those that have ended. */
export interface EndedDispatch {
  id: string;
  state: DispatchState;
  reason: string | null;
  ended_at: number | null;
  /** the model did not take a text of it */
  set_aside: boolean;
}

export interface Dispatches {
  open: OpenDispatch[];
  last: EndedDispatch | null;
}

export function stateOf(
  conversation: ConversationRow,
  { open: dispatches, last }: Dispatches,
  moment: { holds: Hold[]; now: number },
): ConversationState {
  const running = dispatches.find((d) => d.state === 'running');
  if (running !== undefined) {
    return {
      kind: 'running',
      dispatch: running.id,
      since: timeOf(running.started_at ?? conversation.updated_at)!,
      worker: running.worker ?? 'unknown',
      leaseUntil: timeOf(conversation.lease_until)!,
      attachedBy: running.attached_by,
    };
  }
  const next = dispatches.find((d) => ['queued', 'parked', 'interrupted'].includes(d.state));
  const holds = holdsOf(moment.holds, { ...conversation, model: null });
  if (next === undefined) {
    const own = holds.find(({ kind }) => kind === 'conversation');
    return own === undefined ? restingState(conversation, last) : heldBy(own, null);
  }
  const hold = longest(holds);
  if (hold !== undefined && outlasts(hold, next)) return heldBy(hold, next.id);
  if (next.state === 'parked' && next.due_at > moment.now) {
    return { kind: 'parked', dispatch: next.id, until: timeOf(next.due_at)!, why: next.reason ?? '' };
  }
  // The rows do not say which agents use that model; the configuration does, and views do not read it.
  const model = moment.holds.find(({ kind }) => kind === 'credential');
  const why =
    model === undefined
      ? next.reason
      : `agents of ${model.label} wait until ${showTime(timeOf(model.until))}: ${model.reason}`;
  return { kind: 'waiting', dispatch: next.id, until: timeOf(next.due_at)!, why };
}

function heldBy(hold: Hold, dispatch: string | null): ConversationState {
  return { kind: 'held', dispatch, hold: viewHold(hold), until: timeOf(hold.until), why: hold.reason };
}

/** A dispatch that waits longer by itself is said to be parked: lifting the hold would not make it run. */
function outlasts({ until, id }: Hold, next: OpenDispatch): boolean {
  return until === null || next.hold_id === id || until >= next.due_at;
}

function longest(holds: readonly Hold[]): Hold | undefined {
  return holds.toSorted((a, b) => (b.until ?? Infinity) - (a.until ?? Infinity))[0];
}

function restingState(conversation: ConversationRow, last: EndedDispatch | null): ConversationState {
  // guard: cli: how the last dispatch ended is a state
  if (last?.state !== 'failed' && last?.state !== 'unposted') {
    return { kind: 'idle', since: timeOf(conversation.updated_at)! };
  }
  const ended = {
    dispatch: last.id,
    since: timeOf(last.ended_at ?? conversation.updated_at)!,
    why: last.reason ?? 'no reason was stored',
  };
  if (last.state === 'unposted') return { kind: 'refused', by: 'forge', ...ended };
  return last.set_aside ? { kind: 'refused', by: 'model', ...ended } : { kind: 'failed', ...ended };
}
