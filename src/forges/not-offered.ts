/**
 * What a forge does not offer to whoever asks: 404 and 405 mean that there is no such route, 403 that it answers others
 * only. Reading goes on without it; a wrong number says 404, too.
 */
import { ForgeMissing, ForgeRefused } from '../errors.ts';

/** null: something else is wrong, as a token that is refused or a forge that is away. */
export function whyNotOffered(error: unknown): 'no-route' | 'not-to-us' | null {
  if (error instanceof ForgeMissing) return 'no-route';
  if (!(error instanceof ForgeRefused)) return null;
  if (error.status === 405) return 'no-route';
  // guard: world trust: a refused list is not offered
  return error.status === 403 ? 'not-to-us' : null;
}

/** As asked, or `instead` where this is not offered. */
export async function offeredOr<T>(instead: T, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (whyNotOffered(error) === null) throw error;
    return instead;
  }
}
