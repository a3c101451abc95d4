/** Reads the body of a forge's answer in pieces, because strangers decide how long it is. */
import { setImmediate as othersTurn } from 'node:timers/promises';
import { ForgeRefused } from '../errors.ts';
import { JsonReader } from './json-reader.ts';

export interface AnswerBody {
  /** undefined: the body is not JSON */
  json: unknown;
  /** filled for plain answers only */
  text: string;
  isEmpty: boolean;
  /** the list goes on; only its first members are here */
  isCutShort: boolean;
}

export interface Reading {
  /** `list`: a long one may end after some of its members */
  as: 'json' | 'list' | 'text';
  /** of a list: the bytes after which it ends between two members; the rest is asked for anew, in a time of its own */
  piece?: number;
  /** of a text: only so many bytes of its end */
  tail?: number;
  /** the call, for messages */
  where: string;
}

export const LARGEST_ANSWER = 256 << 20;
const LARGEST_TEXT = 32 << 20;
/** A few milliseconds of work on text made of escapes alone. */
const SLICE = 64 << 10;

export async function readBody(response: Response, reading: Reading): Promise<AnswerBody> {
  return reading.as === 'text' ? await readText(response, reading) : await readJson(response, reading);
}

async function readJson(
  response: Response,
  { as, where, piece = LARGEST_ANSWER }: Reading,
): Promise<AnswerBody> {
  const reader = new JsonReader();
  const decoder = new TextDecoder();
  let size = 0;
  for await (const slice of slicesOf(response)) {
    size += slice.length;
    reader.write(decoder.decode(slice, { stream: true }));
    if (as === 'list' && size > piece && reader.members > 1) return cutShort(reader.cutShort(false));
    if (size <= LARGEST_ANSWER) continue;
    const rest = as === 'list' ? reader.cutShort(true) : undefined;
    if (rest === undefined) throw tooMuch(response, where, LARGEST_ANSWER);
    return cutShort(rest);
  }
  reader.write(decoder.decode());
  return { json: reader.end(), text: '', isEmpty: size === 0, isCutShort: false };
}

function cutShort(json: unknown): AnswerBody {
  return { json, text: '', isEmpty: false, isCutShort: true };
}

/** Anybody who may push can make CI write a log of any length, and some servers send the whole log even if its end is asked for. */
async function readText(response: Response, { tail, where }: Reading): Promise<AnswerBody> {
  const most = tail === undefined ? LARGEST_TEXT : LARGEST_ANSWER;
  let chunks: Uint8Array[] = [];
  let kept = 0;
  let size = 0;
  for await (const slice of slicesOf(response)) {
    size += slice.length;
    if (size > most) throw tooMuch(response, where, most);
    chunks.push(slice);
    kept += slice.length;
    if (tail === undefined || kept < tail + 64 * SLICE) continue;
    chunks = [Buffer.concat(chunks).subarray(-tail)];
    kept = chunks[0]!.length;
  }
  const text = Buffer.concat(chunks).toString();
  return { json: undefined, text, isEmpty: size === 0, isCutShort: kept < size };
}

function tooMuch(response: Response, where: string, most: number): ForgeRefused {
  return new ForgeRefused(
    `${where} answered more than ${most >> 20} MiB. Look at it in a browser.`,
    response.status,
  );
}

/** Small pieces; other work of this process gets a turn after each. */
async function* slicesOf(response: Response): AsyncGenerator<Uint8Array> {
  for await (const chunk of response.body ?? []) {
    for (let at = 0; at < chunk.length; at += SLICE) {
      yield chunk.subarray(at, at + SLICE);
      await othersTurn();
    }
  }
}
