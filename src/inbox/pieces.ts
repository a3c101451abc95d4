/**
 * Bodies, small and large. A small one stands in the delivery's own row. A larger one is stored in pieces, each in a
 * commit of its own and with a turn of the event loop between two: one statement with 25 MB would hold up everything
 * else in this process for as long as the disk takes.
 *
 * The pieces come first and the delivery's row last, so the row says that all are there. Pieces without a row are of a
 * delivery that nobody acknowledged; they are swept at the next start.
 */
import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database, Rows } from '../database/database.ts';
import type { DeliveryRow } from '../database/tables.ts';
import { faultPoint } from '../faults.ts';
import { type Acceptance, acceptDelivery, findRepeated, type NewDelivery } from '../inbox.ts';
import { acceptTogether } from './group-commit.ts';

/** Larger bodies are stored in pieces, and read in another thread. Usual ones have 10 to 30 KiB. */
// guard: bodies: large ones in pieces and in the other thread
export const SMALL_BODY_BYTES = 64 * 1024;
const PIECE_BYTES = 64 * 1024;

export interface NewPieces extends Omit<NewDelivery, 'body' | 'id' | 'pieces'> {
  /** the body, in order */
  pieces: readonly Uint8Array[];
}

/** As `acceptDelivery`: resolves when the delivery is on the disk. */
export async function acceptPieces(database: Database, delivery: NewPieces): Promise<Acceptance> {
  const { pieces, ...rest } = delivery;
  if (sizeOf(pieces) <= SMALL_BODY_BYTES) {
    const body = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    return await acceptTogether(database, { ...rest, body });
  }
  const repeated = await findRepeated(database.rows, delivery);
  return repeated ?? (await acceptLarge(database, delivery));
}

async function acceptLarge(database: Database, { pieces, ...rest }: NewPieces): Promise<Acceptance> {
  const id = randomUUID();
  let acceptance: Acceptance | null = null;
  try {
    const stored = await inSmallSteps(database, () =>
      storePieces(database.rows, { id, pieces, now: rest.now }),
    );
    faultPoint('webhook.pieces');
    const row = { ...rest, id, pieces: stored, body: new Uint8Array() };
    // In a transaction, also on PostgreSQL: the pieces are counted and the row is written at one time.
    acceptance =
      database.dialect === 'sqlite'
        ? await acceptTogether(database, row)
        : await database.transaction((tx) => acceptDelivery(tx, row));
    return acceptance;
  } finally {
    // What cannot be removed now, because the database is gone or full, is swept at the next start.
    if (acceptance?.id !== id) await removePieces(database.rows, id).catch(() => {});
  }
}

/** Bodies that are being stored, by database. */
const storing = new WeakMap<Database, number>();

/**
 * Every so many pages SQLite copies its log into the file, inside of somebody's commit and synced to the disk. With the
 * usual 1000 pages that is 4 MB at a time, seen to take 40 ms; with 100 it took at most 11.
 */
const PAGES = { usual: 1000, storing: 100 };

async function inSmallSteps<T>(database: Database, work: () => Promise<T>): Promise<T> {
  if (database.dialect !== 'sqlite') return await work();
  const change = async (by: 1 | -1) => {
    const now = (storing.get(database) ?? 0) + by;
    storing.set(database, now);
    const pages = now > 0 ? PAGES.storing : PAGES.usual;
    await sql`pragma wal_autocheckpoint = ${sql.lit(pages)}`.execute(database.rows);
  };
  await change(1);
  try {
    return await work();
  } finally {
    await change(-1);
  }
}

/** Answers how many there are. */
async function storePieces(
  rows: Rows,
  body: { id: string; pieces: readonly Uint8Array[]; now: number },
): Promise<number> {
  let ordinal = 0;
  // Each is on the disk before the next one is asked for, which may then stand in the same memory.
  for (const bytes of inSizes(body.pieces)) {
    await rows
      .insertInto('delivery_pieces')
      .values({ delivery_id: body.id, ordinal: ordinal++, stored_at: body.now, bytes })
      .execute();
    // The rows of SQLite come without a turn of the event loop, however often they are awaited.
    await nextTurn();
  }
  return ordinal;
}

/**
 * Pieces of one size out of what the network gave: a row for each of 40 bytes would be a commit for each. All stand in the
 * same memory, one after another: 25 MB of copies made the collector stop the service for 16 to 45 ms.
 */
function* inSizes(pieces: readonly Uint8Array[]): Generator<Uint8Array> {
  const gathered = new Uint8Array(PIECE_BYTES);
  let size = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + PIECE_BYTES - size);
      gathered.set(part, size);
      size += part.length;
      at += part.length;
      if (size < PIECE_BYTES) continue;
      yield gathered;
      size = 0;
    }
  }
  if (size > 0) yield gathered.subarray(0, size);
}

async function removePieces(rows: Rows, id: string): Promise<void> {
  await rows.deleteFrom('delivery_pieces').where('delivery_id', '=', id).execute();
}

/**
 * The body of a stored delivery, in order, each piece read when it is asked for: whoever hands them on never holds 25 MB.
 */
export async function* piecesOf(
  rows: Rows,
  delivery: Pick<DeliveryRow, 'id' | 'body' | 'pieces'>,
): AsyncGenerator<Uint8Array> {
  if (delivery.pieces === null) yield delivery.body;
  for (let ordinal = 0; ordinal < (delivery.pieces ?? 0); ordinal++) {
    const { bytes } = await rows
      .selectFrom('delivery_pieces')
      .select('bytes')
      .where('delivery_id', '=', delivery.id)
      .where('ordinal', '=', ordinal)
      .executeTakeFirstOrThrow();
    yield bytes;
    await nextTurn();
  }
}

/** All of them at once, for commands. */
export async function allPiecesOf(
  rows: Rows,
  delivery: Pick<DeliveryRow, 'id' | 'body' | 'pieces'>,
): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const piece of piecesOf(rows, delivery)) all.push(piece);
  return all;
}

/** Longer than any body takes to be stored: on PostgreSQL another service may be storing one now. */
const STORING_TAKES_MS = 10 * 60_000;

/** Removes the pieces of deliveries that were never acknowledged. Answers how many deliveries those were. */
export async function sweepPieces(database: Database, now: number): Promise<number> {
  // A SQLite file has one service, which is starting now.
  const before = database.dialect === 'sqlite' ? now + 1 : now - STORING_TAKES_MS;
  const orphans = await database.rows
    .selectFrom('delivery_pieces')
    .select('delivery_id')
    .distinct()
    .where('stored_at', '<', before)
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('deliveries')
            .select('id')
            .whereRef('deliveries.id', '=', 'delivery_pieces.delivery_id'),
        ),
      ),
    )
    .execute();
  // guard: bodies: orphans are swept
  for (const { delivery_id } of orphans) await removePieces(database.rows, delivery_id);
  return orphans.length;
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
