/**
 * One event as one line, for machines or for people. Other people's words stay data: they cannot end a line or begin a
 * field.
 */

export type Fields = Readonly<Record<string, unknown>>;

/** The limit for one text. A payload that somebody sends may have megabytes. */
// guard: a log line has an end
const LONGEST_TEXT = 2000;
const MOST_ENTRIES = 100;
const DEEPEST = 6;
/** Frames of a stack that are kept; the first ones say where it was thrown. */
const MOST_FRAMES = 6;

/** Characters that some program takes for a line end, a cursor move or a change of writing direction. */
// guard: a log line cannot be forged
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Errors become their sentence, stacks become one line, and everything is cut to what a line may hold in length, depth
 * and width.
 */
export function bounded(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cut(value);
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Error) return cut(String(value));
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return '[more]';
  if (Array.isArray(value)) {
    const kept = value.slice(0, MOST_ENTRIES).map((entry) => bounded(entry, depth + 1));
    return value.length > MOST_ENTRIES ? [...kept, `[${value.length - MOST_ENTRIES} more]`] : kept;
  }
  const entries = Object.entries(value).slice(0, MOST_ENTRIES);
  return Object.fromEntries(
    entries.map(([name, entry]) => [
      cut(name),
      name === 'stack' && typeof entry === 'string' ? cut(folded(entry)) : bounded(entry, depth + 1),
    ]),
  );
}

function cut(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  return `${text.slice(0, LONGEST_TEXT).toWellFormed()} [${text.length - LONGEST_TEXT} more characters]`;
}

function folded(stack: string): string {
  const lines = stack.split('\n').map((line) => line.trim());
  const isFrame = (line: string) => line.startsWith('at ');
  const words = lines.filter((line) => !isFrame(line)).join(' ');
  return [words, ...lines.filter(isFrame).slice(0, MOST_FRAMES)].join(' < ');
}

export function jsonLine(record: Fields): string {
  return `${JSON.stringify(record).replace(UNSEEN, escaped)}\n`;
}

/** Time with its zone, level, message, and the fields as `name=value`; empty fields are left out. */
export function prettyLine(record: Fields): string {
  const { level, time, msg, ...fields } = record;
  const rest = Object.entries(fields)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => ` ${plainName(name)}=${shown(value)}`);
  const head = `${String(time).replace(/\.\d+Z$/, 'Z')} ${String(level).toUpperCase().padEnd(5)}`;
  return `${head} ${String(msg)}${rest.join('')}`.replace(UNSEEN, escaped).concat('\n');
}

/** Values without blanks, `=` and quotes, which need no quotes around them. */
const BARE = /^[\w./:@#+*~[\]-]+$/;

function plainName(name: string): string {
  return BARE.test(name) ? name : JSON.stringify(name);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return BARE.test(value) ? value : JSON.stringify(value);
  const isPlainList = Array.isArray(value) && value.every((v) => typeof v === 'string' && BARE.test(v));
  return isPlainList && value.length > 0 ? value.join(',') : JSON.stringify(value);
}

function escaped(character: string): string {
  const units = [...Array(character.length).keys()].map((at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
