/** What every command does alike on a terminal: times, and colours by what they mean. Pure. */

/** `2026-01-02 03:04:05Z`, from RFC 3339 in UTC or milliseconds; a dash for no time */
export function showTime(time: string | number | null): string {
  if (time === null) return '-';
  const utc = typeof time === 'number' ? new Date(time).toISOString() : time;
  return `${utc.slice(0, 10)} ${utc.slice(11, 19)}Z`;
}

/** What a word means to the reader; the command line chooses the colour, or none. */
export type Tone = 'good' | 'bad' | 'waiting' | 'active' | 'quiet' | 'title';

export type Paint = (tone: Tone, text: string) => string;

/** For a pipe, and for texts that are not printed at all. */
export const plain: Paint = (_tone, text) => text;
