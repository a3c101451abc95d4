/** The body of a request: kept whole until upstream has answered, because a refused credential makes it go out twice. */
import type { IncomingMessage } from 'node:http';
import { constants, gunzipSync } from 'node:zlib';
import { type Refusal, refusal } from './admission.ts';

const MIB = 1024 * 1024;
const MOST_BODY_BYTES = 64 * MIB;
/** Of one run together. The worker's memory is everybody's; a run that fills it would stop the others. */
const MOST_HELD_BYTES = 160 * MIB;
/** The CLI writes the model first; what is further in is not looked for in a compressed body. */
const HEAD_BYTES = 4096;

export interface Held {
  bytes: number;
}

/** Null when the client has gone. What it answers counts as held until `held` is lowered by its length. */
export async function readBody(request: IncomingMessage, held: Held): Promise<Buffer | Refusal | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  let kept = 0;
  try {
    // To the end even when it is too much: a request that is cut would never read why.
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MOST_BODY_BYTES || held.bytes + chunk.length > MOST_HELD_BYTES) continue;
      kept += chunk.length;
      held.bytes += chunk.length;
      chunks.push(chunk);
    }
  } catch {
    held.bytes -= kept;
    return null;
  }
  if (kept === size) return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
  held.bytes -= kept;
  return size > MOST_BODY_BYTES
    ? refusal(413, `The request is larger than ${MOST_BODY_BYTES / MIB} MiB. Compact the conversation.`)
    : refusal(429, 'Too many large requests of this run are under way. Wait for their answers.');
}

/** As the request names it; null when that cannot be seen. The price goes by what the answer names. */
export function modelOf(body: Buffer, encoding: string | undefined): string | null {
  if (encoding !== undefined && encoding !== 'identity') {
    return encoding === 'gzip' ? modelAtHead(unzippedHead(body)) : null;
  }
  const atHead = modelAtHead(body.subarray(0, HEAD_BYTES).toString('utf8'));
  if (atHead !== null || body.length > MIB) return atHead;
  try {
    const { model } = JSON.parse(body.toString('utf8')) as { model?: unknown };
    return typeof model === 'string' ? model.slice(0, 200) : null;
  } catch {
    return null;
  }
}

/**
 * Parsing a whole conversation for one word would take milliseconds of every request's way; and of everybody's, for a
 * program that sends as much as it may with the model last.
 */
function modelAtHead(text: string): string | null {
  return /^\s*\{\s*"model"\s*:\s*"([^"\\]{1,200})"/.exec(text)?.[1] ?? null;
}

function unzippedHead(body: Buffer): string {
  try {
    return gunzipSync(body.subarray(0, HEAD_BYTES), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: 4 * MIB,
    }).toString('utf8');
  } catch {
    return '';
  }
}
