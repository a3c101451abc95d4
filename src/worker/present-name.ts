/**
 * What a repository is called now. Renames and transfers tell nobody, and somebody else may take the old name: what is
 * read, pushed and posted goes by the id.
 */
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../errors.ts';
import type { ReadingForge } from '../outcome/outgoing-forge.ts';
import type { EventRepository, RepositoryRef } from '../vocabulary.ts';

export async function presentRepository(
  forge: ReadingForge,
  { id, fullName }: RepositoryRef,
): Promise<EventRepository> {
  return await forge.getRepository({ id, fullName });
}

/** Where the forge does not say, the name it was known by has to do. */
export async function presentName<T extends RepositoryRef>(forge: ReadingForge, known: T): Promise<T> {
  try {
    const { fullName } = await presentRepository(forge, known);
    return { ...known, fullName };
  } catch (error) {
    const isNoAnswer =
      error instanceof ForgeUnavailable || error instanceof ForgeRefused || error instanceof ForgeMissing;
    if (!isNoAnswer) throw error;
    return known;
  }
}
