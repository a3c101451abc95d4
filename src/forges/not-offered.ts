/**
 * Routes that a forge does not offer to this account: 404 and 405 mean that there is no such route, 403 that only others
 * may use it. Reading goes on without them. (404 is also the answer to a wrong number.)
 */
import { ForgeMissing, ForgeRefused } from '../errors.ts';

/** What this forge, or this version of it, has no endpoint for, or not for this account. */
export interface NotOffered {
  kind: 'not-offered';
  /** a sentence for a person, with the remedy */
  why: string;
  /** the forge has it, and shows it to others */
  isHidden?: true;
}

/** null: something else is wrong, such as a refused token or a forge that is down. */
export function whyNotOffered(error: unknown): 'no-route' | 'not-to-us' | null {
  if (error instanceof ForgeMissing) return 'no-route';
  if (!(error instanceof ForgeRefused)) return null;
  if (error.status === 405) return 'no-route';
  // guard: world trust: a refused list is not offered
  return error.status === 403 ? 'not-to-us' : null;
}

/** The answer, or `instead` where the forge does not offer it. */
export async function offeredOr<T>(instead: T, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (whyNotOffered(error) === null) throw error;
    return instead;
  }
}
