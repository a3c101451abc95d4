/** Finding things and asking whether somebody may touch them. A refusal carries the status a real forge answers with. */
import { ForgeMissing, ForgeRefused } from '../src/errors.ts';
import type {
  PocketState,
  StoredItem,
  StoredPull,
  StoredRepository,
  StoredUser,
} from './pocket-forge-state.ts';

export type Permission = 'none' | 'read' | 'write' | 'admin' | 'owner';

const RANK: Record<Permission, number> = { none: 0, read: 1, write: 2, admin: 3, owner: 4 };

/** `null` is an anonymous visitor. */
export function permissionOf(repository: StoredRepository, user: StoredUser | null): Permission {
  if (user !== null && (user.admin || user.id === repository.owner)) return 'owner';
  const collaborator = repository.collaborators.find((c) => c.user === user?.id);
  return collaborator?.permission ?? (repository.private ? 'none' : 'read');
}

export function may(repository: StoredRepository, user: StoredUser | null, need: Permission): boolean {
  return RANK[permissionOf(repository, user)] >= RANK[need];
}

/**
 * Throws ForgeMissing where the visitor may not even know the repository exists, ForgeRefused 401 where signing in
 * could help, 403 where it cannot.
 */
export function requirePermission(
  repository: StoredRepository,
  user: StoredUser | null,
  need: Permission,
): void {
  if (may(repository, user, need)) return;
  if (!may(repository, user, 'read')) {
    throw new ForgeMissing(
      'The repository does not exist or is private. Use the token of an account that can read it.',
    );
  }
  if (user === null)
    throw new ForgeRefused('This needs an account. Send a token in the Authorization header.', 401);
  throw new ForgeRefused(
    `${user.login} needs ${need} permission here. Ask the owner to add the account as a collaborator.`,
    403,
  );
}

export function fullName(state: PocketState, repository: StoredRepository): string {
  return `${userById(state, repository.owner).login}/${repository.name}`;
}

/** Names are matched without regard to case, as forges do. */
export function findRepository(state: PocketState, name: string): StoredRepository {
  const wanted = name.toLowerCase();
  const found = state.repositories.find((r) => fullName(state, r).toLowerCase() === wanted);
  if (found === undefined) throw new ForgeMissing(`No repository ${name} here. Check owner and name.`);
  return found;
}

export function repositoryById(state: PocketState, id: number): StoredRepository {
  const found = state.repositories.find((r) => r.id === id);
  if (found === undefined) throw new ForgeMissing(`No repository has id ${id}. Check the id.`);
  return found;
}

export function findUser(state: PocketState, login: string): StoredUser {
  const found = state.users.find((u) => u.deleted !== true && u.login.toLowerCase() === login.toLowerCase());
  if (found === undefined)
    throw new ForgeMissing(`No account ${login} here. Name it when the forge is started.`);
  return found;
}

/** The account that speaks for CI runs. It has no token and no page. */
export const ACTIONS: StoredUser = {
  id: -2,
  login: 'gitea-actions',
  fullName: 'Gitea Actions',
  admin: false,
  created: '1970-01-01T00:00:00Z',
};

/** Stands for accounts that were deleted. */
const GHOST: StoredUser = {
  id: -1,
  login: 'Ghost',
  fullName: '',
  admin: false,
  created: '1970-01-01T00:00:00Z',
};

export function userById(state: PocketState, id: number): StoredUser {
  if (id === ACTIONS.id) return ACTIONS;
  const found = state.users.find((u) => u.id === id);
  if (found?.deleted === true) return GHOST;
  if (found === undefined)
    throw new Error(`The state file names account ${id}, which it lacks. Start on a new folder.`);
  return found;
}

export function findItem(state: PocketState, repository: StoredRepository, number: number): StoredItem {
  const found = state.items.find((i) => i.repository === repository.id && i.number === number);
  if (found === undefined)
    throw new ForgeMissing(`No issue or pull request ${number} here. Check the number.`);
  return found;
}

export function itemById(state: PocketState, id: number): StoredItem {
  const found = state.items.find((i) => i.id === id);
  if (found === undefined)
    throw new Error(`The state file names item ${id}, which it lacks. Start on a new folder.`);
  return found;
}

export type PullItem = StoredItem & { pull: StoredPull };

export function isPull(item: StoredItem): item is PullItem {
  return item.pull !== null;
}

export function findPull(state: PocketState, repository: StoredRepository, number: number): PullItem {
  const item = findItem(state, repository, number);
  if (!isPull(item)) throw new ForgeMissing(`${number} is an issue, not a pull request. Check the number.`);
  return item;
}

export function openPulls(state: PocketState, repository: StoredRepository): PullItem[] {
  return state.items.filter(isPull).filter((i) => i.repository === repository.id && i.state === 'open');
}
