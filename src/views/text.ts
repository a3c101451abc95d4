/** Text for a terminal: durations, columns, and foreign text made harmless. Pure. */
import { stripVTControlCharacters } from 'node:util';
import { stripHiddenText } from '../security/hidden-text.ts';
import { beginningOf, LONGEST_LINE } from '../text-limits.ts';

/** RFC 3339 in UTC, or null: what every model of this room says for a time. */
export function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
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
 * One line, without control codes: titles, comments, answers and reasons are written by strangers, and an escape
 * sequence in one of them would act on the operator's terminal.
 */
export function oneLine(text: string, longest = 160): string {
  const flat = stripHiddenText(beginningOf(text, LONGEST_LINE)).replace(/\s+/g, ' ').trim();
  return flat.length <= longest ? flat : `${flat.slice(0, longest - 1).trimEnd()}…`;
}

/** Rows as left-aligned columns, two spaces apart; the last one is not padded. Colours have no width. */
export function columns(rows: string[][]): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, i) => Math.max(widest[i] ?? 0, widthOf(cell))),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat(widths[i]! - widthOf(cell))))
      .join('  ')
      .trimEnd(),
  );
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}

export function indent(lines: string[], by = 2): string[] {
  return lines.map((line) => (line === '' ? '' : ' '.repeat(by) + line));
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** Stored JSON, or null when the row has none or it does not parse: an inspection shows the rest all the same. */
export function storedJson(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
