/**
 * What a client sends, held back until its server name is known and is the one that was asked for. Then it passes
 * unchanged. A second hello, which a server may ask for (TLS 1.3), must have the same name.
 */
import { type HelloRefusal, readClientHello } from './client-hello.ts';

export type GateAnswer =
  | { kind: 'hold' }
  | { kind: 'pass'; bytes: Buffer }
  | { kind: 'refused'; why: HelloRefusal | NameRefusal; name: string | null };

export type NameRefusal = 'no-server-name' | 'other-server-name';

const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
/** OpenSSL takes no longer hello; a longer "message" is an encrypted one of TLS 1.2 whose first byte is 1 by chance. */
const LONGEST_ANYWHERE = 131_396;

export class HelloGate {
  /** null = the client must name none: it asked for an address */
  readonly #expected: string | null;
  #waitsFor: 'first hello' | 'second hello' | 'nothing' = 'first hello';
  #held: Buffer = Buffer.alloc(0);

  constructor(expected: string | null) {
    this.#expected = expected;
  }

  /** whether the first hello has passed */
  get isOpen(): boolean {
    return this.#waitsFor !== 'first hello';
  }

  take(chunk: Buffer): GateAnswer {
    if (this.#waitsFor === 'nothing') return { kind: 'pass', bytes: chunk };
    this.#held = Buffer.concat([this.#held, chunk]);
    const passed: Buffer[] = [];
    for (;;) {
      const next = this.#next();
      if (next === 'hold') break;
      if (typeof next !== 'number') return next;
      passed.push(this.#held.subarray(0, next));
      this.#held = this.#held.subarray(next);
      if (this.#held.length === 0 || next === 0) break;
    }
    return passed.length === 0 ? { kind: 'hold' } : { kind: 'pass', bytes: Buffer.concat(passed) };
  }

  /** how many of the held bytes may pass */
  #next(): number | 'hold' | Extract<GateAnswer, { kind: 'refused' }> {
    if (this.#waitsFor === 'first hello') return this.#hello('second hello');
    if (this.#waitsFor === 'second hello') {
      const found = kindOf(this.#held);
      if (found === 'hold') return 'hold';
      if (found === 'change') return CHANGE_BYTES;
      // guard: egress: the second hello
      if (found === 'hello') return this.#hello('nothing');
      this.#waitsFor = 'nothing';
    }
    return this.#held.length;
  }

  #hello(after: 'second hello' | 'nothing'): number | 'hold' | Extract<GateAnswer, { kind: 'refused' }> {
    const read = readClientHello(this.#held);
    if (read.kind === 'more') return 'hold';
    if (read.kind === 'refused') return { ...read, name: null };
    const why = whyOther(read.name, this.#expected);
    if (why !== null) return { kind: 'refused', why, name: read.name };
    this.#waitsFor = after;
    return read.bytes;
  }
}

/** A literal address has no name in TLS; a name there would choose another server behind the address. */
function whyOther(name: string | null, expected: string | null): NameRefusal | null {
  if (name === null) return expected === null ? null : 'no-server-name';
  // guard: egress: server name
  return name === expected ? null : 'other-server-name';
}

const CHANGE_BYTES = 6;

/** What begins here, after the first hello. */
function kindOf(held: Buffer): 'hold' | 'change' | 'hello' | 'rest' {
  if (held.length === 0) return 'hold';
  if (held[0] === CHANGE_CIPHER_SPEC) return held.length < CHANGE_BYTES ? 'hold' : 'change';
  if (held[0] !== HANDSHAKE) return 'rest';
  if (held.length < 6) return 'hold';
  if (held[5] !== CLIENT_HELLO) return 'rest';
  if (held.length < 9) return held.readUInt16BE(3) < 4 ? 'hello' : 'hold';
  return held.readUIntBE(6, 3) > LONGEST_ANYWHERE ? 'rest' : 'hello';
}
