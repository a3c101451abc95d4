/** What every part of the pocket forge is handed: its state, its repositories, its hooks and the one lock. */
import { userById } from './pocket-forge-access.ts';
import type { HookQueue } from './pocket-forge-hooks.ts';
import type { PocketKind } from './pocket-forge-kinds.ts';
import type { GitIdentity, PocketGit } from './pocket-forge-repositories.ts';
import type { PocketState, StoredRepository, StoredUser } from './pocket-forge-state.ts';

export interface PocketContext {
  readonly kind: PocketKind;
  /** `http://host:port`, no slash at the end */
  readonly url: string;
  readonly state: PocketState;
  readonly git: PocketGit;
  readonly hooks: HookQueue;
  /**
   * Runs `work` alone and saves the state afterwards, also when it throws. Every write goes through here; calling it
   * inside `work` would wait for itself.
   */
  change<T>(work: () => Promise<T> | T): Promise<T>;
}

export function folderOf(context: PocketContext, repository: StoredRepository): string {
  return context.git.path(`${userById(context.state, repository.owner).login}/${repository.name}`);
}

export function identityOf(user: StoredUser): GitIdentity {
  // git's own delimiters would end the name early, so they are taken out.
  const name = user.fullName.replace(/[<>\n]/g, '');
  return { name: name === '' ? user.login : name, email: emailOf(user) };
}

export function emailOf(user: StoredUser): string {
  return user.email ?? `${user.login.toLowerCase()}@noreply.localhost`;
}
