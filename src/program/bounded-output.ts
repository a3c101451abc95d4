/** What a program wrote, kept in a bounded amount of memory. */

/** Keeps everything or nothing: a list that was cut would be taken for the whole. */
export class BoundedWhole {
  readonly #most: number;
  readonly #onOver: () => void;
  #pieces: Buffer[] = [];
  #size = 0;

  /** `onOver` is called once, when more than `most` bytes have arrived */
  constructor(most: number, onOver: () => void) {
    this.#most = most;
    this.#onOver = onOver;
  }

  get isOver(): boolean {
    return this.#size > this.#most;
  }

  add(data: Buffer): void {
    if (this.isOver) return;
    this.#size += data.length;
    if (!this.isOver) return void this.#pieces.push(data);
    this.#pieces = [];
    // guard: an endless answer ends its program
    this.#onOver();
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}

const HEAD = 16 * 1024;
const TAIL = 48 * 1024;
export const KEPT_OF_STDERR = HEAD + TAIL;

/** Keeps beginning and end: a program names its trouble first or last, and floods come in between. */
export class BoundedEnds {
  #head = Buffer.alloc(0);
  #tail = Buffer.alloc(0);
  #size = 0;

  add(data: Buffer): void {
    this.#size += data.length;
    const forHead = data.subarray(0, Math.max(0, HEAD - this.#head.length));
    if (forHead.length > 0) this.#head = Buffer.concat([this.#head, forHead]);
    const rest = data.subarray(forHead.length);
    if (rest.length > 0) this.#tail = Buffer.concat([this.#tail, rest.subarray(-TAIL)]).subarray(-TAIL);
  }

  /** Cut at white space: half a token would not be recognised by the redaction. */
  text(): string {
    const kept = this.#head.length + this.#tail.length;
    if (kept === this.#size) return Buffer.concat([this.#head, this.#tail]).toString('utf8');
    const head = withoutLastWord(this.#head.toString('utf8'));
    // guard: no half of a token where the error output is cut
    const tail = this.#tail.toString('utf8').replace(/^\S*/, '');
    const left = this.#size - Buffer.byteLength(head) - Buffer.byteLength(tail);
    return `${head.trimEnd()}\n[${left} bytes were left out]\n${tail.trimStart()}`;
  }
}

/** Searches from the end: a regular expression would start anew at each letter of a long word. */
function withoutLastWord(text: string): string {
  let end = text.length;
  while (end > 0 && !/\s/.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}
