/**
 * What was last seen of an item. Forgejo sends complete sets and no deltas, and CI runs that name only a commit; both
 * are made whole here, from the last state and before it is replaced.
 */
import type { Rows } from '../database/database.ts';
import type { EventItem, ForgeEvent } from '../vocabulary.ts';

export async function placeEvent(tx: Rows, event: ForgeEvent): Promise<ForgeEvent> {
  const placed = event.item === null ? await placeByHead(tx, event) : event;
  if (placed.item === null) return placed;
  const before = await tx
    .selectFrom('items')
    .selectAll()
    .where('forge', '=', event.forge)
    .where('repository_id', '=', event.repository.id)
    .where('number', '=', placed.item.number)
    .executeTakeFirst();
  const added = {
    assignees: without(event.added.assignees, before?.assignees),
    labels: without(event.added.labels, before?.labels),
  };
  // Deliveries come in any order; an older one may not bring an older state back. CI runs carry no item state.
  const isNewer = before === undefined || Date.parse(event.occurredAt) >= Date.parse(before.occurred_at);
  if (event.ci === null && (isNewer || Number.isNaN(Date.parse(event.occurredAt)))) {
    await remember(tx, placed, placed.item);
  }
  return { ...placed, added };
}

/** Names in `all` that were not in the stored JSON array; logins and labels compare without case. */
function without(all: string[], stored: string | undefined): string[] {
  const before = new Set((JSON.parse(stored ?? '[]') as string[]).map((n) => n.toLowerCase()));
  return all.filter((name) => !before.has(name.toLowerCase()));
}

async function remember(tx: Rows, event: ForgeEvent, item: EventItem): Promise<void> {
  const state = {
    kind: item.kind,
    labels: JSON.stringify(item.labels),
    assignees: JSON.stringify(item.assignees),
    occurred_at: event.occurredAt,
    ...(event.pull === null ? {} : { head_sha: event.pull.headSha, head_ref: event.pull.headRef }),
  };
  await tx
    .insertInto('items')
    .values({ forge: event.forge, repository_id: event.repository.id, number: item.number, ...state })
    .onConflict((c) => c.columns(['forge', 'repository_id', 'number']).doUpdateSet(state))
    .execute();
}

/** A CI run that names no pull request belongs to the one whose head it ran on. */
async function placeByHead(tx: Rows, event: ForgeEvent): Promise<ForgeEvent> {
  if (event.ci === null) return event;
  const pull = await tx
    .selectFrom('items')
    .select(['number'])
    .where('forge', '=', event.forge)
    .where('repository_id', '=', event.repository.id)
    .where('kind', '=', 'pull')
    .where('head_sha', '=', event.ci.headSha)
    .orderBy('number', 'desc')
    .executeTakeFirst();
  if (pull === undefined) return event;
  const item: EventItem = {
    kind: 'pull',
    number: pull.number,
    title: '',
    body: '',
    state: 'open',
    htmlUrl: '',
    author: event.sender,
    labels: [],
    assignees: [],
  };
  return { ...event, item };
}
