/** The rows about what was true of a dispatch's messages. */
import type { Database } from '../../database/database.ts';
import { deletionKey } from '../../forges/new-event.ts';
import type { Lease } from '../../mailbox/leases.ts';
import { declineCarried } from '../../mailbox/messages.ts';
import { recordRefusal } from '../../trust/records.ts';
import type { ForgeEvent } from '../../vocabulary.ts';
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
    log.warn('a delivery does not match the forge, its message is declined', {
      ...about(lease),
      delivery: forged.deliveryId,
      reason,
    });
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
  replayed: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const taken = new Map<string, string>();
  const proved = messages
    .filter(({ id, proof }) => proof !== null && !replayed.has(id))
    .map(({ id, event, proof, deliveryId }) => ({
      id,
      deliveryId,
      forge: event.forge,
      key: `${event.repository.id}:${proof}`,
    }));
  if (proved.length === 0) return taken;
  // Of several with one proof the first takes it: a statement may not write a row twice.
  const distinct = new Map(proved.toReversed().map((one) => [one.key, one]));
  const rows = await database.rows
    .insertInto('event_proofs')
    .values(
      [...distinct.values()].map((one) => ({
        forge: one.forge,
        proof: one.key,
        delivery_id: one.deliveryId,
      })),
    )
    // Changes nothing, and so answers the row that is there already.
    .onConflict((c) => c.columns(['forge', 'proof']).doUpdateSet((e) => ({ proof: e.ref('excluded.proof') })))
    .returning(['proof', 'delivery_id'])
    .execute();
  const takenBy = new Map(rows.map((row) => [row.proof, row.delivery_id]));
  for (const { id, key, deliveryId } of proved) {
    const first = takenBy.get(key)!;
    // guard: intake: once
    if (first !== deliveryId) taken.set(id, first);
  }
  return taken;
}
