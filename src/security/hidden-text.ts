/** Keeps only what a text shows. Used on everything that strangers wrote, before it reaches a prompt. */
import { setImmediate as othersTurn } from 'node:timers/promises';
import { beginningOf, LONGEST_LINE, LONGEST_TO_SHOW } from '../text-limits.ts';
import { withoutInvisible } from './invisible.ts';
import type { Meter } from './meter.ts';
import type { Removed } from './removed.ts';
import { seenMarkdown } from './seen-markdown.ts';

export interface Shown {
  text: string;
  removed: Removed;
}

/**
 * The text as a person sees it on the forge: without HTML comments, attributes, titles, image texts and footnotes that
 * nobody refers to, and without invisible characters. Code stays as it is, because the forge shows it. Only the
 * beginning of a very long text is looked at; the time is linear.
 */
export function stripHiddenText(text: string, meter: Meter = { steps: 0 }): string {
  const reading = seenMarkdown(beginningOf(text, LONGEST_TO_SHOW), meter);
  for (;;) {
    const step = reading.next();
    if (step.done) return counted(text, step.value).text;
  }
}

/** How long one stretch of work may be before the event loop gets a turn. */
const LONGEST_TURN_MS = 5;

/** Like `stripHiddenText`, but it yields to the event loop and also answers what was taken out. */
export async function shownText(text: string): Promise<Shown> {
  const reading = seenMarkdown(beginningOf(text, LONGEST_TO_SHOW), { steps: 0 });
  await othersTurn();
  let since = performance.now();
  for (;;) {
    const step = reading.next();
    if (step.done) return counted(text, step.value);
    if (performance.now() - since < LONGEST_TURN_MS) continue;
    await othersTurn();
    since = performance.now();
  }
}

/** Invisible characters are taken out one by one, so their number is the difference in length. */
function counted(text: string, shown: Shown): Shown {
  const missing = Math.min(text.length, LONGEST_TO_SHOW) - shown.text.length - shown.removed.characters;
  if (missing > 0) {
    shown.removed.counts.set('invisible character', missing);
    shown.removed.characters += missing;
  }
  return shown;
}

/**
 * For titles and names. No forge reads them as Markdown, but an HTML comment in one is meant to be overlooked, so it
 * goes.
 */
export function shownLine(text: string): string {
  return withoutInvisible(beginningOf(text, LONGEST_LINE)).replace(/<!--[\s\S]*?-->/g, '');
}
