/** Questions to a person at a terminal; a secret is not shown while it is typed. */
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';

export interface Ask {
  /** `preset` is the answer of an empty line */
  text(question: string, preset?: string): Promise<string>;
  secret(question: string): Promise<string>;
}

/** null: nobody can answer, as in a script. Questions go to standard error, so that the answer of the command stays alone. */
export function askAtTerminal(): Ask | null {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return null;
  // Opened with the first question: most commands ask nothing.
  let lines: TerminalLines | null = null;
  const ask = async (question: string, shown: boolean) => {
    lines ??= new TerminalLines();
    return (await lines.next(question, shown)).trim();
  };
  return {
    text: async (question, preset) => {
      const answer = await ask(preset === undefined ? `${question}: ` : `${question} [${preset}]: `, true);
      return answer === '' ? (preset ?? '') : answer;
    },
    secret: async (question) => await ask(`${question} (not shown): `, false),
  };
}

/** One reader for all questions, because lines that are pasted at once answer the questions that follow. */
class TerminalLines {
  readonly #reader: Interface;
  readonly #read: string[] = [];
  #isShown = true;
  #taken: { line: (line: string) => void; ended: (error: Error) => void } | null = null;

  constructor() {
    const output = new Writable({
      write: (chunk, _encoding, done) => {
        if (this.#isShown) process.stderr.write(chunk);
        done();
      },
    });
    // As a terminal it is read in raw mode: what is typed is shown by `output` alone.
    this.#reader = createInterface({ input: process.stdin, output, terminal: true });
    this.#reader.on('line', (line) => this.#take(line));
    this.#reader.on('close', () => {
      this.#taken?.ended(new Error('The question was not answered, so nothing was done. Run it again.'));
    });
  }

  async next(question: string, isShown: boolean): Promise<string> {
    process.stderr.write(question);
    this.#isShown = isShown;
    this.#reader.resume();
    try {
      return this.#read.shift() ?? (await this.#typed());
    } finally {
      // What is not read keeps nobody waiting at the end.
      this.#reader.pause();
      this.#isShown = true;
      if (!isShown) process.stderr.write('\n');
    }
  }

  #typed(): Promise<string> {
    return new Promise((line, ended) => {
      this.#taken = { line, ended };
    });
  }

  #take(line: string): void {
    const taken = this.#taken;
    this.#taken = null;
    if (taken === null) this.#read.push(line);
    else taken.line(line);
  }
}
