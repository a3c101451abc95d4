/** What the beginning of a line says about its block, by the rules of CommonMark. Pure. */
import { TagReader } from './html-tags.ts';
import type { Line } from './line.ts';
import type { Meter } from './meter.ts';

/** A line that begins with one of these is raw HTML, well-formed or not. */
const BLOCK_ELEMENTS =
  'address article aside base basefont blockquote body caption center col colgroup dd details dialog dir div dl dt ' +
  'fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li link ' +
  'main menu menuitem nav noframes ol optgroup option p param search section source summary table tbody td tfoot th ' +
  'thead title tr track ul';
const HTML_STARTS: readonly [start: RegExp, end: RegExp | null][] = [
  [/^<(?:script|pre|style|textarea)(?:[\s>]|$)/i, /<\/(?:script|pre|style|textarea)>/i],
  [/^<!--/, /-->/],
  [/^<\?/, /\?>/],
  [/^<![a-z]/i, />/],
  [/^<!\[CDATA\[/, /\]\]>/],
  [new RegExp(`^</?(?:${BLOCK_ELEMENTS.replaceAll(' ', '|')})(?:\\s|/?>|$)`, 'i'), null],
];

/** What ends a raw HTML block: a text on its last line, or null when a blank line does. */
export interface HtmlStart {
  end: RegExp | null;
}

export function htmlStart(line: Line, canInterrupt: boolean, meter: Meter): HtmlStart | null {
  const { content } = line;
  for (const [start, end] of HTML_STARTS) if (start.test(content)) return { end };
  if (!canInterrupt) return null;
  const tag = new TagReader(content, true, meter).read(0);
  return tag !== null && content.slice(tag.end).trim() === '' ? { end: null } : null;
}

export interface Fence {
  mark: string;
  /** columns before the fence; as many are removed from each line inside */
  indent: number;
  /** where its info string begins */
  info: number;
}

export function fenceStart(line: Line): Fence | null {
  const at = line.nonspace;
  const char = line.text[at]!;
  let end = at;
  while (end < line.end && line.text[end] === char) end += 1;
  if (end - at < 3) return null;
  if (char === '`' && line.text.slice(end, line.end).includes('`')) return null;
  return { mark: line.text.slice(at, end), indent: line.indent, info: end };
}

export function closesFence(line: Line, { mark }: Fence): boolean {
  if (line.indent > 3) return false;
  const rest = line.content.trimEnd();
  if (rest.length < mark.length) return false;
  for (const c of rest) if (c !== mark[0]) return false;
  return true;
}

export function isThematicBreak(line: Line): boolean {
  return /^(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$/.test(line.content.slice(0, 4000));
}

export function isSetextUnderline(line: Line): boolean {
  return line.indent < 4 && /^(?:=+|-+)[ \t]*$/.test(line.content);
}

/** Columns of a list marker and the space behind it, or null. */
export function listItemStart(line: Line, interrupts: boolean): { marker: number; isEmpty: boolean } | null {
  const head = line.text.slice(line.nonspace, Math.min(line.end, line.nonspace + 11));
  const found = /^(?:[-+*]|(\d{1,9})[.)])(?=[ \t]|$)/.exec(head);
  if (found === null) return null;
  const isEmpty = line.text.slice(line.nonspace + found[0].length, line.end).trim() === '';
  if (interrupts && (isEmpty || (found[1] !== undefined && Number(found[1]) !== 1))) return null;
  return { marker: found[0].length, isEmpty };
}

/** `[^label]:` at the beginning of a line. */
export function footnoteStart(line: Line): { label: string; end: number } | null {
  const { text, nonspace, end } = line;
  if (text[nonspace] !== '[' || text[nonspace + 1] !== '^') return null;
  const close = closingBracket(text, nonspace + 2, end);
  if (close < 0 || text[close + 1] !== ':') return null;
  const label = text.slice(nonspace + 2, close);
  return label.trim() === '' ? null : { label, end: close + 2 };
}

/**
 * The place of the bracket that closes a label; -1: none on this line, or an unescaped opening one comes before it.
 */
function closingBracket(text: string, from: number, end: number): number {
  for (let at = from; at < end && at - from < 1000; at += 1) {
    const c = text[at]!;
    if (c === '\\') at += 1;
    else if (c === '[' || c === '\n') return -1;
    else if (c === ']') return at;
  }
  return -1;
}
