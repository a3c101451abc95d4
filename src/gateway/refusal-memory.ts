/** What upstream has refused in one run. In memory only: another run may ask again. */
import type { ErrorToSend } from './relay.ts';

interface Remembered {
  words: string;
  times: number;
  toSend: ErrorToSend;
}

const MOST_REMEMBERED = 16;
/** When the same refusal comes a second time, the form of the request was not the reason. */
const TIMES_ASKED = 2;

export class RefusalMemory {
  readonly #questions = new Map<string, Remembered>();

  /** `isSure`: every form of the request will be refused. */
  refused(question: string, o: { words: string; toSend: ErrorToSend; isSure: boolean }): void {
    const known = this.#questions.get(question);
    // Numbers in a refusal (request ids, counts) differ each time and are left out.
    const words = o.words.replace(/[\da-f]*\d[\da-f]*/gi, '#');
    const before = known?.words === words ? known.times : 0;
    if (this.#questions.size >= MOST_REMEMBERED) this.#questions.clear();
    const times = o.isSure ? TIMES_ASKED : before + 1;
    this.#questions.set(question, { words, times, toSend: o.toSend });
  }

  answerTo(question: string): ErrorToSend | null {
    const known = this.#questions.get(question);
    // guard: a refused body is remembered
    return known !== undefined && known.times >= TIMES_ASKED ? known.toSend : null;
  }

  answered(question: string): void {
    this.#questions.delete(question);
  }
}
