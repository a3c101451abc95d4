/**
 * Who edited what, as far as the forge told us: its API does not say it. Every edit was an event of its own, which is
 * found by its key, whether a flow wanted it or not.
 */
import type { Rows } from '../../database/database.ts';
import { readDeliveryHeaders } from '../../forges/delivery-headers.ts';
import type { Comment, Item, Review } from '../../forges/forge.ts';
import { parseDelivery } from '../../forges/parse-delivery.ts';
import type { ForgeEvent } from '../../vocabulary.ts';

export interface ToldEdits {
  /** `*.edited`, oldest first */
  events: readonly ForgeEvent[];
  /** there were too many to look at all of them */
  incomplete: boolean;
}

export interface EditQuestion {
  forge: string;
  repositoryId: string;
  item: Item;
  comments: readonly Comment[];
  reviews: readonly Review[];
}

/** Each is an event to read; whoever edits a text a hundred times must not make every run slow. */
const MOST_EDITS = 30;
/** Only those that were edited are asked about. */
const MOST_COMMENTS = 30;

export async function toldEdits(rows: Rows, question: EditQuestion): Promise<ToldEdits> {
  const { item, comments, reviews, repositoryId } = question;
  const edited = [...comments, ...reviews.flatMap((review) => review.inline)].filter(
    (c) => c.updatedAt !== c.createdAt,
  );
  const objects = [
    `${item.kind}.edited:${item.kind}:${item.number}`,
    ...edited.slice(-MOST_COMMENTS).map((c) => `comment.edited:comment:${c.id}`),
  ];
  const found = await Promise.all(
    objects.map((object) => editsOf(rows, question.forge, `${repositoryId}:${object}:`)),
  );
  return {
    events: found.flatMap(({ events }) => events),
    incomplete: edited.length > MOST_COMMENTS || found.some(({ incomplete }) => incomplete),
  };
}

/**
 * The beginning of an event's key names the object, so this reads a few rows of an index. Behind it comes a hash
 * in hexadecimal digits, which a `g` follows in every collation of PostgreSQL.
 */
async function editsOf(rows: Rows, forge: string, prefix: string): Promise<ToldEdits> {
  const found = await rows
    .selectFrom('events as e')
    .innerJoin('deliveries as d', 'd.id', 'e.delivery_id')
    .select(['e.event', 'd.headers'])
    // A body is only read where the event was not stored; of the others it would be most of the answer.
    .select((b) => b.case().when('e.event', 'is', null).then(b.ref('d.body')).else(null).end().as('body'))
    .where('e.forge', '=', forge)
    .where('e.semantic_key', '>=', prefix)
    .where('e.semantic_key', '<', `${prefix}g`)
    .orderBy('d.seq')
    .limit(MOST_EDITS + 1)
    .execute();
  // guard: voices: edits we were told of
  const events = found.slice(0, MOST_EDITS).flatMap((told) => toldEvent(forge, told) ?? []);
  return { events, incomplete: found.length > MOST_EDITS };
}

/** Earlier releases stored an event only with its messages; what no flow wanted is read from its delivery. */
function toldEvent(
  forge: string,
  told: { event: string | null; headers: string; body: Uint8Array | null },
): ForgeEvent | null {
  if (told.event !== null) return JSON.parse(told.event) as ForgeEvent;
  const read = readDeliveryHeaders(JSON.parse(told.headers) as Record<string, string>);
  if (read.kind !== 'ok') return null;
  const outcome = parseDelivery(forge, read.headers, told.body ?? new Uint8Array());
  return outcome.kind === 'event' ? outcome.event : null;
}
