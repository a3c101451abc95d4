/** One row of the matrix: how a layout or a machine breaks, and what must become of the conversation. */
import type { EngineName } from '../../src/vocabulary.ts';
import type { Turn, TurnOptions } from '../support/conversation.ts';
import type { Expected } from './expected.ts';
import type { Stage } from './stage.ts';

export interface Fault {
  /** options of the turns in it */
  turn?: TurnOptions;
  /** instead of a plain turn: what happens while it runs */
  act?: (stage: Stage) => Promise<Turn>;
  /** before the turn after it */
  mend?: () => void;
}

type ForEngine<T> = (engine: EngineName) => T;

export interface Cause {
  name: string;
  /** engines that can have this cause; for the others the reason why they cannot */
  cannot?: Partial<Record<EngineName, string>>;
  /** the fault is there from the first run on, so that run must end as said here */
  first?: Expected;
  /** only the worker is concerned: one engine is enough, unless all are asked for */
  alike?: boolean;
  /** it needs the container of the first turn, so that turn is run and not put back from a copy */
  ownFirstTurn?: boolean;
  /** sessions are archived in all turns; default true */
  archive?: boolean;
  arrange: (stage: Stage) => Fault | Promise<Fault>;
  during: Expected | ForEngine<Expected>;
  /** the turn after it, in the right layout; absent where `during` is a whole and saved resume */
  after?: Expected | ForEngine<Expected>;
  check?: (stage: Stage, turn: Turn) => void | Promise<void>;
}

export const engineOf = <T extends object>(value: T | ForEngine<T>, engine: EngineName): T =>
  typeof value === 'function' ? (value as ForEngine<T>)(engine) : value;

const ALL: readonly EngineName[] = ['podman', 'docker', 'bubblewrap', 'process'];

/** The same reason for several engines. */
export function cannot(why: string, ...engines: EngineName[]): Partial<Record<EngineName, string>> {
  return Object.fromEntries(ALL.filter((e) => engines.includes(e)).map((e) => [e, why]));
}

export const NO_IMAGE = 'it runs the /usr of this machine and no image';
export const NO_MOUNTS = 'a bare process sees this machine as it is: nothing is mounted';
