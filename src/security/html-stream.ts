/**
 * The raw HTML of a text, in the order in which a browser would get it: two tags can hide everything between them, over
 * any number of paragraphs. Pure.
 */
import type { Cuts } from './cuts.ts';
import type { FlatText } from './flat-text.ts';
import { hidesContent, seenOf, type Tag, TagReader } from './html-tags.ts';
import type { Meter } from './meter.ts';

/** A tag, or a comment, declaration or instruction (`tag` is null), and its place in the whole text. */
export interface HtmlPiece {
  start: number;
  end: number;
  source: string;
  tag: Tag | null;
}

export class HtmlStream {
  readonly #cuts: Cuts;
  readonly #meter: Meter;
  readonly #length: number;
  /** the element whose content is hidden, since which place, and how many of its name are open */
  #hidden: { name: string; since: number; depth: number } | null = null;
  /** a comment that does not end in its block hides everything up to a comment's end in a later block */
  #comment: number | null = null;
  /** the open quote of an attribute: everything behind it is hidden */
  #isOver = false;

  constructor(cuts: Cuts, meter: Meter, length: number) {
    this.#cuts = cuts;
    this.#meter = meter;
    this.#length = length;
  }

  piece(piece: HtmlPiece): void {
    if (this.#isOver) return;
    if (this.#comment !== null) {
      const end = piece.source.indexOf('-->');
      if (end < 0) return;
      this.#cuts.add(this.#comment, piece.end, 'comment');
      this.#comment = null;
      return;
    }
    const { tag } = piece;
    if (tag === null) {
      if (this.#hidden === null) this.#cuts.add(piece.start, piece.end, 'comment');
      return;
    }
    if (this.#hidden !== null) this.#insideHidden(piece, tag);
    else if (hidesContent(tag)) this.#hidden = { name: tag.name, since: piece.start, depth: 1 };
    else {
      const seen = seenOf(tag, piece.source);
      if (seen !== piece.source) this.#cuts.add(piece.start, piece.end, 'markup', seen);
    }
  }

  #insideHidden(piece: HtmlPiece, tag: Tag): void {
    const hidden = this.#hidden!;
    if (tag.name !== hidden.name) return;
    hidden.depth += tag.isClosing ? -1 : 1;
    if (hidden.depth > 0) return;
    this.#cuts.add(hidden.since, piece.end, 'element');
    this.#hidden = null;
  }

  /** A block of raw HTML, well-formed or not. */
  *block(flat: FlatText): Generator<void, void> {
    const tags = new TagReader(flat.text, false, this.#meter);
    let count = 0;
    let from = 0;
    if (this.#comment !== null) {
      const end = flat.text.indexOf('-->');
      if (end < 0) return;
      this.#cuts.add(this.#comment, flat.at(end + 3), 'comment');
      this.#comment = null;
      from = end + 3;
    }
    for (let at = flat.text.indexOf('<', from); at >= 0; at = flat.text.indexOf('<', at)) {
      if (this.#isOver || this.#comment !== null) return;
      at = this.#markup(flat, at, tags);
      count += 1;
      if (count % 200 === 0) yield;
    }
  }

  #markup(flat: FlatText, at: number, tags: TagReader): number {
    const { text } = flat;
    this.#meter.steps += 1;
    if (text.startsWith('<!--', at)) return this.#commentIn(flat, at);
    const next = text[at + 1] ?? '';
    const isLetter = (c: string | undefined) => /[a-z]/i.test(c ?? '');
    if (next === '!' || next === '?' || (next === '/' && !isLetter(text[at + 2])))
      return this.#bogus(flat, at);
    if (!isLetter(next) && next !== '/') return at + 1;
    const tag = tags.read(at);
    if (tag === null) return this.#unfinished(flat, at);
    this.piece({ start: flat.at(at), end: flat.at(tag.end), source: text.slice(at, tag.end), tag });
    return tag.end;
  }

  #commentIn(flat: FlatText, at: number): number {
    // The end is looked for from the second dash on, because `<!-->` is a complete comment.
    const end = flat.text.indexOf('-->', at + 2);
    this.#meter.steps += (end < 0 ? flat.text.length : end) - at;
    if (end >= 0) {
      if (this.#hidden === null) this.#cuts.add(flat.at(at), flat.at(end + 3), 'comment');
      return end + 3;
    }
    if (this.#hidden === null) this.#comment = flat.at(at);
    return flat.text.length;
  }

  /** A browser ends it at the next angle bracket, whatever that belongs to. */
  #bogus(flat: FlatText, at: number): number {
    const found = flat.text.indexOf('>', at);
    const end = found < 0 ? flat.text.length : found + 1;
    this.#meter.steps += end - at;
    if (this.#hidden === null) this.#cuts.add(flat.at(at), flat.at(end), 'comment');
    return end;
  }

  /**
   * A tag without an end: the tag that the forge puts around the next paragraph ends it, unless a single quote is open.
   */
  #unfinished(flat: FlatText, at: number): number {
    if (this.#hidden !== null) return at + 1;
    const rest = flat.text.slice(at);
    this.#meter.steps += rest.length;
    if (rest.includes("'")) {
      this.#isOver = true;
      this.#cuts.add(flat.at(at), this.#length, 'markup');
    } else this.#cuts.add(flat.at(at), flat.at(flat.text.length), 'markup');
    return flat.text.length;
  }

  finish(): void {
    const since = this.#comment ?? this.#hidden?.since ?? null;
    if (since !== null) this.#cuts.add(since, this.#length, this.#comment === null ? 'element' : 'comment');
  }
}
