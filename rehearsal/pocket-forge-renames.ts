/** A repository under a new name, and the old one, which leads there. */
import { rename } from 'node:fs/promises';
import { fullName, repositoryById, requirePermission } from './pocket-forge-access.ts';
import { folderOf, type PocketContext } from './pocket-forge-context.ts';
import type { PocketState, StoredRepository, StoredUser } from './pocket-forge-state.ts';

export async function renameRepository(
  context: PocketContext,
  o: { repository: StoredRepository; actor: StoredUser; name: string },
): Promise<void> {
  const { repository, actor, name } = o;
  requirePermission(repository, actor, 'admin');
  const from = folderOf(context, repository);
  context.state.oldNames ??= {};
  context.state.oldNames[fullName(context.state, repository).toLowerCase()] = repository.id;
  repository.name = name;
  await rename(from, folderOf(context, repository));
}

/** The present name for an old one; null for a name that was never one, or that another repository has taken. */
export function nameNow(state: PocketState, name: string): string | null {
  const wanted = name.toLowerCase();
  const id = state.oldNames?.[wanted];
  const isTaken = state.repositories.some((r) => fullName(state, r).toLowerCase() === wanted);
  return id === undefined || isTaken ? null : fullName(state, repositoryById(state, id));
}
