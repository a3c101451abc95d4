/**
 * Mentions in Markdown: which parts of a text are prose, and which logins its author addresses there. Pure. The parser
 * (who is called?) and the outgoing filter (whom must we not notify?) use the same idea of code, so that they cannot
 * disagree. Quotes differ: the filter takes them for prose, because a forge notifies from them, but they call nobody.
 */
import { ownLines, withoutHtmlQuotes } from './mentions/own-words.ts';
import { beginningOf, LONGEST_FOR_MENTIONS } from './text-limits.ts';

export interface MarkdownPart {
  text: string;
  /** false for code blocks, inline code and HTML comments: a forge notifies nobody from there */
  prose: boolean;
}

/**
 * No character of an e-mail address, URL or fediverse handle stands before a mention's @. An underscore there counts as
 * emphasis, unless a word runs into it. Needs the `u` flag.
 */
export const MENTION_START = String.raw`(?<![\p{L}\p{N}.+\-/@=%&#])(?<![\p{L}\p{N}]_+)@`;

/**
 * `@org/team` and `@user@host` are not logins; the lookahead also keeps the match from ending in the middle of a word.
 */
const MENTION = new RegExp(
  String.raw`(?<!\\)${MENTION_START}([A-Za-z0-9]+(?:[-._]+[A-Za-z0-9]+)*)(?![-._]*[\p{L}\p{N}]|@|/[\p{L}\p{N}])`,
  'gu',
);

/**
 * The logins that the author mentions in their own words: lower case, each once, in order of appearance. Quotes, code
 * and signatures mention nobody. Only the beginning of a long text counts, because this runs before anybody asks
 * whether its author may wake an agent.
 */
export function findMentions(text: string): string[] {
  if (!text.includes('@')) return [];
  const logins = new Set<string>();
  // guard: texts: beginning that may mention
  for (const match of ownWords(beginningOf(text, LONGEST_FOR_MENTIONS)).matchAll(MENTION)) {
    logins.add(match[1]!.toLowerCase());
  }
  return [...logins];
}

/** Without quotes, code and signatures. Inline code becomes a backtick, so that it ends a word. */
export function ownWords(text: string): string {
  const blocks = splitBlocks(text).map(({ prose, text: block }) => ({ prose, lines: linesOf(block) }));
  const own = ownLines(blocks.flatMap(({ prose, lines }) => lines.map((line) => ({ prose, text: line }))));
  let at = 0;
  const words = blocks.map(({ lines }) => {
    const kept = lines.filter((_, index) => own[at + index]!).join('');
    at += lines.length;
    return splitInline(kept)
      .map((part) => (part.prose ? part.text : '`'))
      .join('');
  });
  return withoutHtmlQuotes(words.join('\n'));
}

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Cuts a text into prose and the rest; joined, the parts are the text again. Linear in its length. */
export function splitMarkdown(text: string): MarkdownPart[] {
  const parts: MarkdownPart[] = [];
  for (const block of splitBlocks(text)) {
    if (!block.prose || !/`|<!--/.test(block.text)) parts.push(block);
    else for (const part of splitInline(block.text)) parts.push(part);
  }
  return parts;
}

interface Fence {
  mark: string;
  quoted: boolean;
}

interface BlockState {
  fence: Fence | null;
  comment: boolean;
  inList: boolean;
  afterBlank: boolean;
  inIndentedCode: boolean;
}

/** Blocks are code or single paragraphs: inline code never reaches across a blank line. */
function splitBlocks(text: string): MarkdownPart[] {
  const blocks: MarkdownPart[] = [];
  const state: BlockState = {
    fence: null,
    comment: false,
    inList: false,
    afterBlank: true,
    inIndentedCode: false,
  };
  let open: MarkdownPart | null = null;
  for (const line of linesOf(text)) {
    const blank = line.trim() === '';
    for (const piece of classifyLine(line, blank, state)) {
      if (open === null || open.prose !== piece.prose || (state.afterBlank && piece.prose && !blank)) {
        open = piece;
        blocks.push(open);
      } else open.text += piece.text;
    }
    state.afterBlank = blank;
  }
  return blocks;
}

function classifyLine(line: string, blank: boolean, state: BlockState): MarkdownPart[] {
  if (state.comment) return closeComment(line, state);
  if (state.fence !== null && !leavesQuote(line, state.fence)) {
    if (closesFence(line, state.fence)) state.fence = null;
    return [{ text: line, prose: false }];
  }
  state.fence = null;
  if (blank) return [{ text: line, prose: !state.inIndentedCode }];
  const indented = /^(?: {4}| {0,3}\t)/.test(line);
  if (indented && !state.inList && (state.afterBlank || state.inIndentedCode)) {
    state.inIndentedCode = true;
    return [{ text: line, prose: false }];
  }
  state.inIndentedCode = false;
  state.inList = /^ *(?:[-*+]|\d{1,9}[.)])[ \t]/.test(line) || (state.inList && /^[ \t]/.test(line));
  state.fence = opensFence(line, indented && !state.inList);
  if (state.fence !== null) return [{ text: line, prose: false }];
  if (/^ {0,3}<!--/.test(line)) return closeComment(line, state);
  return [{ text: line, prose: true }];
}

/**
 * A comment at the start of a line hides everything up to its end, also over blank lines, or up to the end of the text.
 */
function closeComment(line: string, state: BlockState): MarkdownPart[] {
  const end = line.indexOf('-->');
  state.comment = end < 0;
  if (end < 0) return [{ text: line, prose: false }];
  return [
    { text: line.slice(0, end + 3), prose: false },
    { text: line.slice(end + 3), prose: true },
  ];
}

function opensFence(line: string, tooDeep: boolean): Fence | null {
  if (tooDeep || !/`{3}|~{3}/.test(line)) return null;
  const prefix = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+[ \t>]*)*/.exec(line)![0];
  const mark = /^(?:`{3,}(?=[^`]*$)|~{3,})/.exec(line.slice(prefix.length))?.[0];
  return mark === undefined ? null : { mark, quoted: prefix.includes('>') };
}

function closesFence(line: string, fence: Fence): boolean {
  const rest = line.replace(/^[ \t>]*/, '').trimEnd();
  return rest.length >= fence.mark.length && rest === fence.mark[0]!.repeat(rest.length);
}

function leavesQuote(line: string, fence: Fence): boolean {
  return fence.quoted && !/^ {0,3}>/.test(line);
}

/** Inline code (a run of backticks up to the next run of the same length) and inline HTML comments. */
function splitInline(text: string): MarkdownPart[] {
  const marks = [...text.matchAll(/`+|<!--/g)].map((m) => ({ at: m.index, mark: m[0] }));
  const closers = closingRuns(marks);
  const parts: MarkdownPart[] = [];
  let from = 0;
  let commentsEnd = true;
  marks.forEach(({ at, mark }, index) => {
    // A backslash keeps a run from opening code; inside code it is a plain character, so the run may still close it.
    if (at < from || (text[at - 1] === '\\' && text[at - 2] !== '\\')) return;
    let end = -1;
    if (mark !== '<!--') end = closers[index]!;
    else if (commentsEnd) {
      const close = text.indexOf('-->', at + 2);
      commentsEnd = close >= 0;
      end = close < 0 ? -1 : close + 3;
    }
    if (end < 0) return;
    parts.push({ text: text.slice(from, at), prose: true }, { text: text.slice(at, end), prose: false });
    from = end;
  });
  parts.push({ text: text.slice(from), prose: true });
  return parts.filter((part) => part.text !== '');
}

/**
 * For each run of backticks, where its code ends, or -1. Built from the right, because a search for each run would be
 * quadratic.
 */
function closingRuns(marks: { at: number; mark: string }[]): number[] {
  const next = new Map<string, number>();
  const ends = new Array<number>(marks.length).fill(-1);
  for (let index = marks.length - 1; index >= 0; index -= 1) {
    const { at, mark } = marks[index]!;
    ends[index] = next.get(mark) ?? -1;
    next.set(mark, at + mark.length);
  }
  return ends;
}
