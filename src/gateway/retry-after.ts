/** How long the model's side asks us to wait. HTTP has two forms of it, and the API's own clients know a third. */
import type { IncomingHttpHeaders } from 'node:http';

/** All three forms of it begin with the day of the week. */
const HTTP_DATE = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? /i;

/** Milliseconds, from a number of seconds or from a date; null where neither stands there. Pure. */
export function retryAfterMs(headers: IncomingHttpHeaders, now: number): number | null {
  const ms = Number(headers['retry-after-ms'] ?? Number.NaN);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const after = headers['retry-after'];
  if (after === undefined) return null;
  const seconds = Number(after);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1000 : null;
  // `Date.parse` also takes words with a number in them.
  if (!HTTP_DATE.test(after)) return null;
  const date = Date.parse(after);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
