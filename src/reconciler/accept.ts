/**
 * Events that were found by looking, taken in as deliveries without a request. The id of such a delivery follows from its
 * event, so that what is found twice, or again after a crash, is taken in once.
 */
import type { Rows } from '../database/database.ts';
import { likenessOf } from '../forges/likeness.ts';
import { hash } from '../forges/new-event.ts';
import { acceptDelivery } from '../inbox.ts';
import type { ForgeEvent } from '../vocabulary.ts';

export interface Found {
  event: ForgeEvent;
  /** what else its webhook may look like; `at`: RFC 3339 */
  likenesses: readonly { likeness: string; at: string }[];
}

/** In a transaction. Answers how many were taken in now. */
export async function acceptFound(tx: Rows, found: readonly Found[], now: number): Promise<number> {
  let taken = 0;
  for (const { event, likenesses } of found) {
    const accepted = await acceptDelivery(tx, {
      forge: event.forge,
      forgeDeliveryId: `reconciled-${hash(event.semanticKey)}`,
      source: 'reconciled',
      headers: {},
      body: Buffer.alloc(0),
      event,
      // Nobody signed it: it is what the forge answered us, and holds for every repository.
      scope: '*',
      now,
    });
    if (accepted.kind === 'accepted') taken += 1;
    await rememberLikenesses(tx, event, likenesses);
  }
  return taken;
}

async function rememberLikenesses(tx: Rows, event: ForgeEvent, others: Found['likenesses']): Promise<void> {
  const { id } = await tx
    .selectFrom('events')
    .select('id')
    .where('forge', '=', event.forge)
    .where('semantic_key', '=', event.semanticKey)
    .executeTakeFirstOrThrow();
  const own = likenessOf(event);
  const all = [...(own === null ? [] : [{ likeness: own, at: event.occurredAt }]), ...others];
  for (const { likeness, at } of all) {
    const time = Date.parse(at);
    await tx
      .insertInto('event_likenesses')
      .values({ forge: event.forge, likeness, at: Number.isNaN(time) ? 0 : time, event_id: id })
      .onConflict((c) => c.columns(['forge', 'likeness', 'at']).doNothing())
      .execute();
  }
}
