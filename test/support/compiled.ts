/**
 * For a Node with an environment of its own: it takes the sources as another one has compiled them, which is about half of
 * the time of a start. `vitest.config.ts` says where.
 */
export const COMPILED: Readonly<Record<string, string>> =
  process.env.NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };
