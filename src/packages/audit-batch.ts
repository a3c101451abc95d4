/**
 * Rows of the audit, written some at a time: `npm ci` makes hundreds of requests within seconds. What is written late, by
 * at most half a second, is lost when the service is killed.
 */
import { type AuditEntry, recordAudits } from '../audit.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';

const WAIT_MS = 500;
const MOST_ROWS = 200;

export class AuditBatch {
  readonly #database: Database;
  readonly #log: Log;
  #waiting: AuditEntry[] = [];
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor({ database, log }: { database: Database; log: Log }) {
    this.#database = database;
    this.#log = log;
  }

  add(entry: AuditEntry): void {
    this.#waiting.push(entry);
    // A refusal is what an operator looks for, so it is not held back.
    if (this.#waiting.length >= MOST_ROWS || entry.decision === 'denied') return void this.flush();
    this.#timer ??= setTimeout(() => void this.flush(), WAIT_MS);
  }

  /** Resolves when all that was added is written, or logged as lost. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const entries = this.#waiting.splice(0);
    this.#writing = this.#writing.then(() => this.#write(entries));
    await this.#writing;
  }

  async #write(entries: AuditEntry[]): Promise<void> {
    for (let at = 0; at < entries.length; at += MOST_ROWS) {
      const some = entries.slice(at, at + MOST_ROWS);
      try {
        await recordAudits(this.#database.rows, some);
      } catch (error) {
        this.#log.error(`${some.length} rows of the audit could not be written and are lost`, {
          door: 'packages',
          error: String(error),
          actions: some.map(({ action, decision }) => `${decision} ${action}`).slice(0, 20),
        });
      }
    }
  }
}
