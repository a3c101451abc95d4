/** Which cells of the matrix are run. */
import type { EngineName } from '../../src/vocabulary.ts';
import type { Cause } from './cause.ts';

const { FAULTS, FAULT } = process.env;

export const idOf = (engine: EngineName, cause: Cause) => `${engine}/${cause.name}`;

/** Without FAULT all, with it those whose id holds it; only docker has a selection, see `isUsual`. */
export function isRun(engine: EngineName, cause: Cause): boolean {
  if (cause.cannot?.[engine] !== undefined) return false;
  return FAULT === undefined
    ? FAULTS === 'all' || isUsual(engine, cause)
    : idOf(engine, cause).includes(FAULT);
}

export function isUsual(_engine: EngineName, _cause: Cause): boolean {
  return true;
}
