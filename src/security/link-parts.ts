/** Destinations, titles, labels and definitions of Markdown links, read by hand in one pass each. Pure. */
import type { Meter } from './meter.ts';

/** CommonMark allows more; each level of nesting is another place from which the text is read again. */
const DEEPEST_PARENTHESES = 32;
const LONGEST_LABEL = 999;

export interface Destination {
  /** without angle brackets */
  address: string;
  /** the place behind the closing parenthesis */
  end: number;
  hasTitle: boolean;
}

/** Reads `(destination "title")` at `at`; null when there is none. */
export function destinationAt(text: string, at: number, meter: Meter): Destination | null {
  if (text[at] !== '(') return null;
  const found = addressAt(text, skipSpace(text, at + 1), meter, true);
  if (found === null) return null;
  const afterSpace = skipSpace(text, found.end);
  if (text[afterSpace] === ')') return { address: found.address, end: afterSpace + 1, hasTitle: false };
  if (afterSpace === found.end && found.end > at + 1) return null;
  const titleEnd = titleAt(text, afterSpace, meter);
  const close = titleEnd === null ? -1 : skipSpace(text, titleEnd);
  return text[close] === ')' ? { address: found.address, end: close + 1, hasTitle: true } : null;
}

export interface Definition {
  label: string;
  address: string;
  /** after its address */
  addressEnd: number;
  /** after its line */
  end: number;
}

/** Reads `[label]: destination "title"` up to the end of its line; the title may stand on the lines below. */
export function definitionAt(text: string, at: number, meter: Meter): Definition | null {
  if (text[at] !== '[') return null;
  const close = labelEnd(text, at + 1);
  const label = close === null ? '' : labelOf(text.slice(at + 1, close));
  if (close === null || text[close + 1] !== ':' || label === '') return null;
  const start = skipSpace(text, close + 2);
  const found = addressAt(text, start, meter, false);
  if (found === null || (found.end === start && text[start] !== '<')) return null;
  const short = endOfLine(text, found.end);
  const beforeTitle = skipSpace(text, found.end);
  const titleEnd = beforeTitle === found.end ? null : titleAt(text, beforeTitle, meter);
  const long = titleEnd === null ? null : endOfLine(text, titleEnd);
  const end = long ?? short;
  return end === null ? null : { label, address: found.address, addressEnd: found.end, end };
}

/** The place behind spaces and the line break; null when something else comes first. */
function endOfLine(text: string, from: number): number | null {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  if (at >= text.length) return text.length;
  return text[at] === '\n' ? at + 1 : null;
}

/** Skips spaces and at most one line break. */
function skipSpace(text: string, from: number): number {
  let at = from;
  let breaks = 0;
  for (; at < text.length; at += 1) {
    const c = text[at];
    if (c === '\n') {
      breaks += 1;
      if (breaks > 1) break;
    } else if (c !== ' ' && c !== '\t') break;
  }
  return at;
}

function addressAt(
  text: string,
  start: number,
  meter: Meter,
  inParentheses: boolean,
): { address: string; end: number } | null {
  if (text[start] === '<') {
    for (let at = start + 1; at < text.length; at += 1) {
      meter.steps += 1;
      const c = text[at]!;
      if (c === '\\') at += 1;
      else if (c === '>') return { address: text.slice(start + 1, at), end: at + 1 };
      else if (c === '\n' || c === '<') return null;
    }
    return null;
  }
  let depth = 0;
  let at = start;
  for (; at < text.length; at += 1) {
    meter.steps += 1;
    const c = text[at]!;
    if (c === '\\' && at + 1 < text.length && text[at + 1]! > ' ') at += 1;
    else if (c <= ' ') break;
    else if (c === '(') {
      depth += 1;
      if (depth > DEEPEST_PARENTHESES) return null;
    } else if (c === ')') {
      if (depth === 0 && inParentheses) break;
      depth -= 1;
    }
  }
  return depth !== 0 && inParentheses ? null : { address: text.slice(start, at), end: at };
}

/** The place behind the title's closing mark; null: there is none. */
function titleAt(text: string, start: number, meter: Meter): number | null {
  const open = text[start];
  const close = open === '(' ? ')' : open;
  if (open !== '"' && open !== "'" && open !== '(') return null;
  for (let at = start + 1; at < text.length; at += 1) {
    meter.steps += 1;
    const c = text[at];
    if (c === '\\') at += 1;
    else if (c === close) return at + 1;
    else if (c === '(' && open === '(') return null;
  }
  return null;
}

/** The closing bracket of a label that begins before `from`; null: there is none. */
export function labelEnd(text: string, from: number): number | null {
  const most = Math.min(text.length, from + LONGEST_LABEL + 1);
  for (let at = from; at < most; at += 1) {
    const c = text[at]!;
    if (c === '\\') at += 1;
    else if (c === '[') return null;
    else if (c === ']') return at;
  }
  return null;
}

export function labelOf(text: string): string {
  return text.length > LONGEST_LABEL ? '' : text.trim().replace(/\s+/g, ' ').toLowerCase().toUpperCase();
}

/**
 * An address may stay, because a browser shows it when somebody points at the link. One that contains words may not: in
 * angle brackets a destination can hold a whole letter.
 */
export function seenAddress(address: string): string {
  if (address.length > 500 || /^\s*(?:data|javascript|vbscript):/i.test(address)) return '';
  if (!/\s/.test(address)) return address;
  return address.length <= 80 && /^[^\n]*\.[a-z0-9]{2,5}$/i.test(address) ? `<${address}>` : '';
}
