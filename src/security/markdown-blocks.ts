/**
 * The blocks of a Markdown text, cut as CommonMark and goldmark do: which lines are paragraphs, which are code and
 * which are raw HTML, inside quotes, lists and footnotes, and where in the text they stand. Pure, one pass, no
 * recursion.
 */
import {
  closesFence,
  type Fence,
  fenceStart,
  footnoteStart,
  type HtmlStart,
  htmlStart,
  isSetextUnderline,
  isThematicBreak,
  listItemStart,
} from './block-starts.ts';
import { type Line, linesOf } from './line.ts';
import type { Meter } from './meter.ts';

/** Part of one line, by its place in the whole text. */
export interface Segment {
  start: number;
  end: number;
}

export interface Leaf {
  kind: 'paragraph' | 'heading' | 'code' | 'html';
  segments: Segment[];
  /** the innermost footnote that contains it */
  footnote: Footnote | null;
  /** the info string of a fence */
  info: Segment | null;
  /** a heading that begins with `#`; the other kind is a paragraph with a line under it */
  isAtx: boolean;
}

export interface Footnote extends Segment {
  label: string;
  outer: Footnote | null;
}

export interface Blocks {
  leaves: Leaf[];
  footnotes: Footnote[];
  /** where the text gets nested too deep to be followed; nothing behind it was read */
  end: number;
}

interface Container {
  kind: 'quote' | 'item' | 'footnote' | 'description';
  /** columns by which later lines must be indented to belong to it */
  indent: number;
  isEmpty: boolean;
  footnote: Footnote | null;
}

interface OpenLeaf extends Leaf {
  fence: Fence | null;
  html: HtmlStart | null;
  /** indented code; blank lines at its end are not part of it */
  isIndented: boolean;
}

const DEEPEST = 50;
const LINES_PER_TURN = 200;

export function* readBlocks(text: string, meter: Meter): Generator<void, Blocks> {
  const reader = new BlockReader(meter);
  let count = 0;
  for (const line of linesOf(text)) {
    if (!reader.read(line)) return reader.finish(line.start);
    count += 1;
    if (count % LINES_PER_TURN === 0) yield;
  }
  return reader.finish(text.length);
}

class BlockReader {
  readonly #meter: Meter;
  readonly #leaves: Leaf[] = [];
  readonly #footnotes: Footnote[] = [];
  readonly #containers: Container[] = [];
  #leaf: OpenLeaf | null = null;
  #lastEnd = 0;
  #isAfterBlank = true;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  finish(end: number): Blocks {
    this.#closeLeaf();
    this.#closeTo(0);
    return { leaves: this.#leaves, footnotes: this.#footnotes, end };
  }

  /** false: too deep. */
  read(line: Line): boolean {
    this.#meter.steps += line.end - line.start + this.#containers.length + 1;
    const matched = this.#continued(line);
    const isLeafOpen = this.#leaf !== null && matched === this.#containers.length;
    if (isLeafOpen && this.#goesOn(line)) return this.#next(line);
    const paragraph = this.#leaf?.kind === 'paragraph' ? this.#leaf : null;
    if (isLeafOpen && paragraph === null) this.#closeLeaf();
    const opened = this.#openBlocks(line, matched, paragraph !== null);
    if (opened === 'too-deep') return false;
    if (opened !== 'leaf') this.#text(line, matched, opened === 'container');
    return this.#next(line);
  }

  #next(line: Line): true {
    this.#lastEnd = line.end;
    this.#isAfterBlank = line.start === line.end || line.text.slice(line.start, line.end).trim() === '';
    return true;
  }

  /** How many of the open containers this line continues. Reads their marks. */
  #continued(line: Line): number {
    for (let depth = 0; depth < this.#containers.length; depth += 1) {
      if (!this.#continues(line, this.#containers[depth]!)) return depth;
    }
    return this.#containers.length;
  }

  #continues(line: Line, container: Container): boolean {
    if (container.kind === 'quote') {
      if (line.indent > 3 || line.char() !== '>') return false;
      readQuoteMark(line);
      return true;
    }
    if (line.isBlank) return !container.isEmpty;
    if (line.indent < container.indent) return false;
    line.advance(container.indent);
    return true;
  }

  /** Whether the open code or HTML block takes this line. */
  #goesOn(line: Line): boolean {
    const leaf = this.#leaf!;
    if (leaf.fence !== null) {
      if (closesFence(line, leaf.fence)) this.#closeLeaf();
      else {
        line.advance(Math.min(line.indent, leaf.fence.indent));
        leaf.segments.push({ start: line.at, end: line.end });
      }
      return true;
    }
    if (leaf.html !== null) {
      if (leaf.html.end === null && line.isBlank) return false;
      leaf.segments.push({ start: line.at, end: line.end });
      if (leaf.html.end?.test(line.text.slice(line.at, line.end))) this.#closeLeaf();
      return true;
    }
    if (!leaf.isIndented) return false;
    if (line.indent < 4 && !line.isBlank) return false;
    line.advance(4);
    leaf.segments.push({ start: line.at, end: line.end });
    return true;
  }

  #openBlocks(
    line: Line,
    matched: number,
    inParagraph: boolean,
  ): 'leaf' | 'container' | 'nothing' | 'too-deep' {
    let depth = matched;
    let isOpened = false;
    for (;;) {
      // A paragraph may go on (lazily) although not all its containers do, unless a new block begins here.
      const interrupts = inParagraph && !isOpened && depth === matched;
      if (line.isBlank) return isOpened ? 'container' : 'nothing';
      if (line.indent > 3) {
        if (interrupts) return 'nothing';
        this.#begin(depth);
        this.#openIndented(line);
        return 'leaf';
      }
      if (this.#openLeaf(line, depth, { interrupts, isLazy: matched < this.#containers.length && !isOpened }))
        return 'leaf';
      const container = this.#containerAt(line, interrupts);
      if (container === null) return isOpened ? 'container' : 'nothing';
      // guard: texts: entangled text is given up
      if (depth >= DEEPEST) return 'too-deep';
      this.#begin(depth);
      this.#containers.push(container);
      depth += 1;
      isOpened = true;
    }
  }

  /** Ends everything that is open below this depth, because a new block begins there. */
  #begin(depth: number): void {
    this.#closeLeaf();
    this.#closeTo(depth);
    for (const container of this.#containers) container.isEmpty = false;
  }

  #openLeaf(line: Line, depth: number, at: { interrupts: boolean; isLazy: boolean }): boolean {
    const c = line.char();
    if (
      c === '#' &&
      /^#{1,6}(?:[ \t]|$)/.test(line.text.slice(line.nonspace, Math.min(line.end, line.nonspace + 7)))
    ) {
      this.#begin(depth);
      this.#leaf = {
        ...this.#newLeaf('heading', [{ start: line.nonspace, end: line.end }]),
        isAtx: true,
      };
      this.#closeLeaf();
      return true;
    }
    const fence = c === '`' || c === '~' ? fenceStart(line) : null;
    if (fence !== null) {
      this.#begin(depth);
      this.#leaf = { ...this.#newLeaf('code', []), fence, info: { start: fence.info, end: line.end } };
      return true;
    }
    const html = c === '<' ? htmlStart(line, !at.interrupts, this.#meter) : null;
    if (html !== null) {
      this.#begin(depth);
      this.#leaf = { ...this.#newLeaf('html', [{ start: line.at, end: line.end }]), html };
      if (html.end?.test(line.content)) this.#closeLeaf();
      return true;
    }
    if (at.interrupts && !at.isLazy && (c === '=' || c === '-') && isSetextUnderline(line)) {
      this.#leaf!.kind = 'heading';
      this.#closeLeaf();
      return true;
    }
    if ((c === '*' || c === '-' || c === '_') && isThematicBreak(line)) {
      this.#begin(depth);
      return true;
    }
    return false;
  }

  #containerAt(line: Line, interrupts: boolean): Container | null {
    const c = line.char();
    if (c === '>') {
      readQuoteMark(line);
      return { kind: 'quote', indent: 0, isEmpty: false, footnote: this.#footnote() };
    }
    const item = listItemStart(line, interrupts);
    if (item !== null) return this.#openItem(line, item);
    const footnote = c === '[' ? footnoteStart(line) : null;
    if (footnote !== null) {
      const found = { label: footnote.label, start: line.nonspace, end: line.end, outer: this.#footnote() };
      this.#footnotes.push(found);
      line.skipTo(footnote.end);
      return { kind: 'footnote', indent: 4, isEmpty: false, footnote: found };
    }
    if (c === ':' && (interrupts || !this.#isAfterBlank || this.#leaves.at(-1)?.kind === 'paragraph')) {
      if (!/[ \t]/.test(line.text[line.nonspace + 1] ?? '')) return null;
      const indent = line.indent;
      line.skipSpaces();
      line.advance(1);
      const gap = Math.min(line.indent, 4);
      line.advance(gap);
      return { kind: 'description', indent: indent + 1 + gap, isEmpty: false, footnote: this.#footnote() };
    }
    return null;
  }

  #openItem(line: Line, { marker, isEmpty }: { marker: number; isEmpty: boolean }): Container {
    const before = line.indent;
    line.skipSpaces();
    line.advance(marker);
    const gap = line.indent;
    const taken = isEmpty || gap > 4 ? 1 : gap;
    line.advance(taken);
    return { kind: 'item', indent: before + marker + taken, isEmpty, footnote: this.#footnote() };
  }

  #openIndented(line: Line): void {
    line.advance(4);
    this.#leaf = { ...this.#newLeaf('code', [{ start: line.at, end: line.end }]), isIndented: true };
  }

  #text(line: Line, matched: number, isOpened: boolean): void {
    if (line.isBlank) {
      if (this.#leaf?.kind === 'paragraph') this.#closeLeaf();
      if (!isOpened) this.#closeTo(matched);
      return;
    }
    const isLazy = !isOpened && matched < this.#containers.length;
    if (this.#leaf?.kind === 'paragraph' && !isOpened) {
      // Lazily or not, the paragraph goes on here.
      this.#leaf.segments.push({ start: line.nonspace, end: line.end });
      return;
    }
    if (isLazy) this.#begin(matched);
    else this.#begin(this.#containers.length);
    this.#leaf = this.#newLeaf('paragraph', [{ start: line.nonspace, end: line.end }]);
  }

  #newLeaf(kind: Leaf['kind'], segments: Segment[]): OpenLeaf {
    const footnote = this.#footnote();
    return { kind, segments, footnote, info: null, isAtx: false, fence: null, html: null, isIndented: false };
  }

  #footnote(): Footnote | null {
    return this.#containers.at(-1)?.footnote ?? null;
  }

  #closeLeaf(): void {
    if (this.#leaf !== null) this.#leaves.push(this.#leaf);
    this.#leaf = null;
  }

  #closeTo(depth: number): void {
    while (this.#containers.length > depth) {
      this.#closeLeaf();
      const { kind, footnote } = this.#containers.pop()!;
      if (kind === 'footnote') footnote!.end = this.#lastEnd;
    }
  }
}

function readQuoteMark(line: Line): void {
  line.skipSpaces();
  line.advance(1);
  if (line.indent > 0) line.advance(1);
}
