/** Puts text by strangers into a prompt so that it cannot pass for ours. */
import { beginningOf, LONGEST_LINE } from '../text-limits.ts';

/**
 * The text in a code fence longer than any run of backticks inside it, so nothing in the text can close it.
 * `label` says whose text it is and stands on the opening line.
 */
export function fenced(text: unknown, label: unknown): string {
  const body = asText(text).replace(/\r\n?/g, '\n').trim();
  // guard: texts: a fence for any number of backticks
  const fence = '`'.repeat(longestRun(body) + 1);
  const words = oneLine(label).replaceAll('`', "'");
  return `${fence}${words === '' ? '' : ` ${words}`}\n${body === '' ? '(empty)' : body}\n${fence}`;
}

/**
 * A loop instead of one call with all runs: a text full of backticks has more runs than a call may have arguments.
 */
function longestRun(body: string): number {
  let longest = 2;
  for (let at = body.indexOf('`'); at >= 0; at = body.indexOf('`', at)) {
    const start = at;
    while (body[at] === '`') at += 1;
    longest = Math.max(longest, at - start);
  }
  return longest;
}

/** A title or a name: one line, at most 200 characters. */
export function oneLine(text: unknown): string {
  const line = beginningOf(asText(text), LONGEST_LINE)
    .replace(/[\s\u0000-\u001f\u007f\u0085\u2028\u2029]+/g, ' ')
    .trim();
  return line.length <= 200 ? line : `${line.slice(0, 199)}…`;
}

function asText(value: unknown): string {
  return value === null || value === undefined ? '' : String(value);
}
