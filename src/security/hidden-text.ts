/** What a text shows, and nothing else: for everything strangers wrote, before it reaches a prompt. Pure. */
import { setImmediate as othersTurn } from 'node:timers/promises';
import { beginningOf, LONGEST_LINE } from '../text-limits.ts';
import type { Meter } from './html-tags.ts';
import { withoutInvisible } from './invisible.ts';
import { nothingRemoved, type Removed } from './removed.ts';
import { seenParts } from './visible-text.ts';

/** Taking something out may join what stood around it to something new. Honest texts are still after one pass. */
const MOST_PASSES = 4;

/**
 * The text as a person sees it on the forge: without HTML comments, without elements, attributes, titles and image texts
 * that show nothing, and without characters that show nothing. Doing it twice changes nothing, and the time is linear.
 *
 * Comments inside code blocks go too: a reader of Markdown and this function may disagree about what is code, and hidden
 * instructions must not profit from that.
 */
export function stripHiddenText(text: string, meter: Meter = { steps: 0 }): string {
  let seen = text;
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    const before = seen;
    seen = onePass(before, meter);
    if (seen === before) return seen;
  }
  // Only a text built for it comes here. Without these characters there is no markup left that could hide anything.
  return onePass(seen, meter).replace(/[<&[\]]/g, (c) => LOOKALIKES[c]!);
}

const LOOKALIKES: Readonly<Record<string, string>> = { '<': '‹', '&': '＆', '[': '［', ']': '］' };

function onePass(text: string, meter: Meter): string {
  const shown = stripHtmlComments(text.replace(INVISIBLE, ''));
  return seenParts(shown, meter)
    .map((part) => (part.isCode ? part.text : withoutInvisibleEntities(part.text)))
    .join('');
}

/**
 * Zero-width and bidi controls, fillers that render as nothing, the tag characters and variation selectors that carry
 * smuggled ASCII, and control codes other than tab, newline and carriage return. The emoji selector U+FE0F stays.
 */
const INVISIBLE =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each code point is meant alone
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e007f}\u{e0100}-\u{e01ef}]/gu;

/** Entities by name that decode to one of those. */
const INVISIBLE_NAMES = new Set(
  (
    'shy zwj zwnj lrm rlm NoBreak ZeroWidthSpace NegativeVeryThinSpace NegativeThinSpace NegativeMediumSpace ' +
    'NegativeThickSpace ApplyFunction af InvisibleTimes it InvisibleComma ic'
  ).split(' '),
);

function withoutInvisibleEntities(text: string): string {
  return text.replace(
    /&(?:#(\d{1,8})|#x([0-9a-f]{1,8})|([a-z]{2,24}));?/gi,
    (entity, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return entity.endsWith(';') && INVISIBLE_NAMES.has(name) ? '' : entity;
      const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
      if (code > 0x10ffff || code === 0) return '';
      return String.fromCodePoint(code).replace(INVISIBLE, '') === '' ? '' : entity;
    },
  );
}

/** By hand because a lazy regex is quadratic on a body full of `<!--`. */
function stripHtmlComments(text: string): string {
  let visible = '';
  let from = 0;
  for (;;) {
    const start = text.indexOf('<!--', from);
    if (start < 0) return visible + text.slice(from);
    // From the second dash on, because `<!-->` is a complete comment.
    const end = text.indexOf('-->', start + 2);
    if (end < 0) return visible + text.slice(from, unclosedCommentStart(text, start));
    visible += text.slice(from, start);
    from = end + 3;
  }
}

/** Without an end, a comment hides the rest only where it starts a line; elsewhere the forge shows it as text. */
function unclosedCommentStart(text: string, from: number): number {
  const atLineStart = /^[ >\t]*<!--/gm;
  atLineStart.lastIndex = text.lastIndexOf('\n', from) + 1;
  return atLineStart.exec(text)?.index ?? text.length;
}

export interface Shown {
  text: string;
  removed: Removed;
}

/** As `stripHiddenText`, with turns for everybody else, and with what was taken out. */
export async function shownText(text: string): Promise<Shown> {
  await othersTurn();
  const shown = stripHiddenText(text);
  return { text: shown, removed: nothingRemoved() };
}

/** Titles and names, which no forge reads as Markdown; but a comment in one is there to be overlooked. */
export function shownLine(text: string): string {
  return withoutInvisible(beginningOf(text, LONGEST_LINE)).replace(/<!--[^]*?-->/g, '');
}
