/**
 * Texts for a terminal: times, counts, foreign text made harmless, and colours by what a word means. Pure.
 */
import { stripHiddenText } from './security/hidden-text.ts';
import { beginningOf, LONGEST_LINE } from './text-limits.ts';

/** `2026-01-02 03:04:05Z`, from RFC 3339 in UTC or from milliseconds; a dash when there is no time */
export function showTime(time: string | number | null): string {
  if (time === null) return '-';
  const utc = typeof time === 'number' ? new Date(time).toISOString() : time;
  return `${utc.slice(0, 10)} ${utc.slice(11, 19)}Z`;
}

/** The two largest units: `4 s`, `2 min 5 s`, `3 h 20 min`, `2 d 1 h`. */
export function showDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const units: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = units.findIndex(([count]) => count > 0);
  if (first === -1) return '0 s';
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/**
 * One line, without control codes. Strangers write titles, comments, answers and reasons, and an escape sequence in one
 * of them would act on the operator's terminal.
 */
export function oneLine(text: string, longest = 160): string {
  const flat = stripHiddenText(beginningOf(text, LONGEST_LINE)).replace(/\s+/g, ' ').trim();
  return flat.length <= longest ? flat : `${flat.slice(0, longest - 1).trimEnd()}…`;
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** What a word tells the reader; the command line chooses its colour, or none. */
export type Tone = 'good' | 'bad' | 'waiting' | 'active' | 'quiet' | 'title';

export type Paint = (tone: Tone, text: string) => string;

/** No colours: for a pipe, and for texts that are not printed. */
export const plain: Paint = (_tone, text) => text;
