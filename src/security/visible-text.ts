/** A text of strangers as a reader of the forge sees it: without markup that shows nothing. Pure. */
import { beginsRawHtml, hidesContent, type Meter, seenOf, type Tag, TagReader } from './html-tags.ts';
import { definedLabels, destinationAt, labelOf, usedLabels, withoutHiddenDefinitions } from './link-parts.ts';
import { codeSpans, type TextPart, textParts } from './text-parts.ts';

export interface SeenPart {
  text: string;
  isCode: boolean;
}

/** What is known of the whole text while its parts are read. */
interface Reading {
  meter: Meter;
  /** labels of links and images that the text defines */
  defined: ReadonlySet<string>;
  /** the element whose content nobody sees, and how many of its name are open */
  hidden: { name: string; depth: number } | null;
  /** raw HTML whose tag never ends: nobody sees the rest */
  isOver: boolean;
}

export function seenParts(text: string, meter: Meter): SeenPart[] {
  const parts = textParts(text);
  const markdown = parts.filter((part) => part.kind !== 'code').map((part) => part.text);
  const used = usedLabels(markdown.join(''));
  const defined = definedLabels(markdown.join(''));
  const reading: Reading = { meter, defined, hidden: null, isOver: false };
  return parts.flatMap((part): SeenPart[] => {
    meter.steps += part.text.length;
    if (reading.isOver) return [];
    if (part.kind === 'code') return reading.hidden === null ? [{ text: part.text, isCode: true }] : [];
    return new PartReader({ ...part, text: withoutHiddenDefinitions(part.text, used) }, reading).read();
  });
}

/** An escaped character, the beginning of a link or an image, of a tag, of code, and the end of a link's text. */
const MARKS = /\\[\s\S]|!?\[|[<`\]]/g;

class PartReader {
  readonly #text: string;
  readonly #isHtml: boolean;
  readonly #reading: Reading;
  readonly #tags: TagReader;
  readonly #lastEnd: number;
  readonly #seen: SeenPart[] = [];
  readonly #brackets: { isImage: boolean; after: number; seen: number }[] = [];
  /** everything before it has been kept or dropped */
  #from = 0;

  constructor(part: TextPart, reading: Reading) {
    this.#text = part.text;
    this.#isHtml = part.kind === 'html';
    this.#reading = reading;
    this.#tags = new TagReader(part.text, !this.#isHtml, reading.meter);
    this.#lastEnd = part.text.lastIndexOf('>');
  }

  read(): SeenPart[] {
    const spans = this.#isHtml ? new Map<number, number>() : codeSpans(this.#text);
    const marks = new RegExp(MARKS);
    for (let mark = marks.exec(this.#text); mark !== null; mark = marks.exec(this.#text)) {
      const end = this.#at(mark.index, mark[0], spans);
      if (this.#reading.isOver) return this.#seen;
      marks.lastIndex = end;
    }
    this.#upTo(this.#text.length);
    return this.#seen;
  }

  /** Deals with one mark; answers where to go on. */
  #at(at: number, mark: string, spans: ReadonlyMap<number, number>): number {
    const after = at + mark.length;
    // In raw HTML a backslash is a character like others.
    if (mark[0] === '\\') return this.#isHtml ? at + 1 : after;
    if (mark === '<') return this.#markup(at);
    if (mark === '`') {
      const end = spans.get(at);
      if (end === undefined) return after;
      this.#upTo(at);
      this.#keep(this.#text.slice(at, end), true);
      this.#from = end;
      return end;
    }
    if (mark === ']') return this.#endOfText(at);
    this.#upTo(after);
    this.#brackets.push({ isImage: mark === '![', after, seen: this.#seen.length });
    return after;
  }

  #keep(text: string, isCode: boolean): void {
    if (text !== '' && this.#reading.hidden === null) this.#seen.push({ text, isCode });
  }

  #upTo(end: number): void {
    this.#keep(this.#text.slice(this.#from, end), false);
    this.#from = end;
  }

  /** A tag, a declaration or a processing instruction; text when it is none of them. */
  #markup(at: number): number {
    const next = this.#text[at + 1] ?? '';
    if (next === '!' || next === '?' || (next === '/' && !/[a-z]/i.test(this.#text[at + 2] ?? ''))) {
      return this.#bogusComment(at);
    }
    const tag = this.#tags.read(at);
    if (tag !== null) return this.#tag(at, tag);
    if (this.#isHtml && beginsRawHtml(this.#text, at)) this.#end(at);
    return at + 1;
  }

  #bogusComment(at: number): number {
    if (at > this.#lastEnd) {
      if (this.#isHtml) this.#end(at);
      return at + 1;
    }
    this.#upTo(at);
    this.#from = this.#text.indexOf('>', at) + 1;
    this.#reading.meter.steps += this.#from - at;
    return this.#from;
  }

  #end(at: number): void {
    this.#upTo(at);
    this.#reading.isOver = true;
  }

  #tag(at: number, tag: Tag): number {
    this.#upTo(at);
    this.#from = tag.end;
    const { hidden } = this.#reading;
    if (hidden !== null) {
      if (tag.name === hidden.name) hidden.depth += tag.isClosing ? -1 : 1;
      if (hidden.depth === 0) this.#reading.hidden = null;
    } else if (hidesContent(tag)) {
      this.#reading.hidden = { name: tag.name, depth: 1 };
    } else {
      this.#keep(seenOf(tag, this.#text.slice(at, tag.end)), false);
    }
    return tag.end;
  }

  /** `](…)`, `][…]` or `]`: the title goes, and before it the text of an image, which its picture covers. */
  #endOfText(at: number): number {
    const bracket = this.#brackets.pop();
    if (bracket === undefined) return at + 1;
    const destination = destinationAt(this.#text, at + 1);
    this.#reading.meter.steps += (destination?.end ?? at + 1) - at;
    if (bracket.isImage && (destination !== null || this.#isReference(bracket.after, at))) {
      this.#upTo(at);
      this.#seen.length = Math.min(this.#seen.length, bracket.seen);
    }
    if (destination === null) return at + 1;
    this.#upTo(at + 1);
    this.#keep(destination.seen, false);
    this.#from = destination.end;
    return destination.end;
  }

  #isReference(after: number, at: number): boolean {
    const named = /\[([^[\]]*)\]/y;
    named.lastIndex = at + 1;
    const label = named.exec(this.#text)?.[1] ?? '';
    return this.#reading.defined.has(labelOf(label === '' ? this.#text.slice(after, at) : label));
  }
}
