/** A repository under a new name. */
import { rename } from 'node:fs/promises';
import { fullName, requirePermission } from './pocket-forge-access.ts';
import { folderOf, type PocketContext } from './pocket-forge-context.ts';
import type { StoredRepository, StoredUser } from './pocket-forge-state.ts';

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
