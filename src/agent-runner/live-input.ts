/**
 * The input of one run of the CLI: the prompt, and what is handed in while the run is under way. It stays open until nothing
 * more is to come; the CLI ends by itself after that.
 */
import { AT_START, after, type BackgroundTask, type Signal, stageOf, type Turns } from './turns.ts';

/** A picture as the Messages API takes it. */
export interface PromptPicture {
  mediaType: 'image/png' | 'image/jpeg';
  /** Base64 */
  data: string;
}

export interface Handed {
  /** a UUID: the CLI says by it what became of the input, and writes it into the transcript */
  id: string;
  text: string;
  pictures?: readonly PromptPicture[];
}

type InputBlock =
  | { type: 'text'; text: string }
  | { type: 'image'; source: { type: 'base64'; media_type: PromptPicture['mediaType']; data: string } };

/** As the SDK takes it. */
export interface InputMessage {
  type: 'user';
  session_id: string;
  message: { role: 'user'; content: InputBlock[] };
  parent_tool_use_id: null;
  uuid?: string;
}

/** What whoever steers a run may do with it. */
export interface SteeredRun {
  /** false: the run takes nothing any more, so that the words have to wait for the next one */
  hand(input: Handed): boolean;
  /** called when a turn has taken an input; the stream waits for the promise */
  onTaken(taken: (id: string) => Promise<void>): void;
}

export class LiveInput implements SteeredRun {
  readonly #queue: InputMessage[];
  readonly #taken: ((id: string) => Promise<void>)[] = [];
  #turns: Turns = AT_START;
  #closed = false;
  #hadBackground = false;
  #wake: () => void = () => {};

  constructor(prompt: string, pictures: readonly PromptPicture[] = []) {
    // Without an id, as the SDK itself sends a prompt that is a text.
    this.#queue = [messageOf(prompt, pictures)];
  }

  get background(): readonly BackgroundTask[] {
    return this.#turns.background;
  }

  get stage(): ReturnType<typeof stageOf> {
    return stageOf(this.#turns);
  }

  get hadBackground(): boolean {
    return this.#hadBackground;
  }

  hand({ id, text, pictures = [] }: Handed): boolean {
    if (this.#closed || this.#turns.failed) return false;
    this.#turns = after(this.#turns, { kind: 'handed', id });
    this.#queue.push({ ...messageOf(text, pictures), uuid: id });
    this.#wake();
    return true;
  }

  onTaken(taken: (id: string) => Promise<void>): void {
    this.#taken.push(taken);
  }

  async note(signal: Signal): Promise<void> {
    this.#turns = after(this.#turns, signal);
    this.#hadBackground ||= signal.kind === 'background';
    if (signal.kind !== 'input' || signal.state !== 'started') return;
    for (const taken of this.#taken) await taken(signal.id);
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<InputMessage> {
    for (;;) {
      const next = this.#queue.shift();
      if (next !== undefined) yield next;
      else if (this.#closed) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** The form in which the SDK sends a prompt that is a text: histories stay equal, byte for byte. */
function messageOf(text: string, pictures: readonly PromptPicture[]): InputMessage {
  const content: InputBlock[] = [
    { type: 'text', text },
    ...pictures.map(({ mediaType, data }) => ({
      type: 'image' as const,
      source: { type: 'base64' as const, media_type: mediaType, data },
    })),
  ];
  return { type: 'user', session_id: '', message: { role: 'user', content }, parent_tool_use_id: null };
}
