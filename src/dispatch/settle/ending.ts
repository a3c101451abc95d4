/** How an attempt ends: with a settlement of its dispatch, or with nothing at all when the lease is another's. */
import type { Settlement } from '../../mailbox/settlement.ts';
import type { ParkCause } from '../../vocabulary.ts';

export type Finished =
  | {
      settlement: Settlement;
      cause?: ParkCause;
      seen: string | null;
      unanswered: string[];
      /** null or left out: its skill promised nothing */
      progress?: { made: boolean; asked: boolean } | null;
    }
  | { lost: true };

export function finish(settlement: Settlement): Finished {
  return { settlement, seen: null, unanswered: [] };
}

type Park = Omit<Extract<Settlement, { state: 'parked' }>, 'state'>;

export function finishParked(cause: ParkCause, park: Park): Finished {
  return { ...finish({ state: 'parked', ...park }), cause };
}
