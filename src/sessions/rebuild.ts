/**
 * A new session made from our record, when the old one cannot be brought back. Two forms: a transcript the CLI accepts
 * as if it had written it (the model sees ordinary turns), and a digest as text, for the case that a CLI refuses that.
 */
import { randomUUID } from 'node:crypto';
import { type Exchange, isEmpty, shorten } from './record.ts';

/** About 50,000 tokens: room for the work after it in the smallest context window. */
const LONGEST_HISTORY = 200_000;

export interface SynthesisOptions {
  sessionId: string;
  cwd: string;
  cliVersion: string;
  model: string;
  exchanges: Exchange[];
  now: number;
}

/** JSON lines, oldest first; empty when the record has no exchange. */
export function synthesiseTranscript(options: SynthesisOptions): Uint8Array {
  const lines: string[] = [];
  let parent: string | null = null;
  const append = (role: 'user' | 'assistant', text: string): void => {
    const uuid = randomUUID();
    lines.push(JSON.stringify(line({ ...options, parent, uuid, role, text })));
    parent = uuid;
  };
  const { kept, omitted } = newestThatFit(options.exchanges);
  kept.forEach((exchange, index) => {
    append(
      'user',
      index === 0 && omitted > 0 ? `${omissionNote(omitted)}\n\n${exchange.prompt}` : exchange.prompt,
    );
    append('assistant', answerText(exchange));
  });
  return Buffer.from(lines.map((l) => `${l}\n`).join(''));
}

interface LineOptions extends SynthesisOptions {
  parent: string | null;
  uuid: string;
  role: 'user' | 'assistant';
  text: string;
}

function line(o: LineOptions): Record<string, unknown> {
  const content = [{ type: 'text', text: o.text }];
  return {
    parentUuid: o.parent,
    isSidechain: false,
    type: o.role,
    uuid: o.uuid,
    timestamp: new Date(o.now).toISOString(),
    userType: 'external',
    entrypoint: 'sdk-ts',
    cwd: o.cwd,
    sessionId: o.sessionId,
    version: o.cliVersion,
    gitBranch: 'HEAD',
    message:
      o.role === 'user'
        ? { role: 'user', content }
        : {
            id: `msg_${o.uuid.replaceAll('-', '').slice(0, 24)}`,
            type: 'message',
            role: 'assistant',
            model: o.model,
            content,
            stop_reason: 'end_turn',
            stop_sequence: null,
            usage: { input_tokens: 0, output_tokens: 0 },
          },
  };
}

/** The record as text, to stand before the first prompt of a new session. */
export function digest(exchanges: Exchange[]): string {
  const { kept, omitted } = newestThatFit(exchanges);
  const parts = kept.map(
    (e, i) =>
      `### Exchange ${omitted + i + 1}\n\nYou were asked:\n\n${e.prompt}\n\nYou answered:\n\n${answerText(e)}`,
  );
  return [
    exchanges.every(isEmpty) ? ASKED_BEFORE : SESSION_LOST,
    ...(omitted > 0 ? [omissionNote(omitted)] : []),
    ...parts,
  ].join('\n\n');
}

/** null where nothing was asked before. */
export function preambleOf(exchanges: Exchange[]): string | null {
  return exchanges.length === 0 ? null : digest(exchanges);
}

const SESSION_LOST =
  'The earlier session of this conversation was lost. This is the record of it; continue from here and check in the checkout what is really there.';
const ASKED_BEFORE =
  'You were asked before, and each run ended before your first word. This is what you were asked.';

function answerText(exchange: Exchange): string {
  const actions =
    exchange.actions.length === 0
      ? ''
      : `[What I did:\n${exchange.actions.map((a) => `- ${a}`).join('\n')}]\n\n`;
  return `${actions}${exchange.answer ?? '[I was interrupted before I answered.]'}`;
}

function omissionNote(count: number): string {
  return `[${count} older exchange${count === 1 ? '' : 's'} of this conversation left out for length.]`;
}

function newestThatFit(exchanges: Exchange[]): { kept: Exchange[]; omitted: number } {
  const kept: Exchange[] = [];
  let room = LONGEST_HISTORY;
  for (const exchange of exchanges.toReversed()) {
    const short = { ...exchange, prompt: shorten(exchange.prompt, LONGEST_HISTORY / 4) };
    room -= short.prompt.length + answerText(short).length;
    if (room < 0 && kept.length > 0) break;
    kept.unshift(short);
  }
  return { kept, omitted: exchanges.length - kept.length };
}
