/** What upstream has refused in one run. In memory: another run may ask again. */
import type { ErrorToSend } from './relay.ts';

interface Remembered {
  words: string;
  times: number;
  toSend: ErrorToSend;
}

const MOST_REMEMBERED = 16;
/** The second time the same words come, the form in which it was asked was not the matter. */
const TIMES_ASKED = 2;

export class RefusalMemory {
  readonly #questions = new Map<string, Remembered>();

  /** `isSure`: it will be refused in every form. */
  refused(question: string, o: { words: string; toSend: ErrorToSend; isSure: boolean }): void {
    const known = this.#questions.get(question);
    // A number in the words (a request's id, a count) is not what they say.
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
