/** Stories that went wrong once, or that chance tells too seldom. They are told first in every run. */
import type { Happening } from './happenings.ts';
import type { Script } from './lifelike-run.ts';
import type { Step } from './steps.ts';

const well: Script = { ending: 'answered', lost: 'nothing', resumeFails: false };

function deliver(kind: Happening['kind'], item: number, comment = 0, routed = true): Step {
  return { do: 'deliver', what: { kind, item, comment, minute: 0 }, again: false, routed };
}

const lease: Step = { do: 'lease', script: well, patient: true, dies: null };
const work = (gates: number): Step => ({ do: 'work', worker: 0, gates, dies: null });
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
  'a heartbeat that comes after the settlement': [
    deliver('asked', 1),
    lease,
    finish,
    deliver('asked', 1, 3),
    { do: 'renew', worker: 0 },
    lease,
  ],
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
    deliver('asked', 1, 0, false),
    ...[0, 1, 2, 3, 4].flatMap((): Step[] => [
      { do: 'route', dies: null, fails: true },
      { do: 'clock', seconds: 120 },
    ]),
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
