/** A repository that cannot be read stays behind, and the others go on. */
import { ForgeMissing, ForgeRefused } from '../errors.ts';
import type { ForgeEvent, RepositoryRef } from '../vocabulary.ts';
import { type Looking, markOf } from './looking.ts';
import { setMark } from './take-in.ts';

/** One repository that is closed to us holds up no other. It keeps its mark, and is read again in each look. */
export async function orBehind(
  looking: Looking,
  repository: RepositoryRef,
  ask: () => Promise<ForgeEvent[]>,
): Promise<ForgeEvent[]> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ForgeRefused || error instanceof ForgeMissing)) throw error;
    const { database, forge, now, log, behind } = looking;
    behind.add(repository.id);
    const { mark, commentsMark } = markOf(looking, repository.id);
    await setMark(database, { forge: forge.name, repository, mark, commentsMark, now: now() });
    log.warn(`the reconciler cannot read ${repository.fullName}: ${error.message}`);
    return [];
  }
}
