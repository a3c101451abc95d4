/** Everything that can happen to the service, as data: a failing run can be read, shortened and told again. */
import fc from 'fast-check';
import { type Happening, KINDS } from './happenings.ts';
import { ENDINGS, LOSSES, type Script } from './lifelike-run.ts';

const WORKERS = 3;

export type Step =
  /** `again`: the forge repeats its last delivery with the same id, as after a time-out; `routed`: and it is decided */
  | { do: 'deliver'; what: Happening; again: boolean; routed: boolean }
  | { do: 'replay'; delivery: number }
  /** `dies` after that many queries; `fails`: routing throws at its end, and the process lives on */
  | { do: 'route'; dies: number | null; fails: boolean }
  /** an idle worker asks for work; `patient`: at the time when the next dispatch is due */
  | { do: 'lease'; script: Script; patient: boolean; dies: number | null }
  /** a busy worker goes on past that many gates */
  | { do: 'work'; worker: number; gates: number; dies: number | null }
  | { do: 'finish'; worker: number }
  | { do: 'renew'; worker: number }
  /** `known`: it was the service of this state folder, which starts again and puts back what it ran */
  | { do: 'crash'; worker: number; known: boolean }
  | { do: 'rescue'; dies: number | null }
  /** a busy worker stands still for longer than its lease, and an idle one takes what it runs; `late`: it stays still */
  | { do: 'overtake'; worker: number; by: number; script: Script; gates: number; late: boolean }
  | { do: 'clock'; seconds: number }
  /** every worker at its own next move, the router and a rescue, all at the same time */
  | { do: 'rush'; scripts: Script[] };

const worker = fc.nat(WORKERS - 1);
const dies = fc.option(fc.nat(12), { freq: 8 });
const mostly = usual(true, 3);

function usual<T>(
  value: T,
  times: number,
  other: fc.Arbitrary<T> = fc.constant(!value as T),
): fc.Arbitrary<T> {
  return fc.oneof({ weight: times, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other });
}

const happening: fc.Arbitrary<Happening> = fc.record({
  kind: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom<Happening['kind']>('assigned', 'asked', 'review-requested') },
    { weight: 1, arbitrary: fc.constantFrom(...KINDS) },
  ),
  item: usual<Happening['item']>(1, 1, fc.constantFrom(1, 2, 3, 4)),
  comment: fc.nat(3),
  minute: fc.nat(5),
});

const script: fc.Arbitrary<Script> = fc.record({
  ending: usual<Script['ending']>('answered', 1, fc.constantFrom(...ENDINGS)),
  lost: usual<Script['lost']>('nothing', 1, fc.constantFrom(...LOSSES)),
  resumeFails: usual(false, 2),
});

/** Up to an hour forward, which is longer than most leases and waits, and backward as by a wrong clock. */
const seconds = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 90 }) },
  { weight: 1, arbitrary: fc.integer({ min: 90, max: 3600 }) },
  { weight: 1, arbitrary: fc.integer({ min: -120, max: -1 }) },
);

/** A run has twelve gates at most; much can go wrong at the first. */
const gates = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 12 }));

type Of<D extends Step['do']> = Extract<Step, { do: D }>;
type Fields<D extends Step['do']> = { [K in keyof Omit<Of<D>, 'do'>]: fc.Arbitrary<Of<D>[K]> };

function step<D extends Step['do']>(name: D, weight: number, fields: Fields<D>) {
  const arbitrary = fc.record({ do: fc.constant(name), ...fields } as never) as fc.Arbitrary<Step>;
  return { weight, arbitrary };
}

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  step('deliver', 8, { what: happening, again: usual(false, 4), routed: mostly }),
  step('replay', 1, { delivery: fc.nat(20) }),
  step('route', 4, { dies, fails: usual(false, 7) }),
  step('lease', 8, { script, patient: mostly, dies }),
  step('work', 9, { worker, gates, dies }),
  step('finish', 3, { worker }),
  step('renew', 2, { worker }),
  step('crash', 2, { worker, known: fc.boolean() }),
  step('rescue', 2, { dies }),
  step('overtake', 4, { worker, by: worker, script, gates: fc.nat(12), late: fc.boolean() }),
  step('clock', 3, { seconds }),
  step('rush', 1, { scripts: fc.array(script, { minLength: WORKERS, maxLength: WORKERS }) }),
);
