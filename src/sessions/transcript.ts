/**
 * Reads a transcript of the CLI: one JSON object a line, undocumented, so only the few fields below are trusted and
 * everything else is carried along untouched. Pure; shapes measured on CLI 2.1.330.
 */

export interface TranscriptEntry {
  uuid: string;
  role: 'user' | 'assistant';
  /** a subagent's line: never a head */
  sidechain: boolean;
  /** texts of all text blocks, joined by newlines */
  text: string;
  toolUses: string[];
  /** tool_use ids this line answers */
  toolResults: string[];
  /** the CLI's own stand-in for an answer that never came: an API error, or "No response requested." */
  synthetic: boolean;
  stopReason: string | null;
  /** what made an answer, as the model's side names it */
  model: string | null;
}

export interface Transcript {
  /** user and assistant lines in file order */
  entries: TranscriptEntry[];
  /** ids of the input that was handed to a run under way: within a turn, or as the beginning of one */
  inputs: string[];
  lines: number;
  badLines: number;
  size: number;
  /** false when the last line was cut */
  endsWithNewline: boolean;
  /** `version` of the last line that has one */
  cliVersion: string | null;
}

const NEWLINE = 0x0a;

export function readTranscript(bytes: Uint8Array): Transcript {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const transcript: Transcript = {
    entries: [],
    inputs: [],
    lines: 0,
    badLines: 0,
    size: buffer.length,
    endsWithNewline: buffer.length === 0 || buffer.at(-1) === NEWLINE,
    cliVersion: null,
  };
  for (const bytesOfLine of splitLines(buffer)) {
    const line = bytesOfLine.toString('utf8');
    if (line.trim() === '') continue;
    transcript.lines++;
    const parsed = parseLine(line);
    if (parsed === null) {
      transcript.badLines++;
      continue;
    }
    if (typeof parsed.version === 'string') transcript.cliVersion = parsed.version;
    const entry = toEntry(parsed);
    if (entry !== null) transcript.entries.push(entry);
    transcript.inputs.push(...inputsOf(parsed));
  }
  return transcript;
}

/** Line by line instead of one 50 MB string split: the peak stays at one line. */
function* splitLines(buffer: Buffer): Generator<Buffer> {
  let start = 0;
  while (start < buffer.length) {
    const end = buffer.indexOf(NEWLINE, start);
    yield buffer.subarray(start, end === -1 ? buffer.length : end);
    if (end === -1) return;
    start = end + 1;
  }
}

interface RawLine {
  type?: unknown;
  uuid?: unknown;
  version?: unknown;
  isSidechain?: unknown;
  isApiErrorMessage?: unknown;
  isMeta?: unknown;
  promptSource?: unknown;
  mergedSendUuids?: unknown;
  attachment?: { type?: unknown; source_uuid?: unknown };
  message?: { role?: unknown; model?: unknown; stop_reason?: unknown; content?: unknown };
}

function parseLine(line: string): RawLine | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RawLine) : null;
  } catch {
    return null;
  }
}

function toEntry(line: RawLine): TranscriptEntry | null {
  if (line.type !== 'user' && line.type !== 'assistant') return null;
  if (typeof line.uuid !== 'string' || typeof line.message !== 'object' || line.message === null) return null;
  const blocks = contentBlocks(line.message.content);
  return {
    uuid: line.uuid,
    role: line.type,
    sidechain: line.isSidechain === true,
    text: blocks
      .filter((b) => b.type === 'text' && typeof b.text === 'string')
      .map((b) => b.text as string)
      .join('\n'),
    toolUses: blocks.filter((b) => b.type === 'tool_use').map((b) => idText(b.id)),
    toolResults: blocks.filter((b) => b.type === 'tool_result').map((b) => idText(b.tool_use_id)),
    synthetic:
      line.isApiErrorMessage === true || line.message.model === '<synthetic>' || line.isMeta === true,
    stopReason: typeof line.message.stop_reason === 'string' ? line.message.stop_reason : null,
    model: typeof line.message.model === 'string' ? line.message.model : null,
  };
}

/** Several inputs that waited together make one prompt; its line has the id of the last one. */
function inputsOf(line: RawLine): string[] {
  if (line.isSidechain === true) return [];
  if (line.type === 'attachment') {
    const { type, source_uuid: id } = line.attachment ?? {};
    return type === 'queued_command' && typeof id === 'string' ? [id] : [];
  }
  if (line.type !== 'user' || line.promptSource === undefined) return [];
  const merged = Array.isArray(line.mergedSendUuids) ? line.mergedSendUuids : [];
  return [line.uuid, ...merged].filter((id) => typeof id === 'string');
}

interface Block {
  type?: unknown;
  text?: unknown;
  id?: unknown;
  tool_use_id?: unknown;
}

/** Not `String()`: it throws on an object whose JSON has a `toString`. */
function idText(id: unknown): string {
  return typeof id === 'string' ? id : '';
}

function contentBlocks(content: unknown): Block[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return Array.isArray(content) ? content.filter((b): b is Block => typeof b === 'object' && b !== null) : [];
}

/** uuid of the last answer on the main thread that really came from the model, or null. */
export function headOf(transcript: Transcript): string | null {
  return transcript.entries.findLast(isRealAnswer)?.uuid ?? null;
}

/** What made that answer, or null. */
export function modelOf(transcript: Transcript): string | null {
  return transcript.entries.findLast(isRealAnswer)?.model ?? null;
}

export function holds(transcript: Transcript, uuid: string): boolean {
  return transcript.entries.some((e) => e.uuid === uuid);
}

/**
 * User and assistant turns the model will see as history: neighbouring lines of one role are one message to the API.
 */
export function historyMessages(transcript: Transcript): number {
  let count = 0;
  let role: string | null = null;
  for (const entry of transcript.entries) {
    if (entry.sidechain) continue;
    if (entry.role !== role) count++;
    role = entry.role;
  }
  return count;
}

/** What stands in the transcript after the last verified head: what an interrupted run had come to. */
export type Tail =
  /** nothing: the prompt never reached the file */
  | { kind: 'nothing' }
  /** the prompt is there, no answer of the model is */
  | { kind: 'unanswered' }
  /** the model answered and called tools, but came to no end: side effects may have happened */
  | { kind: 'mid-turn' }
  /** the model came to its end: if the service heard the answer, it can be adopted without another call */
  | { kind: 'answered'; answer: string; head: string };

export function tailAfter(transcript: Transcript, head: string | null): Tail {
  const main = transcript.entries.filter((e) => !e.sidechain);
  const from = head === null ? 0 : main.findIndex((e) => e.uuid === head) + 1;
  const tail = main.slice(from);
  if (!tail.some((e) => e.role === 'user' && e.toolResults.length === 0)) {
    return tail.some(isRealAnswer) ? { kind: 'mid-turn' } : { kind: 'nothing' };
  }
  const answers = tail.filter(isRealAnswer);
  if (answers.length === 0) return { kind: 'unanswered' };
  const last = tail.findLast((e) => e.role === 'assistant' || e.toolResults.length > 0)!;
  const finished = isRealAnswer(last) && last.stopReason === 'end_turn' && last.toolUses.length === 0;
  return finished && tail.at(-1) === last
    ? { kind: 'answered', answer: last.text, head: last.uuid }
    : { kind: 'mid-turn' };
}

/**
 * uuid of the last line to keep when prompts without an answer stand after it, or null when none do. The CLI keeps a
 * prompt whose request failed and would send it again together with the next one; what the model did before it, and
 * what its tools answered, is kept.
 */
export function endBeforeUnanswered(transcript: Transcript, head: string | null): string | null {
  const main = transcript.entries.filter((e) => !e.sidechain);
  const from = head === null ? 0 : main.findIndex((e) => e.uuid === head) + 1;
  const tail = main.slice(from);
  const lastWork = tail.findLastIndex((e) => isRealAnswer(e) || e.toolResults.length > 0);
  const isUnanswered = tail.slice(lastWork + 1).some((e) => e.role === 'user');
  if (!isUnanswered) return null;
  return lastWork === -1 ? head : tail[lastWork]!.uuid;
}

function isRealAnswer(entry: TranscriptEntry): boolean {
  return entry.role === 'assistant' && !entry.sidechain && !entry.synthetic;
}

/** The bytes up to the end of the line with this uuid; null when there is none. */
export function withoutAfter(bytes: Uint8Array, uuid: string): Uint8Array | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = 0;
  for (const line of splitLines(buffer)) {
    end += line.length + 1;
    // Asked of the bytes first: most lines are long, and none of them need be parsed.
    if (line.includes(uuid) && parseLine(line.toString('utf8'))?.uuid === uuid)
      return buffer.subarray(0, Math.min(end, buffer.length));
  }
  return null;
}

/** The bytes without the lines that do not parse and with a final newline: what a repair writes. */
export function withoutBadLines(bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const good: Buffer[] = [];
  for (const line of splitLines(buffer)) {
    const text = line.toString('utf8');
    // The bytes, not the text: a good line stays exactly as the CLI wrote it, also where it is no UTF-8.
    if (text.trim() !== '' && parseLine(text) !== null) good.push(line, Buffer.of(NEWLINE));
  }
  return Buffer.concat(good);
}
