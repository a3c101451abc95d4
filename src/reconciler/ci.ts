/**
 * CI of pull requests that are part of a conversation, or got new commits. A run changes nothing on its pull request, so
 * each commit is asked for.
 */
import type { ForgeEvent, RepositoryRef } from '../vocabulary.ts';
import { editorsMayWake, type Looking } from './looking.ts';
import { readerOf } from './repositories.ts';
import { takeIn } from './take-in.ts';

/** CI that has not begun by then was told, or never will. */
const AWAITED_MS = 24 * 3600_000;
/** In a usual look beside webhooks; where nobody else tells, all that are awaited. */
const FEW = 1;
const MOST = 50;

interface Head {
  key: string;
  repository: RepositoryRef;
  sha: string;
}

export async function lookAtCi(looking: Looking): Promise<ForgeEvent[]> {
  const { client, forge, database, memory, now, kind, behind } = looking;
  const moved = [...looking.heads].map(([key, head]) => ({ key, ...head }));
  const others = (await awaited(looking)).filter(({ key }) => !looking.heads.has(key));
  const heads = [...moved, ...others].filter(({ repository }) => !behind.has(repository.id));
  const isSparing = kind === 'usual' && forge.intake === 'both';
  heads.sort((a, b) => (memory.ci.get(a.key)?.askedAt ?? 0) - (memory.ci.get(b.key)?.askedAt ?? 0));
  const took: ForgeEvent[] = [];
  const most = isSparing ? Math.max(FEW, moved.length) : MOST;
  for (const { key, repository, sha } of heads.slice(0, most)) {
    const question = { forge: forge.name, repository, sha };
    const answer = await client(readerOf(looking, repository)).ciResults(question);
    if ('why' in answer) continue;
    const { happened, isOver } = answer;
    const news = { forge: forge.name, happened, editorsMayWake: editorsMayWake(forge), now: now() };
    took.push(...(await takeIn(database, news)));
    memory.ci.set(key, { isOver, askedAt: now() });
  }
  return took;
}

async function awaited({ database, forge, memory, now, kind }: Looking): Promise<Head[]> {
  const found = await database.rows
    .selectFrom('conversation_items as n')
    .innerJoin('conversations as c', 'c.id', 'n.conversation_id')
    .innerJoin('items as i', (join) =>
      join
        .onRef('i.forge', '=', 'n.forge')
        .onRef('i.repository_id', '=', 'n.repository_id')
        .onRef('i.number', '=', 'n.number')
        .onRef('i.kind', '=', 'n.kind'),
    )
    .select(['c.repository_name', 'i.repository_id', 'i.head_sha', 'i.occurred_at'])
    .distinct()
    .where('n.forge', '=', forge.name)
    .where('n.kind', '=', 'pull')
    .where('i.head_sha', 'is not', null)
    .execute();
  return found.flatMap(({ repository_name: fullName, repository_id: id, head_sha, occurred_at }) => {
    if (Date.parse(occurred_at) < now() - AWAITED_MS) return [];
    const key = `${id}@${head_sha}`;
    // A run may be repeated: after a gap nothing is taken for granted.
    if (memory.ci.get(key)?.isOver === true && kind === 'usual') return [];
    return [{ key, repository: { id, fullName }, sha: head_sha! }];
  });
}
