/**
 * What `claude-hooks init` asks of a forge, as an administrator: accounts and their tokens, members, labels and hooks, and
 * how each is taken away again.
 *
 * Contract:
 * - Errors are those of `forge.ts`. Taking away what is not there any more is no error.
 * - Making is NOT idempotent: the caller looks first.
 * - The administrator's token is in one header and nowhere else; no answer contains it.
 */
import type { Permission, RepositoryRef } from '../vocabulary.ts';
import type { ForgeHook } from './forge.ts';

export interface ForgeSetup extends SetupAccounts, SetupRepositories, SetupHooks {
  /** whose token it is. ForgeRefused 403: the token may not be asked that */
  administrator(): Promise<{ login: string; isSiteAdmin: boolean }>;
  /** `tooOld`: the oldest that works, null where this one does */
  version(): Promise<{ version: string; kind: string; tooOld: string | null }>;
  /** Which of these the token lacks a scope for. Tried by writes without content, which no forge carries out. */
  lackingScopes(needs: readonly SetupNeed[]): Promise<string[]>;
}

export type SetupNeed =
  | { need: 'accounts' }
  | { need: 'labels' | 'members'; repository: RepositoryRef }
  | { need: 'hooks'; place: HookPlace };

export interface SetupAccounts {
  /** `mail` as an administrator sees it */
  findAccount(login: string): Promise<{ login: string; mail: string } | null>;
  /** `refused` has the forge's words, most often that the mail address is another account's */
  createAccount(account: NewAccount): Promise<{ kind: 'made' } | { kind: 'refused'; words: string }>;
  /** for accounts that nobody signs in to; the old one is not needed */
  setPassword(login: string, password: string): Promise<void>;
  /** What it wrote stays, under the name that the forge gives to deleted accounts. */
  deleteAccount(login: string): Promise<void>;
  /** with the account's own password, because no token can make tokens. Answers the token, which is shown once. */
  createToken(account: { login: string; password: string; name: string }): Promise<string>;
}

export interface NewAccount {
  login: string;
  mail: string;
  fullName: string;
  password: string;
}

export interface SetupRepositories {
  /** ForgeMissing: there is none of this name, or the administrator may not see it */
  findRepository(fullName: string): Promise<{ repository: RepositoryRef; mayAdminister: boolean }>;
  listRepositories(owner: string): Promise<string[]>;
  permissionOf(repository: RepositoryRef, login: string): Promise<Permission>;
  /** with the least permission an agent works with: to write */
  addMember(repository: RepositoryRef, login: string): Promise<void>;
  removeMember(repository: RepositoryRef, login: string): Promise<void>;
  listLabels(repository: RepositoryRef): Promise<{ id: number; name: string }[]>;
  createLabel(repository: RepositoryRef, label: NewLabel): Promise<{ id: number }>;
  deleteLabel(repository: RepositoryRef, id: number): Promise<void>;
}

export interface NewLabel {
  name: string;
  description: string;
  /** six hexadecimal digits, no # */
  colour: string;
}

/** Whose deliveries a hook sends. */
export type HookPlace =
  | { level: 'repository'; repository: RepositoryRef }
  | { level: 'owner'; owner: string }
  | { level: 'system' };

export interface SetupHooks {
  listHooksAt(place: HookPlace): Promise<ForgeHook[]>;
  /** active, sends JSON, and everything that flows can wait for */
  createHookAt(place: HookPlace, hook: { url: string; secret: string }): Promise<ForgeHook>;
  deleteHookAt(place: HookPlace, id: number): Promise<void>;
}
