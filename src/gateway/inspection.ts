/**
 * Parses a request and compares it with the list. The compared value is written anew, so nothing is sent on that
 * another parser might read differently (a name given twice, text after the end, another character set). A request of
 * the CLI is the same afterwards, byte for byte. Pure.
 */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { type Refusal, refusal } from './admission.ts';
import { BODY } from './allowed.ts';
import { extentOf, MOST_DEPTH, MOST_VALUES } from './extent.ts';
import { findMisfit, type Misfit } from './forms.ts';

export interface Inspected {
  /** what goes on */
  body: Buffer;
  model: string;
  /** the most output it asks for; null = it names none */
  maxTokens: number | null;
  /** names of the tools that the request offers, each once */
  tools: string[];
  /** names the last question, and is the same in every form in which the CLI repeats it */
  question: string;
}

export function inspect(bytes: Buffer, { values, depth } = extentOf(bytes)): Inspected | Refusal {
  if (!isUtf8(bytes)) return refusal(400, 'The request is no UTF-8. Send JSON in UTF-8.');
  // guard: model: values and depth of a request, part 1
  if (values > MOST_VALUES) return tooMuch(`has more than ${MOST_VALUES} values`);
  // guard: model: values and depth of a request, part 2
  if (depth > MOST_DEPTH) return tooMuch(`is nested more than ${MOST_DEPTH} levels deep`);
  const json = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return refusal(400, 'The request is no JSON. Send one JSON object and nothing behind it.');
  }
  const misfit = findMisfit(value, BODY);
  if (misfit !== null) return refusedFor(misfit);
  const {
    model,
    tools = [],
    max_tokens,
  } = value as {
    model?: string;
    tools?: { name?: string }[];
    max_tokens?: number;
  };
  if (model === undefined) return refusal(400, 'The request names no model. Name one in "model".');
  const names = [...new Set(tools.map(({ name = '' }) => name))];
  return {
    body: written(value, json, bytes),
    model,
    maxTokens: max_tokens ?? null,
    tools: names,
    question: questionOf(value),
  };
}

/** The CLI's own reminders are left out: they change when it repeats a question. */
function questionOf(value: unknown): string {
  const { messages } = value as { messages?: { role?: unknown; content?: unknown }[] };
  const last = messages?.findLast(({ role }) => role === 'user')?.content ?? '';
  const asked = Array.isArray(last)
    ? (last as { text?: unknown; cache_control?: unknown }[])
        .filter(({ text }) => typeof text !== 'string' || !text.startsWith('<system-reminder>'))
        .map(({ cache_control: _, ...block }) => block)
    : last;
  return createHash('sha256').update(JSON.stringify(asked)).digest('base64');
}

/**
 * The original bytes where writing anew would change nothing, as for all requests of the CLI. That saves a third of the
 * time.
 */
function written(value: unknown, json: string, bytes: Buffer): Buffer {
  const anew = JSON.stringify(value);
  // guard: model: what is read is what is sent
  return anew === json ? bytes : Buffer.from(anew);
}

function tooMuch(what: string): Refusal {
  return refusal(413, `The request ${what}. Compact the conversation.`);
}

const REMEDY =
  'Leave it out, and send what is meant as text. If the CLI itself sends it, use the CLI of this release, or a newer claude-hooks.';

/**
 * 400 where the history is at fault, which a new session leaves behind. 422 where a new session would not help: the run
 * is refused and its session kept.
 */
function refusedFor({ at, problem }: Misfit): Refusal {
  const status = at.startsWith('messages') ? 400 : 422;
  const where = at === '' ? 'The request' : at;
  return refusal(status, `${where} ${problem}. ${REMEDY}`);
}
