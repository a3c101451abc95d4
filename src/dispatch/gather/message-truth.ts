/** The rows about what was true of a dispatch's messages. */
import type { Database } from '../../database/database.ts';
import { deletionKey } from '../../forges/new-event.ts';
import type { Lease } from '../../mailbox/leases.ts';
import { declineCarried } from '../../mailbox/messages.ts';
import { recordRefusal } from '../../trust/records.ts';
import type { ForgeEvent } from '../../vocabulary.ts';
import { replayedMessages } from '../converse/announced.ts';
import type { DispatchDeps } from '../dispatch.ts';
import { about } from '../settle/told.ts';
import type { Compared, Refused } from './on-the-forge.ts';

/** Declines, and puts into the audit what the forge knows nothing of. */
export async function declineRefused(
  { database, now, log }: Pick<DispatchDeps, 'database' | 'now' | 'log'>,
  lease: Lease,
  refused: readonly Refused[],
): Promise<void> {
  await declineCarried(database, lease, { messages: refused, now: now() });
  for (const { reason, forged } of refused) {
    if (forged === null) continue;
    log.warn('a delivery does not tell the truth', { ...about(lease), delivery: forged.deliveryId, reason });
    await recordRefusal(database.rows, {
      event: forged.event,
      deliveryId: forged.deliveryId,
      reason,
      sender: null,
      now: now(),
      dispatch: { id: lease.dispatch.id, conversationId: lease.conversation.id, agent: lease.dispatch.agent },
    });
  }
}

/** A deletion's meaning is only claimed after the forge was asked. */
export async function wasDeleted({ rows }: Database, event: ForgeEvent): Promise<boolean> {
  const key = deletionKey(event);
  if (key === null) return false;
  const found = await rows
    .selectFrom('events')
    .select('id')
    .where('forge', '=', event.forge)
    .where('semantic_key', '=', key)
    .executeTakeFirst();
  return found !== undefined;
}

/**
 * One happening wakes an agent once, whatever deliveries say of it: their own words about its time can be made up, the
 * forge's id of it cannot. An operator's replay is meant to count again.
 */
export async function takeUp(
  database: Database,
  messages: Compared['there'],
): Promise<ReadonlyMap<string, string>> {
  const taken = new Map<string, string>();
  const replayed = await replayedMessages(database, messages);
  await database.transaction(async (tx) => {
    for (const { id, event, proof, deliveryId } of messages) {
      if (proof === null || replayed.has(id)) continue;
      const key = { forge: event.forge, proof: `${event.repository.id}:${proof}` };
      await tx
        .insertInto('event_proofs')
        .values({ ...key, delivery_id: deliveryId })
        .onConflict((c) => c.columns(['forge', 'proof']).doNothing())
        .execute();
      const { delivery_id: first } = await tx
        .selectFrom('event_proofs')
        .select('delivery_id')
        .where('forge', '=', key.forge)
        .where('proof', '=', key.proof)
        .executeTakeFirstOrThrow();
      // guard: intake: once
      if (first !== deliveryId) taken.set(id, first);
    }
  });
  return taken;
}
