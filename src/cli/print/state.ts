/** What a conversation is doing, in words. */
import { oneLine, type Paint, plain, showTime, type Tone } from '../../terminal-text.ts';
import type { ConversationState } from '../../views/conversation-state.ts';
import { sayHold } from './holds.ts';

const TONES = {
  idle: 'good',
  failed: 'bad',
  refused: 'bad',
  waiting: 'waiting',
  parked: 'waiting',
  held: 'waiting',
  running: 'active',
} as const satisfies Record<ConversationState['kind'], Tone>;

/** The first word is the state's own name. */
export function showState(state: ConversationState, now: number, paint: Paint = plain): string {
  const said = sayState(state, now);
  return paint(TONES[state.kind], state.kind) + said.slice(state.kind.length);
}

function sayState(state: ConversationState, now: number): string {
  switch (state.kind) {
    case 'idle':
      return `idle since ${showTime(state.since)}`;
    case 'failed':
      return `failed ${showTime(state.since)}: ${oneLine(state.why)}`;
    case 'refused':
      return `refused by the ${state.by} ${showTime(state.since)}: ${oneLine(state.why)}`;
    case 'running':
      if (state.attachedBy !== null && Date.parse(state.leaseUntil) > now) {
        return `running since ${showTime(state.since)}: ${oneLine(state.attachedBy, 40)} is at its terminal`;
      }
      return Date.parse(state.leaseUntil) > now
        ? `running since ${showTime(state.since)} on ${oneLine(state.worker, 40)}`
        : `running since ${showTime(state.since)}, but its worker ${oneLine(state.worker, 40)} is gone; a worker that runs takes it over`;
    case 'held':
      return sayHold(state.hold).replace(/^is /, '');
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
