/** When the next look at a forge is due, and how thorough it is. Pure. */
import type { ForgeConfig } from '../config/config.ts';
import type { LookKind } from './looking.ts';

export interface Pace {
  kind: LookKind;
  /** unix ms */
  dueAt: number;
  /** unix ms of the last full look that came to its end */
  fullAt: number;
  /** in a row */
  failures: number;
}

export type Ended =
  /** `missed`: events that no webhook had told */
  | { how: 'looked'; missed: number }
  | { how: 'begun' }
  | { how: 'not-offered' }
  /** `asked`: seconds that the forge asked us to wait, or null */
  | { how: 'unavailable'; asked: number | null }
  | { how: 'failed' };

const USUAL_SECONDS = { both: 300, poll: 30, hooks: 3600 } as const;
/** Everything is asked for once in a while, whatever we believe to know. */
const FULL_MS = 3600_000;
const AGAIN_SECONDS = [5, 10, 30, 60, 120, 300] as const;

export function firstPace(now: number): Pace {
  return { kind: 'full', dueAt: now, fullAt: 0, failures: 0 };
}

export function nextPace(
  { kind, fullAt, failures }: Pace,
  ended: Ended,
  { forge, now }: { forge: Pick<ForgeConfig, 'intake' | 'lookSeconds'>; now: number },
): Pace {
  const usual = (forge.lookSeconds ?? USUAL_SECONDS[forge.intake]) * 1000;
  switch (ended.how) {
    case 'unavailable': {
      const again = AGAIN_SECONDS[Math.min(failures, AGAIN_SECONDS.length - 1)]!;
      // guard: reconciler: the forge is given the time it asks for
      const seconds = Math.max(again, ended.asked ?? 0);
      // Webhooks are lost while a forge is away.
      return { kind: 'full', dueAt: now + seconds * 1000, fullAt, failures: failures + 1 };
    }
    case 'failed':
    case 'not-offered':
      return { kind: 'full', dueAt: now + Math.max(usual, 60_000), fullAt, failures: failures + 1 };
    case 'begun':
      return { kind: 'full', dueAt: now + usual, fullAt: now, failures: 0 };
    case 'looked': {
      const full = kind === 'full' ? now : fullAt;
      // Webhooks do not arrive: whatever else they did not tell is asked for at once.
      const isSilent = kind === 'usual' && forge.intake === 'both' && ended.missed > 0;
      if (isSilent) return { kind: 'full', dueAt: now, fullAt: full, failures: 0 };
      const dueAt = now + usual;
      return { kind: dueAt >= full + FULL_MS ? 'full' : 'usual', dueAt, fullAt: full, failures: 0 };
    }
  }
}
