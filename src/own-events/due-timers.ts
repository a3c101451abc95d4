/** Looks for timers that are due, and tells each in its conversation, once: the timer ends in the transaction of its message. */
import type { Database } from '../database/database.ts';
import { NotFound } from '../errors.ts';
import type { Log } from '../log.ts';
import { nextTimerAt, takeDueTimer } from '../mailbox/timers.ts';
import { tellTimer } from '../own-events.ts';
import { startWakeLoop, type WakeLoop } from '../wake-loop.ts';

export interface DueTimersDeps {
  database: Database;
  log: Log;
  now: () => number;
  /** a message was written */
  told: () => void;
}

/** A run of this process may set a timer that is due sooner than the next one known. */
const LOOK_EVERY_MS = 2000;

export function startDueTimers(deps: DueTimersDeps): WakeLoop {
  return startWakeLoop(async () => {
    try {
      while (await tellDue(deps)) deps.told();
      const next = await nextTimerAt(deps.database.rows);
      return next === null ? LOOK_EVERY_MS : Math.max(5, Math.min(LOOK_EVERY_MS, next - deps.now()));
    } catch (error) {
      deps.log.error(`timers could not be read: ${String(error)}`);
      return LOOK_EVERY_MS;
    }
  });
}

/** Tells the oldest that is due; false when there is none. */
export async function tellDue({ database, log, now }: Omit<DueTimersDeps, 'told'>): Promise<boolean> {
  const told = await database.transaction(async (tx) => {
    const timer = await takeDueTimer(tx, now());
    if (timer === undefined) return null;
    try {
      const { id, conversation_id: conversationId, reason } = timer;
      await tellTimer(tx, { id, conversationId, reason, now: now() });
    } catch (error) {
      // Its conversation is gone: there is nobody to tell.
      if (!(error instanceof NotFound)) throw error;
    }
    return timer;
  });
  if (told === null) return false;
  log.info('timer is due', { timer: told.id, conversation: told.conversation_id });
  return true;
}
