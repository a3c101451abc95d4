/**
 * A stand-in for the CLI where only its effect on the service's rows counts: it needs its transcript to resume, adds
 * a prompt to it, and perhaps an answer.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { PreparedSession } from '../../src/sessions/apply.ts';
import { transcriptPath } from '../../src/sessions/folders.ts';
import { assistantLine, textBlock, transcriptOf, userLine } from '../support/transcript-lines.ts';

export class PretendCli {
  readonly #file: string;

  constructor(prepared: PreparedSession) {
    this.#file = join(prepared.session.config_folder, transcriptPath(prepared.session.id));
  }

  /** Throws what the real CLI refuses: to resume a missing session, and to begin an existing one. */
  start(prepared: PreparedSession): void {
    const present = existsSync(this.#file);
    if (prepared.start === 'resume' && !present) {
      throw new Error(`No conversation found with session ID ${prepared.session.id}`);
    }
    if (prepared.start === 'new' && present)
      throw new Error(`Session ID ${prepared.session.id} is already in use`);
  }

  remembers(text: string): boolean {
    return readFileSync(this.#file, 'utf8').includes(text);
  }

  ask(prompt: string): void {
    appendFileSync(this.#file, transcriptOf([userLine(randomUUID(), prompt)]));
  }

  /** Answers the uuid of the answer's line. */
  answer(text: string): string {
    const uuid = randomUUID();
    appendFileSync(this.#file, transcriptOf([assistantLine(uuid, textBlock(text), { stop: 'end_turn' })]));
    return uuid;
  }

  forget(): void {
    rmSync(this.#file, { force: true });
  }
}
