/** Which cells of the matrix are run. */
import type { EngineName } from '../../src/vocabulary.ts';
import type { Cause } from './cause.ts';

const { FAULTS, FAULT } = process.env;

const idOf = (engine: EngineName, cause: Cause) => `${engine}/${cause.name}`;

/** Of docker only our own command line is new, so one cause of each kind is enough. */
const USUAL_IN_DOCKER = new Set([
  'the CLI folder is read-only',
  'the CLI folder is not mounted',
  'the container is made anew with its volume',
  'the container is made anew and its volume is gone',
  'the user of the container changes, and changes back',
  'the disk is full',
  'an image that sets what the CLI listens to',
  'the image is missing',
  'the container is stopped, in mid-tool',
  'the client of the engine is killed, in mid-tool',
  'the worker is killed in mid-tool, and another one goes on at once',
]);
/**
 * The second form of a fault differs from the first in what we do, not in what the engine does: nothing was archived, or
 * it was so from the first run on.
 */
const isSecondForm = (name: string) => /(; no archive|, from the first run on)$/.test(name);
/** The quickest of those that isolate. */
const ENGINE_OF_WHAT_IS_ALIKE: EngineName = 'bubblewrap';

export function isUsual(engine: EngineName, { name, alike = false }: Cause): boolean {
  if (engine === 'docker') return USUAL_IN_DOCKER.has(name);
  return !(alike || isSecondForm(name)) || engine === ENGINE_OF_WHAT_IS_ALIKE;
}

/** With FAULT those whose id holds it, with FAULTS=all all that can be, else the usual ones. */
export function isRun(engine: EngineName, cause: Cause): boolean {
  if (cause.cannot?.[engine] !== undefined) return false;
  if (FAULT !== undefined) return idOf(engine, cause).includes(FAULT);
  return FAULTS === 'all' || isUsual(engine, cause);
}

/** Names of the selection that no cause bears any more. */
export const strangers = (causes: Cause[]): string[] =>
  [...USUAL_IN_DOCKER].filter((name) => !causes.some((cause) => cause.name === name));
