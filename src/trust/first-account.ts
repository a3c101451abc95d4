/** Asks our accounts one after the other a question that any of them may be able to answer. */
import type { ForgeConfig } from '../config/config.ts';
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../errors.ts';

/**
 * The answer of the first account that sees what is asked for; null: none does. Throws the first ForgeUnavailable or
 * ForgeRefused that an account met, unless a later account has the answer.
 */
export async function firstAnswer<T>(
  forge: ForgeConfig,
  ask: (agent: string) => Promise<T>,
): Promise<T | null> {
  let trouble: unknown = null;
  for (const agent of Object.keys(forge.accounts)) {
    try {
      return await ask(agent);
    } catch (error) {
      if (error instanceof ForgeMissing) continue;
      if (!(error instanceof ForgeUnavailable || error instanceof ForgeRefused)) throw error;
      trouble ??= error;
    }
  }
  if (trouble !== null) throw trouble;
  return null;
}
