/**
 * Tells whose a refusal is. A proxy refuses one text with the same 403 as a key that is no longer valid. So the
 * smallest possible request is sent with the same credential and model: if that is answered, the text was refused.
 */
import type { IncomingMessage } from 'node:http';
import type { Upstream, UpstreamLine } from './upstream.ts';
import { type AnswerRead, readerFor } from './usage.ts';

export type Whose =
  /** the probe was answered: the content of the request was refused */
  | 'body'
  /** the probe was refused too: the credential does not work at all */
  | 'credential'
  /** no telling */
  | 'unknown';

export interface ProbeAnswer {
  whose: Whose;
  status: number | null;
  /** what it has cost */
  read: AnswerRead | null;
}

/** Upstream takes an OAuth token only for requests that begin like the CLI's. */
const LONGEST_IDENTITY = 300;
const LONGEST_MS = 20_000;
/** The system prompt of a larger request is not searched for: reading it would block the event loop. */
const MOST_READ = 1024 * 1024;

export async function askWhose(o: {
  line: UpstreamLine;
  upstream: Upstream;
  path: string;
  headers: Parameters<UpstreamLine['ask']>[0]['headers'];
  model: string;
  body: Buffer;
  /** the status of the refusal that is to be explained */
  refused: number;
  signal: AbortSignal;
}): Promise<ProbeAnswer> {
  const body = Buffer.from(
    JSON.stringify({
      model: o.model,
      max_tokens: 1,
      ...identityOf(o.body),
      messages: [{ role: 'user', content: 'Say ok.' }],
    }),
  );
  let answer: IncomingMessage;
  try {
    const { line, path, headers } = o;
    const signal = AbortSignal.any([o.signal, AbortSignal.timeout(LONGEST_MS)]);
    answer = await line.ask({ baseUrl: o.upstream.baseUrl, path, headers, body, signal });
  } catch {
    return { whose: 'unknown', status: null, read: null };
  }
  const status = answer.statusCode!;
  const read = await readAnswer(answer);
  // Who meets a limit or an overload has been let in.
  if ((status >= 200 && status < 300) || status === 429 || status === 529)
    return { whose: 'body', status, read };
  const isRefused = status === o.refused || [401, 402, 403].includes(status);
  return { whose: isRefused ? 'credential' : 'unknown', status, read };
}

async function readAnswer(answer: IncomingMessage): Promise<AnswerRead> {
  const reader = readerFor(answer.headers['content-type']);
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) reader.push(chunk);
  } catch {
    // The status is enough; the body is not read.
  }
  reader.end();
  return reader.read;
}

function identityOf(body: Buffer): { system?: unknown } {
  if (body.length > MOST_READ) return {};
  try {
    const { system } = JSON.parse(body.toString('utf8')) as { system?: { type?: string; text?: string }[] };
    const first = Array.isArray(system)
      ? system.find(({ text = '' }) => /^You are Claude Code/.test(text) && text.length <= LONGEST_IDENTITY)
      : undefined;
    return first === undefined ? {} : { system: [{ type: 'text', text: first.text }] };
  } catch {
    return {};
  }
}
