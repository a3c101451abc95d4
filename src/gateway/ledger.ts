/** The gateway's rows, written in batches after the answers: no answer waits for the database. */
import { type AuditEntry, recordAudit } from '../audit.ts';
import type { Database, Rows } from '../database/database.ts';
import type { ModelRequestRow } from '../database/tables.ts';
import { faultPoint } from '../faults.ts';
import type { Log } from '../log.ts';
import { Mutex } from '../mutex.ts';

export type RequestEntry = Omit<ModelRequestRow, 'seq'>;

/** Answers that end at about the same time share one transaction, which is one fsync on SQLite. */
const BATCH_MS = 100;
/** PostgreSQL takes 65,535 values in a statement, SQLite 32,766; a row has 14. */
const MOST_ROWS = 1000;
const ATTEMPTS = 3;

/** A request's row, and the reservation that it takes the place of. */
type Entry = { row: RequestEntry; reservation: Settled | null };

/** `unknown`: nobody can say what it has cost, so the reservation stays and counts at its most */
export interface Settled {
  id: string;
  cost: 'known' | 'unknown';
}

export class Ledger {
  readonly #database: Database;
  readonly #log: Log;
  #requests: Entry[] = [];
  #audits: AuditEntry[] = [];
  #timer: NodeJS.Timeout | null = null;
  readonly #writing = new Mutex();

  constructor(deps: { database: Database; log: Log }) {
    this.#database = deps.database;
    this.#log = deps.log;
  }

  request(row: RequestEntry, reservation: Settled | null = null): void {
    this.#requests.push({ row, reservation });
    this.#schedule();
  }

  audit(entry: AuditEntry): void {
    this.#audits.push(entry);
    this.#schedule();
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => void this.settled(), BATCH_MS);
  }

  /** Resolves when everything given so far is written, or was given up with an error in the log. */
  settled(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    return this.#writing.hold(() => this.#write());
  }

  async #write(): Promise<void> {
    while (this.#requests.length + this.#audits.length > 0) {
      const requests = this.#requests.splice(0, MOST_ROWS);
      const audits = this.#audits.splice(0, MOST_ROWS);
      await this.#writeBatch(requests, audits);
    }
  }

  async #writeBatch(requests: Entry[], audits: AuditEntry[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#insert(requests, audits);
        return;
      } catch (error) {
        if (attempt < ATTEMPTS) continue;
        this.#log.error(
          'The ledger of the model could not be written, so these requests are missing in it. Look at the database.',
          { requests: requests.length, audits: audits.length, error: String(error) },
        );
        return;
      }
    }
  }

  async #insert(requests: Entry[], audits: AuditEntry[]): Promise<void> {
    const insertRequests = (rows: Rows) =>
      rows
        .insertInto('model_requests')
        .values(requests.map(({ row }) => row))
        .execute();
    const reserved = requests.flatMap(({ reservation }) => reservation ?? []);
    // One statement is a transaction by itself.
    if (audits.length === 0 && reserved.length === 0) return void (await insertRequests(this.#database.rows));
    await this.#database.transaction(async (tx) => {
      if (requests.length > 0) await insertRequests(tx);
      await settleReservations(tx, reserved);
      for (const entry of audits) await recordAudit(tx, entry);
      faultPoint('budget.settled');
    });
  }
}

async function settleReservations(tx: Rows, settled: readonly Settled[]): Promise<void> {
  const idsOf = (cost: Settled['cost']) => settled.filter((one) => one.cost === cost).map(({ id }) => id);
  const [known, unknown] = [idsOf('known'), idsOf('unknown')];
  // guard: budget: a reservation goes with its row
  if (known.length > 0) await tx.deleteFrom('model_reservations').where('id', 'in', known).execute();
  if (unknown.length === 0) return;
  await tx.updateTable('model_reservations').set({ state: 'lost' }).where('id', 'in', unknown).execute();
}

export interface LedgerUsage {
  /** sent upstream; requests that a cap refused are not counted */
  requests: number;
  /** of these, answered at least in part: the others used nothing and cost nothing */
  answered: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** null when one of them has no known price */
  microUsd: number | null;
}

/** What a dispatch or a whole conversation has used, from the rows. */
export async function usageOf(
  rows: Rows,
  of: { dispatchId: string; since?: number } | { conversationId: string },
): Promise<LedgerUsage> {
  const query = rows
    .selectFrom('model_requests')
    .where('outcome', '!=', 'capped')
    .select(({ fn }) => [
      fn.countAll<number>().as('requests'),
      fn.countAll<number>().filterWhere('outcome', 'in', ['answered', 'cut']).as('answered'),
      fn.sum<number | null>('input_tokens').as('inputTokens'),
      fn.sum<number | null>('output_tokens').as('outputTokens'),
      fn.sum<number | null>('cache_read_tokens').as('cacheReadTokens'),
      fn.sum<number | null>('cache_write_tokens').as('cacheWriteTokens'),
      fn.sum<number | null>('micro_usd').as('microUsd'),
      fn.count<number>('micro_usd').as('priced'),
    ]);
  const found = await ('dispatchId' in of
    ? query.where('dispatch_id', '=', of.dispatchId).where('at', '>=', of.since ?? 0)
    : query.where('conversation_id', '=', of.conversationId)
  ).executeTakeFirstOrThrow();
  const requests = Number(found.requests);
  // PostgreSQL answers a sum of bigints as a numeric, which arrives as text.
  return {
    requests,
    answered: Number(found.answered),
    inputTokens: Number(found.inputTokens ?? 0),
    outputTokens: Number(found.outputTokens ?? 0),
    cacheReadTokens: Number(found.cacheReadTokens ?? 0),
    cacheWriteTokens: Number(found.cacheWriteTokens ?? 0),
    microUsd: Number(found.priced) === requests ? Number(found.microUsd ?? 0) : null,
  };
}
