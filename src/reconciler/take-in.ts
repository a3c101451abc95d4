/** One repository's news: compared with the rows, written, and only then its mark. */
import type { Database, Rows } from '../database/database.ts';
import { faultPoint } from '../faults.ts';
import type { Happened } from '../forges/changes.ts';
import type { EventName, ForgeEvent } from '../vocabulary.ts';
import { acceptFound } from './accept.ts';
import { missingOf } from './compare.ts';
import { type MarkMove, moveMark } from './marks.ts';

export interface News {
  forge: string;
  /** oldest first */
  happened: readonly Happened[];
  editorsMayWake: boolean;
  now: number;
}

/** The events that were taken in. */
export async function takeIn(database: Database, news: News): Promise<ForgeEvent[]> {
  const { happened, editorsMayWake, now } = news;
  if (happened.length === 0) return [];
  const known = await knownOf(database.rows, news);
  const missing = missingOf({ happened, known, editorsMayWake });
  faultPoint('reconcile.found');
  if (missing.length === 0) return [];
  await database.transaction(async (tx) => {
    await acceptFound(tx, missing, now);
    faultPoint('reconcile.written');
  });
  faultPoint('reconcile.committed');
  return missing.map(({ event }) => event);
}

/** Apart from the events, and after them. */
export async function setMark(database: Database, move: MarkMove): Promise<void> {
  await database.transaction(async (tx) => await moveMark(tx, move));
  faultPoint('reconcile.marked');
}

/** Newest first, so that an item with a long life costs no more than others. */
const MOST_KNOWN = 500;

/** Events with the same keys, and those of the same names on the same items. */
async function knownOf(rows: Rows, { forge, happened }: News): Promise<ForgeEvent[]> {
  const events = happened.flatMap(({ event, editedSince }) =>
    editedSince === undefined ? [event] : [event, editedSince.event],
  );
  const byKey = await rows
    .selectFrom('events')
    .select('event')
    .where('forge', '=', forge)
    .where(
      'semantic_key',
      'in',
      events.map(({ semanticKey }) => semanticKey),
    )
    .execute();
  const found = byKey.flatMap(({ event }) => (event === null ? [] : [JSON.parse(event) as ForgeEvent]));
  for (const { repository, number, names } of items(events)) {
    const others = await rows
      .selectFrom('deliveries as d')
      .innerJoin('events as e', 'e.id', 'd.event_id')
      .select('e.event')
      .where('d.item_number', '=', number)
      .where('d.forge', '=', forge)
      .where('d.event_name', 'in', names)
      .orderBy('d.seq', 'desc')
      .limit(MOST_KNOWN)
      .execute();
    for (const { event } of others) {
      const one = event === null ? null : (JSON.parse(event) as ForgeEvent);
      if (one !== null && one.repository.id === repository) found.push(one);
    }
  }
  return found;
}

/** A comment that was edited is compared with what it said when it was written. */
const WITH: Partial<Record<EventName, EventName>> = { 'comment.edited': 'comment.created' };

function items(events: readonly ForgeEvent[]) {
  const found = new Map<string, { repository: string; number: number; names: EventName[] }>();
  for (const { repository, item, name } of events) {
    if (item === null) continue;
    const key = `${repository.id}#${item.number}`;
    const known = found.get(key) ?? { repository: repository.id, number: item.number, names: [] };
    const other = WITH[name];
    known.names = [...new Set([...known.names, name, ...(other === undefined ? [] : [other])])];
    found.set(key, known);
  }
  return [...found.values()];
}
