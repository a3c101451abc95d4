/**
 * Deleted comments, of which nothing on the forge tells. Those that wait in a mailbox are asked for: a comment that is gone
 * must not be answered. (A run asks once more before it begins.)
 */
import { deletionKey } from '../forges/new-event.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { editorsMayWake, type Looking } from './looking.ts';
import { takeIn } from './take-in.ts';

const MOST = 20;
/** Nobody notes who deletes a comment. */
const SOMEBODY = { id: -1, login: 'ghost' };

export async function lookAtDeletions(looking: Looking): Promise<ForgeEvent[]> {
  const { kind, forge, database, trust, now } = looking;
  if (kind === 'usual' && forge.intake === 'both') return [];
  const took: ForgeEvent[] = [];
  for (const event of await waitingComments(looking)) {
    const { repository, comment, item } = event;
    const numbers = item === null ? [] : [item.number];
    if (!(await trust.isGone({ forge, repository, comment: comment!.id, numbers }))) continue;
    const deleted: ForgeEvent = {
      ...event,
      name: 'comment.deleted',
      sender: SOMEBODY,
      mentions: [],
      added: { assignees: [], labels: [] },
      occurredAt: '',
      semanticKey: deletionKey(event)!,
    };
    const happened = [{ event: deleted, likenesses: [] }];
    const news = { forge: forge.name, happened, editorsMayWake: editorsMayWake(forge), now: now() };
    took.push(...(await takeIn(database, news)));
  }
  return took;
}

async function waitingComments({ database, forge }: Looking): Promise<ForgeEvent[]> {
  const found = await database.rows
    .selectFrom('messages as m')
    .innerJoin('events as e', 'e.id', 'm.event_id')
    .select('e.event')
    .where('m.state', '=', 'waiting')
    .where('e.forge', '=', forge.name)
    .orderBy('m.seq', 'desc')
    .limit(MOST)
    .execute();
  const events = found.flatMap(({ event }) => (event === null ? [] : [JSON.parse(event) as ForgeEvent]));
  return events.filter(({ comment }) => comment !== null);
}
