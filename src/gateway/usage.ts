/**
 * Reads what an answer is billed for while it passes: from the server-sent events of a stream, or from one JSON object.
 * The bytes are passed on untouched; only the few events that count are parsed.
 */
export interface Usage {
  input: number;
  output: number;
  cacheRead: number;
  /** all cache writes; `cacheWriteHour` of them are kept for an hour */
  cacheWrite: number;
  cacheWriteHour: number;
  webSearches: number;
  isFast: boolean;
}

export interface AnswerRead {
  usage: Usage;
  /** as the answer names it */
  model: string | null;
  /** upstream has said what the prompt costs */
  billed: boolean;
  /** the answer is complete */
  ended: boolean;
  /** an error event within a stream that had begun well */
  error: { type: string; message: string } | null;
  /** a policy ended the answer with a refusal; in its words, '' for none */
  refusal: string | null;
  /** bytes of the answer's own events: all that is known about the output of a cut answer */
  answerBytes: number;
}

export interface AnswerReader {
  readonly read: AnswerRead;
  push(chunk: Buffer): void;
  end(): void;
}

/** Longest line or JSON answer that is looked into. */
const MOST_READ_BYTES = 8 * 1024 * 1024;

export function blankUsage(): Usage {
  return {
    input: 0,
    output: 0,
    cacheRead: 0,
    cacheWrite: 0,
    cacheWriteHour: 0,
    webSearches: 0,
    isFast: false,
  };
}

export function readerFor(contentType: string | undefined): AnswerReader {
  return contentType?.startsWith('text/event-stream') === true ? new EventReader() : new JsonReader();
}

function blankRead(): AnswerRead {
  return {
    usage: blankUsage(),
    model: null,
    billed: false,
    ended: false,
    error: null,
    refusal: null,
    answerBytes: 0,
  };
}

class JsonReader implements AnswerReader {
  readonly read = blankRead();
  #chunks: Buffer[] = [];
  #size = 0;

  push(chunk: Buffer): void {
    this.#size += chunk.length;
    this.read.answerBytes = this.#size;
    if (this.#size <= MOST_READ_BYTES) this.#chunks.push(chunk);
    else this.#chunks = [];
  }

  end(): void {
    const message = parsed(Buffer.concat(this.#chunks).toString('utf8'));
    if (message === null) return;
    takeMessage(this.read, message);
    this.read.ended = true;
  }
}

/** Only these are parsed; most of the bytes belong to others. */
const TELLING = new Set(['message_start', 'message_delta', 'message_stop', 'error']);

class EventReader implements AnswerReader {
  readonly read = blankRead();
  /** the beginning of a line that is not complete yet */
  #pieces: Buffer[] = [];
  #length = 0;
  #event = '';

  push(chunk: Buffer): void {
    let from = 0;
    for (let to = chunk.indexOf(0x0a); to !== -1; to = chunk.indexOf(0x0a, from)) {
      if (this.#length === 0) this.#line(chunk, from, to);
      else this.#lineOfPieces(chunk.subarray(0, to));
      from = to + 1;
    }
    if (from < chunk.length) this.#hold(chunk.subarray(from));
  }

  end(): void {
    this.#pieces = [];
  }

  #hold(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length <= MOST_READ_BYTES) this.#pieces.push(piece);
    else this.#pieces = [];
  }

  /** Joined once, at the end of the line: a long line arrives in hundreds of chunks. */
  #lineOfPieces(last: Buffer): void {
    const isWhole = this.#length <= MOST_READ_BYTES;
    const line = isWhole ? Buffer.concat([...this.#pieces, last]) : last;
    this.#pieces = [];
    this.#length = 0;
    if (isWhole) this.#line(line, 0, line.length);
    else this.read.answerBytes += MOST_READ_BYTES;
  }

  #line(bytes: Buffer, from: number, to: number): void {
    const name = bytes.toString('latin1', from, Math.min(from + 6, to));
    if (name === 'event:') {
      this.#event = bytes.toString('latin1', from + 6, to).trim();
    } else if (name.startsWith('data:')) {
      if (TELLING.has(this.#event)) this.#take(parsed(bytes.toString('utf8', from + 5, to)));
      else if (this.#event.startsWith('content_block')) this.read.answerBytes += to - from;
    }
  }

  #take(data: Fields | null): void {
    if (data === null) return;
    if (this.#event === 'message_start') takeMessage(this.read, fields(data.message));
    if (this.#event === 'message_delta') {
      takeUsage(this.read, fields(data.usage));
      takeEnd(this.read, fields(data.delta));
    }
    if (this.#event === 'message_stop') this.read.ended = true;
    if (this.#event === 'error') {
      const { type, message } = fields(data.error);
      this.read.error = { type: String(type ?? ''), message: String(message ?? '').slice(0, 500) };
    }
  }
}

type Fields = Record<string, unknown>;

function parsed(text: string): Fields | null {
  try {
    return fields(JSON.parse(text));
  } catch {
    return null;
  }
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function takeMessage(read: AnswerRead, message: Fields): void {
  if (typeof message.model === 'string') read.model = message.model;
  takeUsage(read, fields(message.usage));
  takeEnd(read, message);
}

function takeEnd(read: AnswerRead, { stop_reason: reason, stop_details: details }: Fields): void {
  if (reason !== 'refusal') return;
  const { explanation } = fields(details);
  read.refusal = typeof explanation === 'string' ? explanation.slice(0, 300) : '';
}

/**
 * A later event repeats earlier counts. They are totals, not additions, and what an event leaves out stays as it was.
 */
function takeUsage(read: AnswerRead, from: Fields): void {
  const { usage } = read;
  const count = (value: unknown, known: number) =>
    typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.floor(value) : known;
  if (typeof from.input_tokens === 'number') read.billed = true;
  usage.input = count(from.input_tokens, usage.input);
  usage.output = count(from.output_tokens, usage.output);
  usage.cacheRead = count(from.cache_read_input_tokens, usage.cacheRead);
  usage.cacheWrite = count(from.cache_creation_input_tokens, usage.cacheWrite);
  usage.cacheWriteHour = count(fields(from.cache_creation).ephemeral_1h_input_tokens, usage.cacheWriteHour);
  usage.webSearches = count(fields(from.server_tool_use).web_search_requests, usage.webSearches);
  if (from.speed === 'fast') usage.isFast = true;
}
