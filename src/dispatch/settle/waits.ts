/** How long a dispatch waits, for the model's side or for trouble that passes. Pure. */

/** Seconds to wait when the model's side named no time, by status; doubled with every limit, an hour at most. */
const LIMIT_SECONDS: Record<number, number> = { 401: 300, 402: 300, 403: 300, 429: 60, 529: 30 };
const OTHER_LIMIT_SECONDS = 60;
const TROUBLE_SECONDS = 10;
const LONGEST_WAIT_SECONDS = 3600;

/** Nobody knows when an outage ends; this is the longest time until the next try. */
const LONGEST_OUTAGE_SECONDS = 900;

/** Trouble of unknown cause is given up after this many times, about 20 minutes; an outage or a limit never is. */
export const MOST_TROUBLES = 8;

export interface Limit {
  status: number;
  /** unix ms at which it ends, as the model's side named it, or null */
  until: number | null;
  /** longest wait it asked for between two requests of the run, in ms */
  retryMs: number;
}

/** Unix ms. `earlier`: how often this dispatch has met a limit before. */
export function limitEnd(limit: Limit, { earlier, now }: { earlier: number; now: number }): number {
  const seconds = LIMIT_SECONDS[limit.status] ?? OTHER_LIMIT_SECONDS;
  // A reset time in the past (clocks differ) must not make a loop without a pause.
  if (limit.until !== null) return Math.max(limit.until, now + seconds * 1000);
  return now + Math.max(backOff(seconds, earlier), limit.retryMs);
}

/** Unix ms. `earlier`: how often this dispatch was put off for trouble before. */
export function troubleEnd({ earlier, now }: { earlier: number; now: number }): number {
  return now + backOff(TROUBLE_SECONDS, earlier);
}

/** Unix ms. `asked`: seconds that the other side asked us to wait, or null. */
export function outageEnd(o: { earlier: number; asked: number | null; now: number }): number {
  const wait = Math.min(backOff(TROUBLE_SECONDS, o.earlier), LONGEST_OUTAGE_SECONDS * 1000);
  return o.now + Math.max(wait, Math.min(o.asked ?? 0, LONGEST_WAIT_SECONDS) * 1000);
}

function backOff(seconds: number, earlier: number): number {
  return Math.min(seconds * 2 ** Math.min(earlier, 20), LONGEST_WAIT_SECONDS) * 1000;
}
