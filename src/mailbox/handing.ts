/**
 * Messages that reach a run which is under way. They are carried by its dispatch from the moment they are about to be handed
 * over; those that no turn has taken when the run ends go on waiting (`settlement.ts`).
 */
import type { Database, Rows } from '../database/database.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { assertLease, type CarriedRow, type Lease } from './leases.ts';

/** What people say. All else may need another checkout, or another skill, and waits for a dispatch of its own. */
const STEERING: readonly ForgeEvent['name'][] = ['comment.created', 'person.said', 'timer.due'];

/** What waits for this conversation and may be handed to its run, oldest first. */
export async function steeringMessages(rows: Rows, conversationId: string): Promise<CarriedRow[]> {
  const waiting = await rows
    .selectFrom('messages as m')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .selectAll('m')
    .select('e.event')
    .$narrowType<{ event: string }>()
    .where('m.conversation_id', '=', conversationId)
    .where('m.state', '=', 'waiting')
    .orderBy('m.seq')
    .execute();
  return waiting.filter(({ event }) => STEERING.includes((JSON.parse(event) as ForgeEvent).name));
}

export interface Handing {
  messages: readonly string[];
  /** id of the input; null = they are carried without being handed over, because there is nothing new in them */
  input: string | null;
  now: number;
}

/** Committed before the words are handed over. Answers the ids that still waited: a comment may have been deleted. */
export async function carryHanded(
  database: Database,
  lease: Lease,
  { messages, input, now }: Handing,
): Promise<string[]> {
  if (messages.length === 0) return [];
  return await database.transaction(async (tx) => {
    await assertLease(tx, lease, { updated_at: now });
    const carried = await tx
      .updateTable('messages')
      .set({ state: 'carried', dispatch_id: lease.dispatch.id, handed_as: input })
      .where('conversation_id', '=', lease.conversation.id)
      .where('id', 'in', messages)
      .where((e) =>
        // The next attempt of a run hands the same words over again.
        e.or([
          e('state', '=', 'waiting'),
          e.and([e('state', '=', 'carried'), e('dispatch_id', '=', lease.dispatch.id)]),
        ]),
      )
      .returning('id')
      .execute();
    return carried.map(({ id }) => id);
  });
}

/** A turn has taken the input: its messages are in the prompt of this dispatch from now on. */
export async function noteTaken(
  database: Database,
  lease: Lease,
  { input, now }: { input: string; now: number },
): Promise<void> {
  await database.transaction(async (tx) => {
    await assertLease(tx, lease);
    const taken = await tx
      .updateTable('messages')
      .set({ delivered_at: now })
      .where('conversation_id', '=', lease.conversation.id)
      .where('dispatch_id', '=', lease.dispatch.id)
      .where('handed_as', '=', input)
      .returning('id')
      .execute();
    const { carried } = await tx
      .selectFrom('dispatches')
      .select('carried')
      .where('id', '=', lease.dispatch.id)
      .executeTakeFirstOrThrow();
    const all = new Set([...(JSON.parse(carried) as string[]), ...taken.map(({ id }) => id)]);
    await tx
      .updateTable('dispatches')
      .set({ carried: JSON.stringify([...all]) })
      .where('id', '=', lease.dispatch.id)
      .execute();
  });
}
