/**
 * One look at a forge: which items changed, what happened on each, and what of it nobody told. The order is that of safety:
 * events first, marks after them, so that a look which ends half-way is done again from where it was.
 */
import { isListed } from '../config/listed-repositories.ts';
import type { ChangedItem } from '../forges/changes.ts';
import type { ForgeEvent, RepositoryRef } from '../vocabulary.ts';
import { orBehind } from './behind.ts';
import { lookAtCi } from './ci.ts';
import { lookAtComments } from './comments.ts';
import { lookAtDeletions } from './deletions.ts';
import { lookAtItem } from './item.ts';
import { type LookDeps, type Looking, type LookKind, type LookOutcome, markOf } from './looking.ts';
import { raiseMarks, readMarks } from './marks.ts';
import { searchChanged } from './search.ts';
import { setMark } from './take-in.ts';

export async function look(deps: LookDeps, kind: LookKind): Promise<LookOutcome> {
  const marks = await readMarks(deps.database.rows, deps.forge.name);
  if (marks.forge === null) return await begin(deps);
  const known = { ...marks, forge: marks.forge };
  const found = await searchChanged(deps, known, kind);
  if ('why' in found) return { kind: 'not-offered', why: found.why };
  const at = found.at ?? deps.now();
  const looking: Looking = {
    ...deps,
    kind,
    marks: known,
    at,
    done: new Set(),
    heads: new Map(),
    behind: new Set(),
  };
  const took = [
    ...(await lookAtRepositories(looking, found.items)),
    ...(await lookAtComments(looking)),
    ...(await lookAtCi(looking)),
    ...(await lookAtDeletions(looking)),
  ];
  const { forge, now, database, behind } = looking;
  await setMark(database, { forge: forge.name, mark: at, commentsMark: 0, now: now() });
  await raiseMarks(database.rows, { forge: forge.name, mark: at, behind, now: now() });
  return { kind: 'looked', took, behind: [...behind] };
}

/** Without a mark nothing is known to be missed: what lies before the first start is not told. */
async function begin(deps: LookDeps): Promise<LookOutcome> {
  const { database, forge, now } = deps;
  const whole = { mark: now(), commentsMark: now() };
  const found = await searchChanged(deps, { forge: whole, repositories: new Map() }, 'usual');
  if ('why' in found) return { kind: 'not-offered', why: found.why };
  const mark = found.at ?? now();
  await setMark(database, { forge: forge.name, mark, commentsMark: mark, now: now() });
  return { kind: 'begun' };
}

/** A webhook is on its way for so long; what is younger is left to the next look. */
const ON_ITS_WAY_MS = 15_000;

async function lookAtRepositories(looking: Looking, items: ChangedItem[]): Promise<ForgeEvent[]> {
  const byRepository = new Map<string, ChangedItem[]>();
  for (const item of items) {
    if (!isWanted(looking, item)) continue;
    const { id } = item.repository;
    byRepository.set(id, [...(byRepository.get(id) ?? []), item]);
  }
  const took: ForgeEvent[] = [];
  for (const moved of byRepository.values()) {
    const { repository } = moved[0]!;
    took.push(...(await orBehind(looking, repository, () => lookAtMoved(looking, repository, moved))));
  }
  return took;
}

function isWanted(looking: Looking, { repository, number, updatedAt }: ChangedItem): boolean {
  const { forge, memory, kind, at, overlapMs } = looking;
  if (!isListed(forge, repository.fullName)) return false;
  const changed = Date.parse(updatedAt);
  if (changed < markOf(looking, repository.id).mark - overlapMs) return false;
  const isOnItsWay = forge.intake === 'both' && kind === 'usual' && changed > at - ON_ITS_WAY_MS;
  return !isOnItsWay && memory.seen.get(`${repository.id}#${number}`) !== updatedAt;
}

async function lookAtMoved(
  looking: Looking,
  repository: RepositoryRef,
  moved: readonly ChangedItem[],
): Promise<ForgeEvent[]> {
  const { database, forge, at, now, memory, overlapMs } = looking;
  const took: ForgeEvent[] = [];
  const { mark, commentsMark } = markOf(looking, repository.id);
  for (const { number, updatedAt } of moved) {
    took.push(...(await lookAtItem(looking, { repository, number, since: mark - overlapMs })));
    // Two changes may share its second: only after that it counts as seen.
    if (Date.parse(updatedAt) < at - ON_ITS_WAY_MS) memory.seen.set(`${repository.id}#${number}`, updatedAt);
  }
  // After the events: a mark that is ahead of them loses them.
  await setMark(database, { forge: forge.name, repository, mark: at, commentsMark, now: now() });
  return took;
}
