/**
 * Which parts of a Markdown text are certainly code, which are raw HTML, and which may be either. Pure.
 *
 * A forge shows code as it is written, so nothing is hidden in it; but a text that we take for code and the forge does
 * not would be a hiding place. So only code that no reading of Markdown could take for something else counts: fences in
 * the first column, and spans in paragraphs whose every line has its backticks in pairs.
 */

export interface TextPart {
  text: string;
  kind: 'code' | 'paragraph' | 'html';
}

/** Blocks that begin like this go on over blank lines: nothing after them is certain. */
const ENDLESS_HTML = /^[ \t>*+\-\d.)]*<(?:script|pre|style|textarea|[!?])/i;
const HTML_AT_START = /^[ \t>*+\-\d.)]*<[a-z/!?]/i;
const FENCE = /^(`{3,}(?=[^`]*$)|~{3,})/;
const INDENTED_FENCE = /^[ \t>*+\-\d.)]+(?:`{3}|~{3})/;

/** The parts joined are the text. Paragraphs end at blank lines. */
export function textParts(text: string): TextPart[] {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const fences = fencedRanges(lines);
  const outside = lines.filter((_, index) => fences[index] === undefined);
  const isEndless = outside.some((line) => ENDLESS_HTML.test(line));
  const isCertain = !isEndless && !outside.some((line) => INDENTED_FENCE.test(line));
  const parts: TextPart[] = [];
  let block = '';
  const endBlock = () => {
    if (block !== '') parts.push({ text: block, kind: isEndless || isHtml(block) ? 'html' : 'paragraph' });
    block = '';
  };
  for (let index = 0; index < lines.length; index += 1) {
    const end = fences[index];
    if (isCertain && end !== undefined && end > index && !isHtml(block)) {
      endBlock();
      parts.push({ text: lines.slice(index, end).join(''), kind: 'code' });
      index = end - 1;
      continue;
    }
    block += lines[index]!;
    if (lines[index]!.trim() === '') endBlock();
  }
  endBlock();
  return parts;
}

/** For each line that opens a fence in the first column the line after its end; for the lines inside it -1. */
function fencedRanges(lines: readonly string[]): (number | undefined)[] {
  const ends: (number | undefined)[] = new Array(lines.length).fill(undefined);
  let opened: { at: number; mark: string } | null = null;
  lines.forEach((line, index) => {
    const content = line.replace(/[\r\n]+$/, '');
    if (opened === null) {
      const mark = FENCE.exec(content)?.[0];
      if (mark !== undefined) opened = { at: index, mark };
      return;
    }
    if (!closes(content, opened.mark)) return;
    ends.fill(-1, opened.at, index + 1);
    ends[opened.at] = index + 1;
    opened = null;
  });
  return ends;
}

function closes(line: string, mark: string): boolean {
  const rest = line.replace(/^ {0,3}/, '').trimEnd();
  return rest.length >= mark.length && rest === mark[0]!.repeat(rest.length);
}

function isHtml(block: string): boolean {
  return block.split('\n').some((line) => HTML_AT_START.test(line));
}

/**
 * Where the code spans of a paragraph begin and end, by their beginning. None where a backtick could belong to another
 * one on the next line, to a tag, or to another cell of a table.
 */
export function codeSpans(paragraph: string): Map<number, number> {
  const spans = new Map<number, number>();
  if (paragraph.includes('\\`') || /<[^<>`]*`/.test(paragraph)) return spans;
  let from = 0;
  for (const line of paragraph.split('\n')) {
    const runs = [...line.matchAll(/`+/g)];
    for (let index = 0; index < runs.length; index += 1) {
      const open = runs[index]!;
      const close = runs[index + 1];
      // A run that is not closed by the very next one is rare, and what it pairs with is not worth the doubt.
      if (close === undefined || close[0].length !== open[0].length) return new Map();
      const end = close.index + close[0].length;
      if (!line.slice(open.index, end).includes('|')) spans.set(from + open.index, from + end);
      index += 1;
    }
    from += line.length + 1;
  }
  return spans;
}
