/** What set-up commands write: its end is kept, without secrets and without what a terminal would obey. */
import { redactSecrets } from '../security.ts';

/** Characters. Enough for the error of a package manager with its surroundings. */
const KEPT = 16_000;
const LONGEST_END = 4000;

export class Output {
  #text = '';

  add(data: Buffer | string): void {
    this.#text = (this.#text + String(data)).slice(-2 * KEPT);
  }

  get text(): string {
    return this.#text;
  }

  /** Secrets are removed before the text is cut: half a secret would not be recognised. */
  end(secrets: readonly string[]): string {
    // guard: layers: no secret in the end of a log
    const clean = plainLines(redactSecrets(this.#text, secrets));
    return clean.length <= LONGEST_END ? clean : `…${clean.slice(-LONGEST_END)}`;
  }
}

/** Without escape sequences and control characters; of a line that is written over, what was written last. */
export function plainLines(text: string): string {
  const plain = text
    .replace(/\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g, '')
    .replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, '')
    .replace(/\u001b./g, '')
    .replaceAll('\r\n', '\n')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');
  return plain
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\r') + 1).trimEnd())
    .join('\n')
    .trim();
}

/** What programs say when they find no room on the disk. */
export function saysDiskFull(text: string): boolean {
  return /no space left on device|disk quota exceeded|ENOSPC|EDQUOT/i.test(text);
}
