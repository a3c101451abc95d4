/** Days, months and quiet hours in a named time zone. Pure. */

export interface Period {
  /** unix ms */
  start: number;
  /** null = it has no end */
  end: number | null;
}

/** Longer than any day, month and jump of a clock. */
const LONGEST_MS = { day: 50 * 3_600_000, month: 33 * 86_400_000 };

const formats = new Map<string, Intl.DateTimeFormat>();

interface Local {
  day: string;
  month: string;
  weekday: string;
  /** since midnight, as the clock on the wall shows it */
  minutes: number;
}

function local(at: number, timeZone: string): Local {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      ...{ year: 'numeric', month: '2-digit', day: '2-digit', weekday: 'short' },
      ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
    } as Intl.DateTimeFormatOptions);
    formats.set(timeZone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const month = `${parts.year}-${parts.month}`;
  return {
    month,
    day: `${month}-${parts.day}`,
    weekday: parts.weekday!.toLowerCase(),
    minutes: Number(parts.hour) * 60 + Number(parts.minute),
  };
}

/** The newest of each unit and zone: it is asked before each request, and a search takes a millisecond. */
const newest = new Map<string, { start: number; end: number }>();

/** The day or month in which `at` lies. A day may have 23 or 25 hours. */
export function periodOf(
  at: number,
  unit: 'day' | 'month',
  timeZone: string,
): { start: number; end: number } {
  const key = `${unit} ${timeZone}`;
  const known = newest.get(key);
  if (known !== undefined && at >= known.start && at < known.end) return known;
  const found = searched(at, unit, timeZone);
  newest.set(key, found);
  return found;
}

function searched(at: number, unit: 'day' | 'month', timeZone: string): { start: number; end: number } {
  const name = local(at, timeZone)[unit];
  const isBefore = (time: number) => local(time, timeZone)[unit] < name;
  const isAfter = (time: number) => local(time, timeZone)[unit] > name;
  return {
    start: firstWhere((time) => !isBefore(time), at - LONGEST_MS[unit], at),
    end: firstWhere(isAfter, at, at + LONGEST_MS[unit]),
  };
}

/** The first ms in (from, to] for which `holds`; it holds at `to`, and from its first ms on. */
function firstWhere(holds: (time: number) => boolean, from: number, to: number): number {
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

const MINUTE_MS = 60_000;
const WEEK_MINUTES = 7 * 24 * 60;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** When the quiet hours in which `at` lies are over; null = it lies in none. */
export function quietUntil(at: number, hours: readonly string[], timeZone: string): number | null {
  if (hours.length === 0 || !isQuiet(at, hours, timeZone)) return null;
  let time = Math.floor(at / MINUTE_MS) * MINUTE_MS;
  for (let step = 0; step < WEEK_MINUTES; step++) {
    time += MINUTE_MS;
    if (!isQuiet(time, hours, timeZone)) break;
  }
  return time;
}

function isQuiet(at: number, hours: readonly string[], timeZone: string): boolean {
  const { weekday, minutes } = local(at, timeZone);
  const before = DAYS[(DAYS.indexOf(weekday) + 6) % 7]!;
  return hours.some((text) => {
    const [, days, from, to] = /^(?:(\S+) )?(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text)!;
    const isOn = (day: string) => days === undefined || days.split(',').includes(day);
    const [begin, end] = [minutesOf(from!), minutesOf(to!)];
    if (begin < end) return isOn(weekday) && minutes >= begin && minutes < end;
    // They go on after midnight.
    return (isOn(weekday) && minutes >= begin) || (isOn(before) && minutes < end);
  });
}

function minutesOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
}
