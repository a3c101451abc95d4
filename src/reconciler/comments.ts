/**
 * Edits of comments. They change nothing on their item, so each repository's list is asked for: of all in a full look, else
 * of one in turn.
 */
import type { ForgeEvent } from '../vocabulary.ts';
import { orBehind } from './behind.ts';
import { lookAtItem } from './item.ts';
import { type Looking, markOf, sinceOf } from './looking.ts';
import { knownRepositories, type ReadRepository } from './repositories.ts';
import { setMark } from './take-in.ts';

export async function lookAtComments(looking: Looking): Promise<ForgeEvent[]> {
  const all = knownRepositories(looking, looking.marks).filter(
    ({ repository }) => !looking.behind.has(repository.id),
  );
  const oldestFirst = all.sort(
    (a, b) => markOf(looking, a.repository.id).commentsMark - markOf(looking, b.repository.id).commentsMark,
  );
  const chosen = looking.kind === 'full' ? oldestFirst : oldestFirst.slice(0, 1);
  const took: ForgeEvent[] = [];
  for (const one of chosen) {
    took.push(...(await orBehind(looking, one.repository, () => lookAtList(looking, one))));
  }
  return took;
}

async function lookAtList(looking: Looking, { repository, reader }: ReadRepository): Promise<ForgeEvent[]> {
  const { client, database, forge, overlapMs, done, now } = looking;
  const { mark, commentsMark } = markOf(looking, repository.id);
  const answer = await client(reader).changedComments(repository, sinceOf(commentsMark, overlapMs));
  if ('why' in answer) return [];
  const took: ForgeEvent[] = [];
  for (const number of answer.numbers) {
    // What was looked at just now may have been looked at from a later time on.
    if (done.has(`${repository.id}#${number}`) && mark <= commentsMark) continue;
    took.push(...(await lookAtItem(looking, { repository, number, since: commentsMark - overlapMs })));
  }
  await setMark(database, {
    forge: forge.name,
    repository,
    mark,
    commentsMark: answer.at ?? looking.at,
    now: now(),
  });
  return took;
}
