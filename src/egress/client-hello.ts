/**
 * The first words of a TLS client, read and not changed: which server name it asks for. Pure.
 *
 * The name stands in clear in the ClientHello (RFC 6066). A client that hides it (Encrypted Client Hello) is refused,
 * because nobody could tell whom it asks for.
 */

export type HelloReading =
  | { kind: 'more' }
  /** `bytes`: how many of those read belong to it; `name`: null = the client names no server */
  | { kind: 'hello'; name: string | null; bytes: number }
  | { kind: 'refused'; why: HelloRefusal };

export type HelloRefusal = 'not-tls' | 'hidden-server-name' | 'early-data' | 'hello-too-long';

/** A hello with keys against quantum computers has about 2 KiB. */
const MOST_HELLO_BYTES = 16 * 1024;
const RECORD_HEAD = 5;
/** Clients send one or two. */
const MOST_RECORDS = 16;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;

const SERVER_NAME = 0;
const EARLY_DATA = 42;
const ENCRYPTED_CLIENT_HELLO = 0xfe0d;
/** what came before Encrypted Client Hello */
const ENCRYPTED_SERVER_NAME = 0xffce;

/** `bytes`: all that the client has sent so far, from the start of a record on. */
export function readClientHello(bytes: Buffer): HelloReading {
  const joined = joinRecords(bytes);
  if (joined.kind !== 'message') return joined;
  try {
    const read = meaningOf(readExtensions(joined.body));
    return read.kind === 'refused' ? read : { ...read, bytes: joined.bytes };
  } catch (error) {
    if (error instanceof Malformed) return refused('not-tls');
    throw error;
  }
}

class Malformed extends Error {}

function refused(why: HelloRefusal): { kind: 'refused'; why: HelloRefusal } {
  return { kind: 'refused', why };
}

type Joined =
  | { kind: 'message'; body: Buffer; bytes: number }
  | { kind: 'more' }
  | { kind: 'refused'; why: HelloRefusal };

/**
 * The message without its head of four bytes. It may be spread over several records. Called again with each byte that
 * comes, so nothing is copied before the message is whole.
 */
function joinRecords(bytes: Buffer): Joined {
  const parts: Buffer[] = [];
  let at = 0;
  let length = 0;
  while (parts.length < MOST_RECORDS) {
    const size = sizeOfRecord(bytes.subarray(at));
    if (typeof size !== 'number') return size;
    const part = bytes.subarray(at + RECORD_HEAD, at + RECORD_HEAD + size);
    parts.push(part);
    length += part.length;
    const head = Buffer.concat(parts.slice(0, 4).map((one) => one.subarray(0, 4)));
    if (head.length >= 1 && head[0] !== CLIENT_HELLO) return refused('not-tls');
    const wanted = head.length < 4 ? null : 4 + head.readUIntBE(1, 3);
    if (wanted !== null && wanted > MOST_HELLO_BYTES) return refused('hello-too-long');
    if (part.length < size) return { kind: 'more' };
    at += RECORD_HEAD + size;
    if (wanted === null || length < wanted) continue;
    // Nothing may follow the hello in its record: a client has to wait for the server first.
    if (length > wanted) return refused('not-tls');
    return { kind: 'message', body: Buffer.concat(parts).subarray(4), bytes: at };
  }
  return refused('hello-too-long');
}

/** The bytes of the record that begins here. */
function sizeOfRecord(bytes: Buffer): number | Exclude<Joined, { kind: 'message' }> {
  if (bytes.length > 0 && bytes[0] !== HANDSHAKE) return refused('not-tls');
  if (bytes.length > 1 && bytes[1] !== 3) return refused('not-tls');
  if (bytes.length < RECORD_HEAD) return { kind: 'more' };
  const size = bytes.readUInt16BE(3);
  return size === 0 ? refused('not-tls') : size;
}

function readExtensions(body: Buffer): Map<number, Buffer> {
  const all = new Reader(body);
  all.take(2 + 32);
  all.block(1);
  all.block(2);
  all.block(1);
  const extensions = new Map<number, Buffer>();
  if (all.isEmpty()) return extensions;
  const list = new Reader(all.block(2));
  if (!all.isEmpty()) throw new Malformed();
  while (!list.isEmpty()) {
    const type = list.take(2).readUInt16BE();
    if (extensions.has(type)) throw new Malformed();
    extensions.set(type, list.block(2));
  }
  return extensions;
}

function meaningOf(
  extensions: ReadonlyMap<number, Buffer>,
): { kind: 'hello'; name: string | null } | { kind: 'refused'; why: HelloRefusal } {
  // guard: egress: no hidden server name
  if (extensions.has(ENCRYPTED_CLIENT_HELLO) || extensions.has(ENCRYPTED_SERVER_NAME)) {
    return refused('hidden-server-name');
  }
  // With early data a second hello could come anywhere in the stream.
  if (extensions.has(EARLY_DATA)) return refused('early-data');
  const named = extensions.get(SERVER_NAME);
  if (named === undefined) return { kind: 'hello', name: null };
  const outer = new Reader(named);
  const list = new Reader(outer.block(2));
  const type = list.take(1)[0];
  const name = list.block(2);
  // The standard allows one name of each kind, and knows one kind.
  if (type !== 0 || !list.isEmpty() || !outer.isEmpty()) throw new Malformed();
  return { kind: 'hello', name: name.toString('latin1').toLowerCase() };
}

/** Reads from the front; throws Malformed where there is too little. */
class Reader {
  #rest: Buffer;

  constructor(bytes: Buffer) {
    this.#rest = bytes;
  }

  isEmpty(): boolean {
    return this.#rest.length === 0;
  }

  take(count: number): Buffer {
    if (this.#rest.length < count) throw new Malformed();
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return taken;
  }

  /** bytes whose number stands before them, in `head` bytes */
  block(head: number): Buffer {
    return this.take(this.take(head).readUIntBE(0, head));
  }
}
