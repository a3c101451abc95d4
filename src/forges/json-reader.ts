/**
 * Parses JSON while it arrives, for answers that strangers can make long. `JSON.parse` needs the whole text and blocks the
 * process while it works. This reader takes one piece at a time, keeps only the beginning of long strings, and does not
 * recurse. Without long strings the result is the same as that of `JSON.parse`.
 */
import { beginningOf, LONGEST_TEXT } from '../text-limits.ts';

type Holder = Record<string, unknown> | unknown[];

interface Open {
  holder: Holder;
  /** the key that waits for its value; null between members and in arrays */
  key: string | null;
}

/** Where a long string is, so that it can be dropped later. */
interface Kept {
  holder: Holder;
  key: string | number;
  length: number;
}

/** Characters of long strings kept in one answer. Beyond it the first strings are dropped: the newest are last in every list. */
const MOST_KEPT = 8 << 20;
const LONG = 4096;
const DEEPEST = 64;
export const LET_GO =
  '[claude-hooks: this text was not kept, because the texts of this list are too long together. Read it on the forge.]';

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class NotJson extends Error {}

export class JsonReader {
  readonly #stack: Open[] = [];
  readonly #kept: Kept[] = [];
  #keptLength = 0;
  #firstKept = 0;
  #root: unknown;
  #hasRoot = false;
  #failed = false;
  /** the string being read, without its quotes; null outside of one */
  #pieces: string[] | null = null;
  #length = 0;
  /** an escape that is not complete yet, with its backslash */
  #escape = '';
  /** a number or a word being read */
  #word = '';

  write(text: string): void {
    if (this.#failed) return;
    try {
      let at = 0;
      while (at < text.length) at = this.#pieces === null ? this.#outside(text, at) : this.#inside(text, at);
    } catch (error) {
      if (!(error instanceof NotJson)) throw error;
      this.#failed = true;
    }
  }

  /** undefined: it was not JSON. */
  end(): unknown {
    this.write(' ');
    return this.#failed || this.#stack.length > 0 || this.#pieces !== null ? undefined : this.#root;
  }

  /** How many members of a list have begun, where the answer or a field of it is one. */
  get members(): number {
    return this.#list()?.length ?? 0;
  }

  /** The answer as far as it was read; a member that is not complete stays only `withUnfinished`. */
  cutShort(withUnfinished: boolean): unknown {
    const list = this.#list();
    if (this.#failed || list === null) return undefined;
    if (this.#stack.at(-1)!.holder !== list && !withUnfinished) list.pop();
    return this.#root;
  }

  #list(): unknown[] | null {
    const outer = this.#stack[0]?.holder;
    if (Array.isArray(outer)) return outer;
    const inner = this.#stack[1]?.holder;
    return Array.isArray(inner) ? inner : null;
  }

  #outside(text: string, at: number): number {
    const c = text[at]!;
    if (this.#word !== '' && !/[\w+.-]/.test(c)) this.#endWord();
    if (c === ' ' || c === '\n' || c === '\r' || c === '\t') return at + 1;
    switch (c) {
      case '"':
        this.#pieces = [];
        this.#length = 0;
        return at + 1;
      case '{':
        this.#open({});
        return at + 1;
      case '[':
        this.#open([]);
        return at + 1;
      case '}':
      case ']':
        this.#close(c === ']');
        return at + 1;
      case ',':
      case ':':
        if (this.#stack.length === 0) throw new NotJson();
        return at + 1;
      default:
        if (this.#word.length > 40) throw new NotJson();
        this.#word += c;
        return at + 1;
    }
  }

  #inside(text: string, at: number): number {
    if (this.#escape !== '') return this.#escaped(text, at);
    let from = at;
    let end = at;
    for (; end < text.length; end += 1) {
      const code = text.charCodeAt(end);
      if (code !== 34 && code !== 92) continue;
      this.#add(text.slice(from, end));
      if (code === 34) {
        this.#endString();
        return end + 1;
      }
      const plain = ESCAPES[text[end + 1] ?? ''];
      if (plain === undefined) {
        this.#escape = '\\';
        return end + 1;
      }
      this.#add(plain);
      end += 1;
      from = end + 1;
    }
    this.#add(text.slice(from, end));
    return end;
  }

  #escaped(text: string, at: number): number {
    this.#escape += text[at]!;
    const kind = this.#escape[1]!;
    if (kind !== 'u') {
      if (!Object.hasOwn(ESCAPES, kind)) throw new NotJson();
      this.#add(ESCAPES[kind]!);
    } else if (this.#escape.length < 6) {
      return at + 1;
    } else {
      if (!/^\\u[0-9a-f]{4}$/i.test(this.#escape)) throw new NotJson();
      this.#add(String.fromCharCode(Number.parseInt(this.#escape.slice(2), 16)));
    }
    this.#escape = '';
    return at + 1;
  }

  #add(piece: string): void {
    if (piece === '') return;
    // guard: texts: long strings of answers cut, part 1
    if (this.#length < LONGEST_TEXT) this.#pieces!.push(piece);
    this.#length += piece.length;
  }

  #endString(): void {
    // guard: texts: long strings of answers cut, part 2
    const text = beginningOf(this.#pieces!.join(''), LONGEST_TEXT);
    this.#pieces = null;
    const open = this.#stack.at(-1);
    if (open !== undefined && !Array.isArray(open.holder) && open.key === null) open.key = text;
    else this.#value(text);
  }

  #endWord(): void {
    let value: unknown;
    try {
      value = JSON.parse(this.#word);
    } catch {
      throw new NotJson();
    }
    this.#word = '';
    this.#value(value);
  }

  #open(holder: Holder): void {
    if (this.#stack.length >= DEEPEST) throw new NotJson();
    this.#value(holder);
    this.#stack.push({ holder, key: null });
  }

  #close(isArray: boolean): void {
    const open = this.#stack.pop();
    if (open === undefined || Array.isArray(open.holder) !== isArray || open.key !== null)
      throw new NotJson();
  }

  #value(value: unknown): void {
    const open = this.#stack.at(-1);
    if (open === undefined) {
      if (this.#hasRoot) throw new NotJson();
      this.#hasRoot = true;
      this.#root = value;
      return;
    }
    const { holder } = open;
    if (Array.isArray(holder)) {
      holder.push(value);
      return;
    }
    if (open.key === null) throw new NotJson();
    Object.defineProperty(holder, open.key, { value, writable: true, enumerable: true, configurable: true });
    if (typeof value === 'string' && value.length > LONG) this.#keep(holder, open.key, value.length);
    open.key = null;
  }

  #keep(holder: Holder, key: string, length: number): void {
    this.#kept.push({ holder, key, length });
    this.#keptLength += length;
    // guard: texts: old texts let go
    while (this.#keptLength > MOST_KEPT) {
      const oldest = this.#kept[this.#firstKept]!;
      (oldest.holder as Record<string | number, unknown>)[oldest.key] = LET_GO;
      this.#keptLength -= oldest.length;
      this.#firstKept += 1;
    }
  }
}
