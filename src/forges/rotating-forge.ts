/**
 * A forge client whose token may be replaced while a run lasts: each call uses the token of the moment, and one that
 * is refused with 401 is made once more after the configuration was read again. A call that got a 401 did nothing, so
 * writes may be repeated, too.
 */
import { ForgeRefused } from '../errors.ts';
import type { Forge } from './forge.ts';

export interface RotatingForgeOptions {
  /** the client for the token of the moment; the same object as long as the token is the same */
  current: () => Forge;
  /** reads the configuration again */
  refresh: () => void;
  /** called once for each token that was replaced in mid-run */
  onRotated: () => void;
}

export function rotatingForge({ current, refresh, onRotated }: RotatingForgeOptions): Forge {
  // A proxy, so that calls which are added to the ports later are repeated, too.
  return new Proxy({} as Forge, {
    get: (_target, name) => {
      const member = (current() as unknown as Record<string | symbol, unknown>)[name];
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => callTwice(name, args, { current, refresh, onRotated });
    },
  });
}

async function callTwice(
  name: string | symbol,
  args: unknown[],
  { current, refresh, onRotated }: RotatingForgeOptions,
): Promise<unknown> {
  const first = current();
  try {
    return await callOn(first, name, args);
  } catch (error) {
    // guard: rotation: the forge’s token
    if (!(error instanceof ForgeRefused) || error.status !== 401) throw error;
    refresh();
    if (current() === first) throw error;
    onRotated();
    return await callOn(current(), name, args);
  }
}

async function callOn(forge: Forge, name: string | symbol, args: unknown[]): Promise<unknown> {
  const method = (forge as unknown as Record<string | symbol, (...a: unknown[]) => Promise<unknown>>)[name]!;
  return await method.apply(forge, args);
}
