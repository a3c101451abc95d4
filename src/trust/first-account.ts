/** A question that any of our accounts can answer, asked of one after the other. */
import type { ForgeConfig } from '../config/config.ts';
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../errors.ts';

/**
 * The answer of the first account that sees what is asked for; null: none does. Throws what the first account met that was
 * told nothing (ForgeUnavailable, ForgeRefused), unless a later one has the answer.
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
