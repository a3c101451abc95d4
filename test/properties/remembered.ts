/** Runs that failed once, or that chance makes too seldom. They come first in every run. */
import type { Happening } from './happenings.ts';
import type { Script } from './lifelike-run.ts';
import type { Step } from './steps.ts';

const well: Script = { ending: 'answered', lost: 'nothing', resumeFails: false };

function deliver(kind: Happening['kind'], item: number, comment = 0, minute = 0): Step {
  return { do: 'deliver', what: { kind, item, comment, minute }, again: false, routed: true };
}

/** It is stored, and waits to be routed. */
function store(kind: Happening['kind'], item: number): Step {
  return { ...deliver(kind, item), routed: false } as Step;
}

const lease: Step = { do: 'lease', script: well, patient: true, dies: null };
const work = (gates: number): Step => ({ do: 'work', worker: 0, gates, dies: null });
const wait = (seconds: number): Step => ({ do: 'clock', seconds });
/** Asks at this very moment, whatever is due. */
const ask: Step = { do: 'lease', script: well, patient: false, dies: null };
/** Its death is seen by its lease only. */
const lostFromSight: Step[] = [wait(60), { do: 'rescue', dies: null }];
const crash: Step = { do: 'crash', worker: 0, known: true };
const finish: Step = { do: 'finish', worker: 0 };

/** Its successor is in another process (`by` 1) or in the same one (`by` 0). */
const overtake = (by: number, gates: number): Step => ({
  do: 'overtake',
  worker: 0,
  by,
  script: well,
  gates,
  late: false,
});

/** Gates as `lifelikeRun` passes them. */
const GATHERED = 1;
const PLANNED = 2;
const ENDED = 6;
const LAST_GATE = 12;

export const REMEMBERED: Record<string, Step[]> = {
  'a run that was overtaken began the session of its successor': [
    deliver('asked', 1),
    lease,
    work(GATHERED),
    overtake(1, GATHERED),
    finish,
  ],
  'a run that was overtaken in its own process': [
    deliver('asked', 1),
    lease,
    work(PLANNED),
    overtake(0, ENDED),
  ],
  'a run that was overtaken takes up what came later': [
    deliver('asked', 1),
    lease,
    { ...overtake(1, GATHERED), late: true } as Step,
    deliver('asked', 1, 3),
    work(GATHERED),
  ],
  'a run that was overtaken stores its answer': [
    deliver('asked', 1),
    lease,
    work(ENDED + 1),
    overtake(1, 0),
    finish,
  ],
  'a run that was overtaken finds its transcript gone': [
    deliver('asked', 1),
    { ...lease, script: { ...well, ending: 'unverified' } } as Step,
    work(ENDED),
    overtake(1, 0),
    finish,
  ],
  'a heartbeat that comes after the settlement': [
    deliver('asked', 1),
    lease,
    finish,
    deliver('asked', 1, 3),
    { do: 'renew', worker: 0 },
    lease,
  ],
  'one comment is told of twice': [deliver('asked', 1), deliver('asked', 1)],
  'a comment is taken back before it is read': [deliver('asked', 1), deliver('deleted', 1)],
  'a comment whose deletion was routed first': [deliver('deleted', 1), deliver('asked', 1)],
  'an answer is adopted, and what came in between was not asked': [
    deliver('asked', 1),
    lease,
    work(ENDED),
    crash,
    deliver('asked', 1, 3),
    lease,
    finish,
  ],
  'the adopting run dies, too': [
    deliver('asked', 1),
    lease,
    work(ENDED),
    crash,
    deliver('asked', 1, 3),
    lease,
    work(PLANNED + 1),
    crash,
    lease,
    finish,
  ],
  'routing fails until it is given up': [
    store('asked', 1),
    ...upTo(5).flatMap((): Step[] => [{ do: 'route', dies: null, fails: true }, wait(120)]),
  ],
  'the router dies at each of its queries': [
    store('asked', 3),
    ...upTo(25).map((dies): Step => ({ do: 'route', dies, fails: false })),
  ],
  'the worker dies at each of its gates, and is started again': upTo(LAST_GATE).flatMap((before) => [
    deliver('asked', 1, 3 * before),
    lease,
    work(before + 1),
    crash,
    lease,
    finish,
  ]),
  'the worker dies at each query of a lease': [
    deliver('asked', 1),
    ...upTo(10).map((dies) => ({ ...lease, dies }) as Step),
  ],
  'the worker dies at each query of storing the answer': [
    deliver('asked', 1),
    lease,
    work(ENDED),
    crash,
    ...upTo(10).flatMap((dies): Step[] => [
      lease,
      work(PLANNED + 1),
      { do: 'work', worker: 0, gates: 1, dies },
      ...lostFromSight,
    ]),
  ],
  'comments come while a run goes on, and it is put back': [
    deliver('asked', 1),
    lease,
    work(PLANNED),
    deliver('asked', 1, 3),
    wait(10),
    ask,
    crash,
    lease,
    finish,
  ],
  'a usage limit holds up everybody': [
    deliver('asked', 1),
    deliver('asked', 2),
    { do: 'lease', script: { ...well, ending: 'limited' }, patient: true, dies: null },
    finish,
    ask,
    wait(60),
    ask,
  ],
  'more conversations of an agent than it may run at once': [
    deliver('asked', 1),
    deliver('asked', 2),
    deliver('asked', 5),
    wait(10),
    ask,
    ask,
    ask,
  ],
  'older news of an item comes after newer': [
    deliver('assigned', 1, 0, 5),
    deliver('assigned', 1, 1, 1),
    deliver('unassigned', 1, 0, 3),
  ],
  'a conversation whose transcript is only in the archive': [
    deliver('asked', 1),
    lease,
    finish,
    deliver('asked', 1, 3),
    { ...lease, script: { ...well, lost: 'disk' } } as Step,
    finish,
  ],
  'a conversation without a trace of its transcript': [
    deliver('asked', 1),
    lease,
    finish,
    deliver('asked', 1, 3),
    { ...lease, script: { ...well, lost: 'disk-and-archive' } },
    finish,
  ],
};

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
