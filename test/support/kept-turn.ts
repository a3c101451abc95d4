/**
 * The first turn of a conversation, run once for a file of tests and put back before each: starting a CLI takes more than
 * a second of a core. Everything is put back at the absolute paths it was made at, because rows and transcripts name them.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestConversation } from './conversation.ts';

export class KeptTurn {
  readonly #script: string;
  readonly #base = mkdtempSync(join(tmpdir(), 'claude-hooks-kept-'));
  readonly #results = new Map<string, unknown>();

  constructor(script: string) {
    this.#script = script;
  }

  /** A conversation without a turn. One at a time: they all stand in the same folder. */
  async open(): Promise<TestConversation> {
    return await TestConversation.open(this.#script, undefined, join(this.#base, 'conversation'));
  }

  /** `conversation` as it is after `turn`, which is run for the first conversation that asks for `name`. */
  async after<T>(conversation: TestConversation, name: string, turn: () => Promise<T>): Promise<T> {
    const copy = join(this.#base, `after-${name}`);
    if (this.#results.has(name)) {
      await conversation.atRest(() => replace(conversation.folder, copy));
    } else {
      const result = await turn();
      await conversation.atRest(() => replace(copy, conversation.folder));
      this.#results.set(name, result);
    }
    return this.#results.get(name) as T;
  }

  close(): void {
    rmSync(this.#base, { recursive: true, force: true });
  }
}

/** `cp -a`, because a copy by Node.js belongs to whoever makes it. */
function replace(folder: string, by: string): void {
  rmSync(folder, { recursive: true, force: true });
  execFileSync('cp', ['-a', by, folder]);
}
