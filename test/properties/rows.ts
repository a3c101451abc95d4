/** All rows that the invariants speak of, read at one moment when nothing runs. */
import type { Database } from '../../src/database/database.ts';

export type Look = Awaited<ReturnType<typeof lookAt>>;

export async function lookAt({ rows }: Database) {
  const [deliveries, events, items, conversations, messages, dispatches, sessions, effects, holds] =
    await Promise.all([
      rows
        .selectFrom('deliveries')
        .select(['id', 'forge_delivery_id', 'source', 'state', 'reason', 'duplicate_of'])
        .select(['attempts', 'next_attempt_at', 'decided_at'])
        .orderBy('seq')
        .execute(),
      rows.selectFrom('events').selectAll().orderBy('seq').execute(),
      rows.selectFrom('items').selectAll().execute(),
      rows.selectFrom('conversations').selectAll().execute(),
      rows.selectFrom('messages').selectAll().orderBy('seq').execute(),
      rows.selectFrom('dispatches').selectAll().orderBy('seq').execute(),
      rows.selectFrom('sessions').selectAll().orderBy('ordinal').execute(),
      rows.selectFrom('effects').selectAll().orderBy('seq').execute(),
      rows.selectFrom('holds').selectAll().execute(),
    ]);
  return { deliveries, events, items, conversations, messages, dispatches, sessions, effects, holds };
}

/** Children first: a row goes before the row it refers to. */
const TABLES = [
  ...['incidents', 'effects', 'turns', 'transcript_chunks', 'transcript_files', 'sessions', 'holds'],
  ...['messages', 'dispatches', 'conversation_items', 'conversations', 'items', 'deliveries', 'events'],
] as const;

/** A new database for every run would be most of the run's time. */
export async function emptyTables({ rows }: Database): Promise<void> {
  for (const table of TABLES) await rows.deleteFrom(table as 'deliveries').execute();
}

export const WAITING: readonly string[] = ['queued', 'parked', 'interrupted'];

export function groupBy<T>(all: readonly T[], key: (one: T) => string): Map<string, T[]> {
  return Map.groupBy(all, key);
}
