/** The history of one item, and what of it nobody told. */
import type { SeenText } from '../forges/changes.ts';
import type { ForgeEvent, RepositoryRef } from '../vocabulary.ts';
import { editorsMayWake, type Looking } from './looking.ts';
import { readerOf } from './repositories.ts';
import { takeIn } from './take-in.ts';

export interface ItemLook {
  repository: RepositoryRef;
  number: number;
  /** unix ms */
  since: number;
}

/** An item that is gone by now has no history: nothing is taken in. */
export async function lookAtItem(
  looking: Looking,
  { repository, number, since }: ItemLook,
): Promise<ForgeEvent[]> {
  const { client, forge, database, now, done } = looking;
  done.add(`${repository.id}#${number}`);
  const history = await client(readerOf(looking, repository)).history({
    forge: forge.name,
    repository,
    number,
    since: new Date(Math.max(0, since)).toISOString(),
    seenText: await seenTextOf(looking, { repository, number }),
  });
  if ('why' in history) return [];
  for (const { event } of history) {
    const sha = /^pull\.(?:opened|synchronized|reopened)$/.test(event.name) ? event.pull?.headSha : undefined;
    if (sha !== undefined) looking.heads.set(`${repository.id}@${sha}`, { repository, sha });
  }
  return await takeIn(database, {
    forge: forge.name,
    happened: history,
    editorsMayWake: editorsMayWake(forge),
    now: now(),
  });
}

async function seenTextOf(
  { database, forge }: Looking,
  { repository, number }: Pick<ItemLook, 'repository' | 'number'>,
): Promise<SeenText | null> {
  const found = await database.rows
    .selectFrom('items')
    .select('seen_text')
    .where('forge', '=', forge.name)
    .where('repository_id', '=', repository.id)
    .where('number', '=', number)
    .executeTakeFirst();
  return found?.seen_text == null ? null : (JSON.parse(found.seen_text) as SeenText);
}
