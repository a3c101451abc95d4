/**
 * Which items a text says it waits for: "blocked by #3", "depends on team/shop#4 and #5", or a list below such words. Quotes,
 * code and hidden comments say nothing. Pure; linear in the text's length.
 */
import { ownWords } from '../mentions.ts';
import { beginningOf, LONGEST_FOR_MENTIONS } from '../text-limits.ts';

export interface NamedItem {
  /** `owner/name`; null = the repository of the text */
  repository: string | null;
  number: number;
}

const BLOCKED = String.raw`\b(?:blocked\s+by|depends?\s+(?:up)?on|dependent\s+on)\b`;
const STACKED = String.raw`\bstacked\s+on\b`;
const NAME = String.raw`[\w.-]+\/[\w.-]+`;
/** An address of an item, `owner/name#4`, or `#4`. */
const ITEM = String.raw`(?:(?<address>https?:\/\/\S+?)\/(?<place>${NAME})\/(?:issues|pulls)\/(?<at>\d{1,9})\b|(?<name>${NAME})?#(?<number>\d{1,9})\b)`;
/** Between two items of one statement: a comma, "and", or a new line of a list. */
const BETWEEN = String.raw`(?:[ \t]*(?:,|;|&|\band\b|\bor\b)[ \t]*)+|[ \t]*\r?\n[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?|[ \t]+`;
const AFTER_WORDS = new RegExp(String.raw`[ \t]*:?(?:${BETWEEN})?`, 'y');
/** Texts with more are no lists of blockers. */
const MOST_NAMED = 50;

/** `forgeUrl`: addresses of other forges name nothing here. Each item once, in order of appearance. */
export function blockersIn(text: string, forgeUrl: string): NamedItem[] {
  return namedAfter(text, BLOCKED, forgeUrl);
}

/** What a text says it is stacked on: the first counts. */
export function parentIn(text: string, forgeUrl: string): NamedItem | null {
  return namedAfter(text, STACKED, forgeUrl)[0] ?? null;
}

function namedAfter(text: string, words: string, forgeUrl: string): NamedItem[] {
  const own = ownWords(beginningOf(text, LONGEST_FOR_MENTIONS));
  const found = new Map<string, NamedItem>();
  for (const said of own.matchAll(new RegExp(words, 'gi'))) {
    let at = after(own, said.index + said[0].length, AFTER_WORDS);
    while (found.size < MOST_NAMED) {
      const item = itemAt(own, at, forgeUrl);
      if (item === null) break;
      if (item.named !== null)
        found.set(`${item.named.repository ?? ''}#${item.named.number}`.toLowerCase(), item.named);
      at = after(own, item.end, new RegExp(BETWEEN, 'y'));
    }
  }
  return [...found.values()];
}

function after(text: string, at: number, gap: RegExp): number {
  gap.lastIndex = at;
  return at + (gap.exec(text)?.[0].length ?? 0);
}

function itemAt(text: string, at: number, forgeUrl: string): { named: NamedItem | null; end: number } | null {
  const item = new RegExp(ITEM, 'y');
  item.lastIndex = at;
  const match = item.exec(text);
  if (match === null) return null;
  const { address, place, at: inAddress, name, number } = match.groups!;
  const end = at + match[0].length;
  if (address !== undefined) {
    const isHere = address.toLowerCase() === forgeUrl.replace(/\/+$/, '').toLowerCase();
    return { named: isHere ? { repository: place!, number: Number(inAddress) } : null, end };
  }
  return { named: { repository: name ?? null, number: Number(number) }, end };
}
