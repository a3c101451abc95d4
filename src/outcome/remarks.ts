/**
 * Remarks on lines, read from a review: list items that name a file and a line in backticks, as in "- grave, `src/a.ts:12`: it
 * …". They are posted there; what names no line stays in the review's text. Pure.
 */
import type { NewInlineComment } from '../forges/forge.ts';

export interface SplitReview {
  /** without the remarks */
  body: string;
  remarks: NewInlineComment[];
}

/** More would not be read. */
const MOST_REMARKS = 50;
const ITEM = /^(?:[-*]|\d+[.)])\s+(.*)$/;
const PLACE = /`([^`\s:]+):(\d{1,7})`(?:\s*:)?\s*/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;

export function splitReview(text: string): SplitReview {
  const body: string[] = [];
  const remarks: NewInlineComment[] = [];
  let open: { remark: NewInlineComment; indent: RegExp } | null = null;
  let fence: string | null = null;
  for (const line of text.split('\n')) {
    const [, mark] = FENCE.exec(line) ?? [];
    const isGoingOn = open !== null && (line.trim() === '' || /^\s{2,}/.test(line));
    if (open !== null && isGoingOn) {
      open.remark.body += `\n${line.replace(open.indent, '').trimEnd()}`;
      continue;
    }
    // Without the blank line, what comes next would be read as part of the list item before the remark.
    const isApart = open?.remark.body.endsWith('\n') === true;
    open = null;
    if (mark !== undefined) fence = fence === null ? mark : line.trim().startsWith(fence) ? null : fence;
    const remark = fence === null && mark === undefined ? remarkIn(line) : null;
    if (remark === null || remarks.length >= MOST_REMARKS) {
      if (isApart && body.at(-1)?.trim() !== '') body.push('');
      body.push(line);
      continue;
    }
    open = { remark, indent: indentOf(line) };
    remarks.push(remark);
  }
  for (const remark of remarks) remark.body = remark.body.trim();
  return { body: body.join('\n').trim(), remarks };
}

/** What the lines of a list item are indented by, at most; what is deeper belongs to code or a list inside. */
function indentOf(item: string): RegExp {
  const [, said = ''] = ITEM.exec(item) ?? [];
  return new RegExp(`^(?: {1,${item.length - said.length}}|\\t)`);
}

function remarkIn(line: string): NewInlineComment | null {
  const [, said] = ITEM.exec(line) ?? [];
  const place = said === undefined ? null : PLACE.exec(said);
  if (said === undefined || place === null) return null;
  const [whole, path, number] = place as unknown as [string, string, string];
  const rest = `${said.slice(0, place.index)}${said.slice(place.index + whole.length)}`.trim();
  // A path that leads out of the repository, or a line without words, is no remark.
  if (rest === '' || path.startsWith('/') || path.split('/').includes('..') || Number(number) < 1)
    return null;
  return { path, line: Number(number), body: rest };
}
