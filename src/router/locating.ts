/** Which item a CI run belongs to that names only a commit. */
import type { Rows } from '../database/database.ts';
import { itemKeyOfConversation } from '../item-key.ts';
import { pusherOf } from '../mailbox/pushes.ts';
import type { EventItem, ForgeEvent } from '../vocabulary.ts';

export type Located = Pick<EventItem, 'kind' | 'number'>;

/**
 * A CI run that names no pull request belongs to the one whose head it ran on: of several, one that is part of a
 * conversation. Anybody may open another with the same head, which must not take its CI away from the agent.
 */
export async function locate(rows: Rows, event: ForgeEvent): Promise<Located | null> {
  if (event.item !== null || event.ci === null) return null;
  const pull = await rows
    .selectFrom('items as i')
    .leftJoin('conversation_items as c', (join) =>
      join
        .onRef('c.forge', '=', 'i.forge')
        .onRef('c.repository_id', '=', 'i.repository_id')
        .onRef('c.number', '=', 'i.number')
        .onRef('c.kind', '=', 'i.kind'),
    )
    .select(['i.number', 'i.kind', 'c.conversation_id'])
    .where('i.forge', '=', event.forge)
    .where('i.repository_id', '=', event.repository.id)
    .where('i.kind', '=', 'pull')
    .where('i.head_sha', '=', event.ci.headSha)
    .orderBy((e) => e.case().when('c.conversation_id', 'is', null).then(1).else(0).end())
    .orderBy('i.number', 'desc')
    .executeTakeFirst();
  // One that is being opened is not part of its conversation yet: the commit tells whose work it is.
  // guard: ci: before it has joined
  const isJoined = pull !== undefined && pull.conversation_id !== null;
  // guard: ci: before the pull request
  const found = isJoined ? pull : ((await locateByPush(rows, event, event.ci.headSha)) ?? pull ?? null);
  return found === null ? null : { kind: found.kind, number: found.number };
}

/** Before there is a pull request, what we pushed tells whose work it is. */
async function locateByPush(
  rows: Rows,
  { forge, repository }: ForgeEvent,
  sha: string,
): Promise<Located | null> {
  const pusher = await pusherOf(rows, { forge, repositoryId: repository.id, sha });
  return pusher === undefined ? null : itemKeyOfConversation(pusher);
}
