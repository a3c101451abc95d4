/**
 * Who edited what, as far as the forge told us: its API does not say it. Every edit was a delivery of its own, which is
 * found by its meaning, whether a flow wanted it or not.
 */
import type { Rows } from '../../database/database.ts';
import { readDeliveryHeaders } from '../../forges/delivery-headers.ts';
import type { Comment, Item, Review } from '../../forges/forge.ts';
import { parseGiteaFamilyDelivery } from '../../forges/gitea/delivery.ts';
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

/** Each is a body to parse; whoever edits a text a hundred times must not make every run slow. */
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
 * The meaning is a key whose beginning names the object, so this reads a few rows of an index. Behind it comes a hash
 * in hexadecimal digits, which a `g` follows in every collation of PostgreSQL.
 */
async function editsOf(rows: Rows, forge: string, prefix: string): Promise<ToldEdits> {
  const found = await rows
    .selectFrom('event_keys as k')
    .innerJoin('deliveries as d', 'd.id', 'k.delivery_id')
    .select(['d.headers', 'd.body'])
    .where('k.forge', '=', forge)
    .where('k.semantic_key', '>=', prefix)
    .where('k.semantic_key', '<', `${prefix}g`)
    .orderBy('d.seq')
    .limit(MOST_EDITS + 1)
    .execute();
  const events = found.slice(0, MOST_EDITS).flatMap((delivery) => {
    const headers = readDeliveryHeaders(JSON.parse(delivery.headers) as Record<string, string>);
    if (headers.kind !== 'ok') return [];
    const outcome = parseGiteaFamilyDelivery(forge, headers.headers, delivery.body);
    // guard: voices: edits we were told of
    return outcome.kind === 'event' ? [outcome.event] : [];
  });
  return { events, incomplete: found.length > MOST_EDITS };
}
