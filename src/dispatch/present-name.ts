/**
 * The present name of a repository, found by its id. Renames and transfers send no event, and the old name may belong to
 * another repository by now.
 */
import { isForgesAnswer } from '../errors.ts';
import type { ReadingForge } from '../outcome/outgoing-forge.ts';
import type { RepositoryRef } from '../vocabulary.ts';

/** Answers the known name when the forge does not answer. */
export async function presentName<T extends RepositoryRef>(forge: ReadingForge, known: T): Promise<T> {
  try {
    const { fullName } = await forge.getRepository(known);
    // guard: renames: by the id
    return { ...known, fullName };
  } catch (error) {
    if (!isForgesAnswer(error)) throw error;
    return known;
  }
}
