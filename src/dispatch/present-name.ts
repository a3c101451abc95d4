/**
 * What a repository is called now. Renames and transfers tell nobody, and somebody else may take the old name: what is
 * read, pushed and posted goes by the id.
 */
import { isForgesAnswer } from '../errors.ts';
import type { ReadingForge } from '../outcome/outgoing-forge.ts';
import type { RepositoryRef } from '../vocabulary.ts';

/** Where the forge does not say, the name it was known by has to do. */
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
