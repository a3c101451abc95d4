/** Whose token is this? The one place that answers it. */
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../errors.ts';
import type { Forge } from '../forges/forge.ts';
import { sameLogin } from '../logins.ts';
import type { ForgeUser } from '../vocabulary.ts';

export type NamedOwner =
  /** `same`: the account with the configured login; `other`: another account, in whose name the token acts */
  { kind: 'same' | 'other'; user: ForgeUser };

export type TokenOwner =
  | NamedOwner
  /** 403: the token works, but may not ask whose it is */
  | { kind: 'untold'; said: string }
  | { kind: 'refused'; status: number; said: string }
  | { kind: 'unavailable'; said: string };

/** `login`: the configured one. Rejects only with errors that are not answers of a forge. */
export async function ownerOfToken(client: Pick<Forge, 'self'>, login: string): Promise<TokenOwner> {
  try {
    return compared(await client.self(), login);
  } catch (error) {
    if (error instanceof ForgeUnavailable || error instanceof ForgeMissing) {
      return { kind: 'unavailable', said: error.message };
    }
    if (!(error instanceof ForgeRefused)) throw error;
    if (error.status === 403) return { kind: 'untold', said: error.message };
    return { kind: 'refused', status: error.status, said: error.message };
  }
}

export function compared(user: ForgeUser, login: string): NamedOwner {
  // guard: trust: identity of a token
  return { kind: sameLogin(user.login, login) ? 'same' : 'other', user };
}
