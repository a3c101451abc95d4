/**
 * A text of the forge as a skill may print it. It carries its voice: wherever a template puts it, words that are not
 * trusted come out in quotes or in a fence, with their author. A template can neither leave out the label nor cut it
 * off, because Liquid's filters work on the text and pass the voice on.
 */
import { inLine, labelOf, loginOf, quotedLine, type Voice } from '../voices.ts';
import { fenced, oneLine } from './fence.ts';

/**
 * - `text`: written by people in sentences
 * - `name`: of a branch, a label, a file, …; where nobody knows who chose it, it is in quotes
 * - `login`: of an account
 */
export type WordsKind = 'text' | 'name' | 'login';

/**
 * Liquid reads only an object's own fields. The text is not one of them, so a template cannot print it without its
 * label.
 */
export class Words {
  /** who wrote it, and who edited it */
  readonly author: string;
  readonly trusted: boolean;
  readonly what: string;
  readonly created: string;
  readonly edited: string;
  readonly size: number;
  readonly #kind: WordsKind;
  readonly #text: string;
  readonly #voice: Voice;
  readonly #printed: (words: Words) => void;

  /** `printed` is called each time the text is put into a prompt */
  constructor(of: {
    text: string;
    voice: Voice;
    kind?: WordsKind;
    printed?: ((words: Words) => void) | undefined;
  }) {
    this.#text = of.text;
    this.#voice = of.voice;
    this.#kind = of.kind ?? 'text';
    this.#printed = of.printed ?? (() => {});
    this.author = of.voice.authors.map(loginOf).join(', ');
    this.trusted = of.voice.trusted;
    this.what = of.voice.what;
    this.created = of.voice.created;
    this.edited = of.voice.edited;
    this.size = of.text.length;
  }

  get text(): string {
    return this.#text;
  }

  get voice(): Voice {
    return this.#voice;
  }

  get kind(): WordsKind {
    return this.#kind;
  }

  /** A text that was made from this one, with the same voice. */
  changed(text: string, kind = this.#kind): Words {
    return new Words({ text, voice: this.#voice, kind, printed: this.#printed });
  }

  /** The text in a fence whose first line says whose text it is. */
  fenced(label: unknown): string {
    this.#printed(this);
    const own = labelOf(this.#voice);
    const given = label === undefined || label === null ? '' : String(label);
    // Our label comes first, because a long label of a skill is cut off at its end.
    // guard: voices: label of a fence
    const whole = this.trusted ? given || own : given === '' ? own : `${own}: ${given}`;
    return fenced(this.#text, whole);
  }

  oneLine(): string {
    this.#printed(this);
    return this.asPart();
  }

  /** The same for a label that may never be printed: `printed` is not called. */
  asPart(): string {
    if (this.#text === '') return '';
    if (this.#kind === 'login') return this.#asLogin();
    return this.trusted ? oneLine(this.#text) : inLine(this.#text, this.#voice);
  }

  toString(): string {
    this.#printed(this);
    if (this.#text === '') return '';
    if (this.#kind === 'login') return this.#asLogin();
    if (this.trusted) return this.#text;
    const isShort = this.#text.length <= 200 && !/[\n\r\u2028\u2029]/.test(this.#text);
    return this.#kind === 'name' || isShort
      ? inLine(this.#text, this.#voice)
      : // A fence counts only at the beginning of a line.
        `\n${fenced(this.#text, labelOf(this.#voice))}\n`;
  }

  #asLogin(): string {
    if (this.#voice.authors.length === 0) return quotedLine(this.#text);
    const login = /^[\w .-]+$/.test(this.#text) ? this.#text : quotedLine(this.#text);
    return this.trusted ? login : `${login} (not trusted)`;
  }

  toJSON(): string {
    return this.toString();
  }

  /** Liquid's conditions compare the text itself. */
  equals(other: unknown): boolean {
    if (other instanceof Words) return other.text === this.#text;
    const isDrop = typeof other === 'object' && other !== null && 'equals' in other;
    return isDrop ? (other as { equals(text: string): boolean }).equals(this.#text) : other === this.#text;
  }

  gt(other: unknown): boolean {
    return this.#text > textOf(other);
  }

  geq(other: unknown): boolean {
    return this.#text >= textOf(other);
  }

  lt(other: unknown): boolean {
    return this.#text < textOf(other);
  }

  leq(other: unknown): boolean {
    return this.#text <= textOf(other);
  }

  /** for `contains` */
  indexOf(part: unknown): number {
    return this.#text.indexOf(textOf(part));
  }
}

function textOf(value: unknown): string {
  return value instanceof Words ? value.text : String(value);
}
