/**
 * Passes an answer from upstream to the CLI. Streams are piped; only errors, which are short, are held and read.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Transform } from 'node:stream';
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  gunzipSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';
import { errorBody, type Refusal } from './admission.ts';
import { inwardHeaders } from './headers.ts';
import { UpstreamFailed } from './upstream.ts';
import type { AnswerReader } from './usage.ts';

export function sendRefusal(
  response: ServerResponse,
  refusal: Refusal,
  headers: Record<string, string> = {},
): void {
  const body = errorBody(refusal);
  response.writeHead(refusal.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

/**
 * `ended`: complete. `gone`: the CLI left first. `broken`: upstream broke off; the CLI's connection is cut too, because
 * a clean end would look like a complete answer.
 */
export type RelayEnd = 'ended' | 'gone' | 'broken';

export async function relayAnswer(
  answer: IncomingMessage,
  response: ServerResponse,
  of: { reader: AnswerReader; secrets: readonly string[]; firstByte: () => void },
): Promise<RelayEnd> {
  response.writeHead(answer.statusCode!, inwardHeaders(answer.headers, of.secrets));
  // Sends the head at once. Otherwise it waits for the first event, and the CLI's time limit for the first byte runs.
  response.flushHeaders();
  const reading = readDecoded(of.reader, answer.headers['content-encoding']);
  answer.once('data', of.firstByte);
  answer.on('data', reading.push);
  const end = await new Promise<RelayEnd>((resolve) => {
    answer.once('error', () => resolve('broken'));
    answer.once('close', () => {
      if (!answer.complete) resolve('broken');
    });
    response.once('finish', () => resolve('ended'));
    response.once('close', () => resolve('gone'));
    response.on('error', () => {});
    answer.pipe(response);
  });
  // guard: cut stays a cut
  if (end !== 'ended') response.destroy();
  await reading.end();
  return end;
}

/** We asked upstream for uncompressed bytes. A proxy that compresses all the same is read on a copy. */
function readDecoded(reader: AnswerReader, encoding: string | undefined) {
  const decoder = DECODERS[encoding ?? '']?.stream();
  if (decoder === undefined) {
    return { push: (chunk: Buffer) => reader.push(chunk), end: async () => reader.end() };
  }
  const ended = new Promise<void>((resolve) => {
    decoder.once('close', resolve);
    decoder.once('error', () => resolve());
  });
  decoder.on('data', (chunk: Buffer) => reader.push(chunk));
  return {
    push: (chunk: Buffer) => void decoder.write(chunk),
    end: async () => {
      decoder.end();
      await ended;
      reader.end();
    },
  };
}

const DECODERS: Readonly<Record<string, { stream: () => Transform; whole: (bytes: Buffer) => Buffer }>> = {
  gzip: { stream: () => createGunzip(), whole: gunzipSync },
  deflate: { stream: () => createInflate(), whole: inflateSync },
  br: { stream: () => createBrotliDecompress(), whole: brotliDecompressSync },
  zstd: { stream: () => createZstdDecompress(), whole: zstdDecompressSync },
};

export interface ErrorAnswer {
  status: number;
  type: string;
  message: string;
}

const MOST_ERROR_BYTES = 1024 * 1024;

/** An error in the form in which the CLI gets it. */
export interface ErrorToSend {
  status: number;
  headers: OutgoingHttpHeaders;
  text: string;
}

/** Reads an error, and removes the credential in case upstream repeated it. */
export async function readError(
  answer: IncomingMessage,
  secrets: readonly string[],
): Promise<{ said: ErrorAnswer; toSend: ErrorToSend }> {
  // guard: key removed from errors
  const text = without(secrets, await textOf(answer));
  const headers = inwardHeaders(answer.headers, secrets);
  delete headers['content-encoding'];
  const status = answer.statusCode!;
  return { said: { status, ...errorOf(text) }, toSend: { status, headers, text } };
}

export function sendError(response: ServerResponse, { status, headers, text }: ErrorToSend): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= MOST_ERROR_BYTES) chunks.push(chunk);
    }
  } catch (error) {
    throw new UpstreamFailed((error as NodeJS.ErrnoException).code ?? 'EUNKNOWN', String(error));
  }
  const bytes = Buffer.concat(chunks);
  try {
    return (DECODERS[answer.headers['content-encoding'] ?? '']?.whole(bytes) ?? bytes).toString('utf8');
  } catch {
    return '';
  }
}

function without(secrets: readonly string[], text: string): string {
  return secrets.filter((s) => s !== '').reduce((clean, s) => clean.replaceAll(s, '[removed]'), text);
}

/** Proxies and clouds use other fields for the message: `message`, `detail`, or `error` as a text. */
function errorOf(text: string): { type: string; message: string } {
  try {
    const body = JSON.parse(text) as Record<string, unknown>;
    const error = (typeof body.error === 'object' ? body.error : body) as Record<string, unknown> | null;
    const words = [error?.message, body.message, body.detail, body.error].find((w) => typeof w === 'string');
    const type = [error?.type, error?.code].find((word) => typeof word === 'string') ?? '';
    return { type: type as string, message: String(words ?? '').slice(0, 500) };
  } catch {
    return { type: '', message: text.slice(0, 200) };
  }
}
