/**
 * One line of Markdown and how far it has been read. A tab counts as spaces up to the next multiple of four. Pure.
 */

export class Line {
  readonly text: string;
  /** where the line begins in the whole text */
  readonly start: number;
  /** without the line break */
  readonly end: number;
  /** where reading goes on */
  at: number;
  #column = 0;

  constructor(text: string, start: number, end: number) {
    this.text = text;
    this.start = start;
    this.end = end;
    this.at = start;
  }

  /** the first character that is no space; `end` when the rest is blank */
  get nonspace(): number {
    let at = this.at;
    while (at < this.end && (this.text[at] === ' ' || this.text[at] === '\t')) at += 1;
    return at;
  }

  get isBlank(): boolean {
    return this.nonspace === this.end;
  }

  /** in columns */
  get indent(): number {
    let column = this.#column;
    for (let at = this.at; at < this.end; at += 1) {
      if (this.text[at] === ' ') column += 1;
      else if (this.text[at] === '\t') column += 4 - (column % 4);
      else break;
    }
    return column - this.#column;
  }

  /** Reads this many columns, at most to the end of the line. */
  advance(columns: number): void {
    let left = columns;
    while (left > 0 && this.at < this.end) {
      const width = this.text[this.at] === '\t' ? 4 - (this.#column % 4) : 1;
      if (width > left) {
        this.#column += left;
        return;
      }
      this.#column += width;
      this.at += 1;
      left -= width;
    }
  }

  /** Reads up to a character behind this one; there must be no tab in between. */
  skipTo(at: number): void {
    this.#column += at - this.at;
    this.at = at;
  }

  skipSpaces(): void {
    this.advance(this.indent);
  }

  /** the rest of the line, from its first character that is no space */
  get content(): string {
    return this.text.slice(this.nonspace, this.end);
  }

  char(): string {
    const at = this.nonspace;
    return at < this.end ? this.text[at]! : '';
  }
}

/** The lines of a text. A line break at its end adds no empty line. */
export function* linesOf(text: string): Generator<Line> {
  const breaks = /\r\n|\n|\r/g;
  let start = 0;
  for (let found = breaks.exec(text); found !== null; found = breaks.exec(text)) {
    yield new Line(text, start, found.index);
    start = breaks.lastIndex;
  }
  if (start < text.length) yield new Line(text, start, text.length);
}
