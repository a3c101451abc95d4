/**
 * The inside of a paragraph, a heading or a table cell, read as CommonMark does: code, tags, links, images, footnotes.
 * It says which parts nobody sees, and which tags there are. Pure, and one pass: each look ahead is either remembered
 * or counted in steps.
 */
import type { Cuts } from './cuts.ts';
import type { FlatText } from './flat-text.ts';
import type { HtmlPiece } from './html-stream.ts';
import { TagReader } from './html-tags.ts';
import { destinationAt, labelEnd, labelOf, seenAddress } from './link-parts.ts';
import type { Meter } from './meter.ts';
import type { Reference } from './references.ts';
import { seenWikiLink } from './wiki-links.ts';

/** What is known about the whole text. */
export interface Reading {
  cuts: Cuts;
  meter: Meter;
  /** labels of definitions */
  defined: Set<string>;
  references: Reference[];
  footnotes: ReadonlySet<string>;
  usedFootnotes: Set<string>;
  /** code as it stands in the text: entities in it are plain characters */
  code: { start: number; end: number }[];
}

/**
 * What the reader stops at: an escaped character, code, a tag, the beginning of a link or an image, and the end of its
 * text.
 */
const MARKS = /\\[\s\S]|`+|!?\[|[<\]]/g;
const AUTOLINK = /<(?:[a-z][a-z0-9+.-]{1,31}:[^\s<>]*|[\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9.-]+)>/iy;
const MARKS_PER_TURN = 500;

interface Bracket {
  isImage: boolean;
  /** before the mark, and after it */
  at: number;
  after: number;
  /** how many references there were before this link */
  references: number;
}

export function* readInline(flat: FlatText, from: number, reading: Reading): Generator<void, HtmlPiece[]> {
  const reader = new InlineReader(flat, reading);
  const marks = new RegExp(MARKS);
  marks.lastIndex = from;
  let count = 0;
  for (let mark = marks.exec(flat.text); mark !== null; mark = marks.exec(flat.text)) {
    marks.lastIndex = reader.at(mark.index, mark[0]);
    count += 1;
    if (count % MARKS_PER_TURN === 0) yield;
  }
  return reader.pieces;
}

class InlineReader {
  readonly pieces: HtmlPiece[] = [];
  readonly #flat: FlatText;
  readonly #text: string;
  readonly #reading: Reading;
  readonly #tags: TagReader;
  readonly #brackets: Bracket[] = [];
  /** link openers below this number open nothing any more, because links do not nest */
  #inactiveBelow = 0;
  /** runs of backticks that may end code, by their length, last one first */
  #runs: Map<number, number[]> | null = null;
  /** ends that were looked for in vain and are not looked for again */
  readonly #missing = new Set<string>();

  constructor(flat: FlatText, reading: Reading) {
    this.#flat = flat;
    this.#text = flat.text;
    this.#reading = reading;
    this.#tags = new TagReader(flat.text, true, reading.meter);
  }

  /** Handles one mark; answers where to go on. */
  at(at: number, mark: string): number {
    this.#reading.meter.steps += mark.length;
    const after = at + mark.length;
    if (mark[0] === '\\') return after;
    if (mark[0] === '`') return this.#code(at, mark.length);
    if (mark === '<') return this.#markup(at);
    if (mark === ']') return this.#endOfText(at);
    return this.#opening(at, mark);
  }

  #code(at: number, length: number): number {
    const runs = this.#closers().get(length) ?? [];
    while (runs.length > 0 && runs.at(-1)! <= at) runs.pop();
    const close = runs.at(-1);
    if (close === undefined) return at + length;
    const end = close + length;
    this.#reading.code.push({ start: this.#flat.at(at), end: this.#flat.at(end) });
    return end;
  }

  #closers(): Map<number, number[]> {
    if (this.#runs !== null) return this.#runs;
    const runs = new Map<number, number[]>();
    for (const run of this.#text.matchAll(/`+/g)) {
      const same = runs.get(run[0].length);
      if (same === undefined) runs.set(run[0].length, [run.index]);
      else same.push(run.index);
    }
    for (const same of runs.values()) same.reverse();
    this.#reading.meter.steps += this.#text.length;
    this.#runs = runs;
    return runs;
  }

  #markup(at: number): number {
    AUTOLINK.lastIndex = at;
    const autolink = AUTOLINK.exec(
      this.#text.length - at > 2_000 ? this.#text.slice(0, at + 2_000) : this.#text,
    );
    if (autolink !== null) return at + autolink[0].length;
    const end = this.#declarationEnd(at);
    if (end !== null) {
      this.#piece(at, end, null);
      return end;
    }
    const tag = this.#tags.read(at);
    if (tag === null) return at + 1;
    this.#piece(at, tag.end, tag);
    return tag.end;
  }

  /** A comment, an instruction, a declaration or CDATA. */
  #declarationEnd(at: number): number | null {
    const text = this.#text;
    const next = text[at + 1];
    if (next === '?') return this.#find('?>', at + 2);
    if (next !== '!') return null;
    if (text.startsWith('<!--', at)) {
      const short = /^<!---?>/.exec(text.slice(at, at + 6));
      return short === null ? this.#find('-->', at + 4) : at + short[0].length;
    }
    if (text.startsWith('<![CDATA[', at)) return this.#find(']]>', at + 9);
    return /[a-z]/i.test(text[at + 2] ?? '') ? this.#find('>', at + 2) : null;
  }

  /**
   * The place behind the end that is looked for. If it is missing once, it is missing for all later places.
   */
  #find(end: string, from: number): number | null {
    if (this.#missing.has(end)) return null;
    const found = this.#text.indexOf(end, from);
    if (found < 0) this.#missing.add(end);
    this.#reading.meter.steps += (found < 0 ? this.#text.length : found) - from;
    return found < 0 ? null : found + end.length;
  }

  #piece(at: number, end: number, tag: HtmlPiece['tag']): void {
    this.pieces.push({
      start: this.#flat.at(at),
      end: this.#flat.at(end),
      source: this.#text.slice(at, end),
      tag,
    });
  }

  #opening(at: number, mark: string): number {
    const after = at + mark.length;
    if (this.#text[after] === '^') {
      const close = labelEnd(this.#text, after + 1);
      const label = close === null ? '' : this.#text.slice(after + 1, close);
      if (close !== null && this.#reading.footnotes.has(label)) {
        this.#reading.usedFootnotes.add(label);
        return close + 1;
      }
    }
    if (mark === '[' && this.#text[after] === '[') {
      const end = this.#wikiLink(at);
      if (end !== null) return end;
    }
    this.#brackets.push({
      isImage: mark === '![',
      at,
      after,
      references: this.#reading.references.length,
    });
    return after;
  }

  #wikiLink(at: number): number | null {
    const close = labelEnd(this.#text, at + 2);
    if (close === null || this.#text[close + 1] !== ']') return null;
    const content = this.#text.slice(at + 2, close);
    if (/[`<\n]/.test(content) || this.#reading.defined.has(labelOf(content))) return null;
    const seen = seenWikiLink(content);
    // guard: texts: hidden part of a wiki link
    if (seen !== `[[${content}]]`) this.#cut(at, close + 2, 'wiki link', seen);
    return close + 2;
  }

  /**
   * `](…)`, `][…]`, `[]` or `]`: title and label are removed, and also the text of an image, because the picture is
   * shown in its place.
   */
  #endOfText(at: number): number {
    const bracket = this.#brackets.pop();
    if (bracket === undefined) return at + 1;
    const isActive = bracket.isImage || this.#brackets.length >= this.#inactiveBelow;
    this.#inactiveBelow = Math.min(this.#inactiveBelow, this.#brackets.length);
    if (!isActive) return at + 1;
    const { references } = this.#reading;
    const before = references.length;
    const end = this.#inlineLink(at) ?? this.#referenceLink(bracket, at);
    if (end === null) return at + 1;
    if (bracket.isImage) {
      // Links inside the text of an image are removed with it.
      references.splice(bracket.references, before - bracket.references);
      this.#cut(bracket.after, at, 'image text');
    } else this.#inactiveBelow = this.#brackets.length;
    return end;
  }

  #inlineLink(at: number): number | null {
    const destination = destinationAt(this.#text, at + 1, this.#reading.meter);
    if (destination === null) return null;
    const { address, end, hasTitle } = destination;
    const written = this.#text.slice(at + 1, end);
    const seen = `(${seenAddress(address)})`;
    const isAsWritten = !hasTitle && seen === `(${written.slice(1, -1).trim()})`;
    if (!isAsWritten) this.#cut(at + 1, end, hasTitle ? 'title' : 'label', seen);
    return end;
  }

  #referenceLink({ after, isImage }: Bracket, at: number): number | null {
    const text = this.#text;
    const close = text[at + 1] === '[' ? labelEnd(text, at + 2) : null;
    const written = close === null ? '' : text.slice(at + 2, close);
    const isOwn = written.trim() === '';
    if (isOwn && (at - after > 999 || /(?<!\\)\[/.test(text.slice(after, at)))) return null;
    const label = labelOf(isOwn ? text.slice(after, at) : written);
    if (!this.#reading.defined.has(label)) return null;
    const end = close === null ? at + 1 : close + 1;
    const place = { start: this.#flat.at(at) + 1, end: this.#flat.at(end - 1) + 1 };
    this.#reading.references.push({ label, ...place, isOwn: isOwn && !isImage });
    return end;
  }

  #cut(start: number, end: number, kind: Parameters<Cuts['add']>[2], instead = ''): void {
    this.#reading.cuts.add(this.#flat.at(start), this.#flat.at(end), kind, instead);
  }
}
