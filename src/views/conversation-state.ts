/** What a conversation is doing at this moment. Pure. */
import type { ConversationRow } from '../database/tables.ts';
import type { Park } from '../mailbox/parks.ts';
import { showTime } from '../terminal-text.ts';
import type { DispatchState } from '../vocabulary.ts';
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
  | { kind: 'running'; dispatch: string; since: string; worker: string; leaseUntil: string }
  | { kind: 'parked'; dispatch: string; until: string; why: string };

export interface OpenDispatch {
  id: string;
  state: DispatchState;
  reason: string | null;
  due_at: number;
  started_at: number | null;
  worker: string | null;
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
  moment: { parks: Park[]; now: number },
): ConversationState {
  const running = dispatches.find((d) => d.state === 'running');
  if (running !== undefined) {
    return {
      kind: 'running',
      dispatch: running.id,
      since: timeOf(running.started_at ?? conversation.updated_at)!,
      worker: running.worker ?? 'unknown',
      leaseUntil: timeOf(conversation.lease_until)!,
    };
  }
  const next = dispatches.find((d) => ['queued', 'parked', 'interrupted'].includes(d.state));
  if (next === undefined) return restingState(conversation, last);
  if (next.state === 'parked' && next.due_at > moment.now) {
    return { kind: 'parked', dispatch: next.id, until: timeOf(next.due_at)!, why: next.reason ?? '' };
  }
  // A parked credential holds up every dispatch, whatever its own state says.
  const park = moment.parks.find(({ credential }) => !credential.startsWith('model:'));
  if (park !== undefined) {
    return { kind: 'parked', dispatch: next.id, until: timeOf(park.until)!, why: park.why };
  }
  // The rows do not say which agents use that model; the configuration does, and views do not read it.
  const held = moment.parks[0];
  const why =
    held === undefined
      ? next.reason
      : `agents of ${held.credential} wait until ${showTime(timeOf(held.until)!)}: ${held.why}`;
  return { kind: 'waiting', dispatch: next.id, until: timeOf(next.due_at)!, why };
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
