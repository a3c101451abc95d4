/** What a conversation is doing at this moment. Pure. */
import type { ConversationRow } from '../database/tables.ts';
import type { Park } from '../mailbox/parks.ts';
import type { DispatchState } from '../vocabulary.ts';
import { oneLine, showTime, timeOf } from './text.ts';

/** All times RFC 3339 in UTC. */
export type ConversationState =
  | { kind: 'idle'; since: string }
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

export function stateOf(
  conversation: ConversationRow,
  dispatches: OpenDispatch[],
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
  if (next === undefined) return { kind: 'idle', since: timeOf(conversation.updated_at)! };
  if (next.state === 'parked' && next.due_at > moment.now) {
    return { kind: 'parked', dispatch: next.id, until: timeOf(next.due_at)!, why: next.reason ?? '' };
  }
  // A parked credential holds up every dispatch, whatever its own state says.
  const park = moment.parks.find(({ credential }) => !credential.startsWith('model:'));
  if (park !== undefined) {
    return { kind: 'parked', dispatch: next.id, until: timeOf(park.until)!, why: park.why };
  }
  // Which agents a limit of one model holds is in the configuration, not in the rows.
  const held = moment.parks[0];
  const why =
    held === undefined
      ? next.reason
      : `agents of ${held.credential} wait until ${showTime(timeOf(held.until)!)}: ${held.why}`;
  return { kind: 'waiting', dispatch: next.id, until: timeOf(next.due_at)!, why };
}

export function showState(state: ConversationState, now: number): string {
  switch (state.kind) {
    case 'idle':
      return `idle since ${showTime(state.since)}`;
    case 'running':
      return Date.parse(state.leaseUntil) > now
        ? `running since ${showTime(state.since)} on ${oneLine(state.worker, 40)}`
        : `running since ${showTime(state.since)}, but its worker ${oneLine(state.worker, 40)} is gone; a worker that runs takes it over`;
    case 'parked':
      return `parked until ${showTime(state.until)}: ${oneLine(state.why)}`;
    case 'waiting': {
      const why = state.why === null ? '' : ` (${oneLine(state.why)})`;
      return Date.parse(state.until) > now
        ? `waiting until ${showTime(state.until)}${why}`
        : `waiting for a worker since ${showTime(state.until)}${why}`;
    }
  }
}
