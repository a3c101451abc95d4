/** What a turn must be, and how that is checked: by the history that reached the model, and by the rows. */
import { expect } from 'vitest';
import type { Turn } from '../support/conversation.ts';
import type { Stage } from './stage.ts';

export interface Expected {
  /** the rung the run that answered began on; `none`: the engine did not start, and no id was touched */
  rung: 'fresh' | 'resumed' | 'restored' | 'repaired' | 'rebuilt' | 'none';
  /** of the outcome; for `none` a part of the engine's words */
  reason: string;
  /** false: the answer stands, its session was given up */
  saved: boolean;
  /** `rung reason` of each incident */
  incidents: string[];
  /** lines `resume of <uuid> failed — retrying fresh` */
  failedResumes: number;
}

const UNSAVED = 'unverified transcript-not-written';

export const resumed: Expected = {
  rung: 'resumed',
  reason: 'in-order',
  saved: true,
  incidents: [],
  failedResumes: 0,
};

/** The history was read and answered with, and the new turn could not be written. */
export const unsaved: Expected = { ...resumed, saved: false, incidents: [UNSAVED] };

export const freshUnsaved: Expected = { ...unsaved, rung: 'fresh', reason: 'first-dispatch' };

export const restored = (reason: string): Expected => ({
  ...resumed,
  rung: 'restored',
  reason,
  incidents: [`restored ${reason}`],
});

export const rebuilt = (reason: string): Expected => ({
  ...resumed,
  rung: 'rebuilt',
  reason,
  incidents: [`rebuilt ${reason}`],
});

/**
 * The first rung that does not read the folder is the last one: the record as text, in a session that is not kept.
 */
export const toldUnsaved: Expected = {
  rung: 'rebuilt',
  reason: 'resume-failed',
  saved: false,
  incidents: [
    'restored resume-failed',
    'rebuilt resume-failed',
    'rebuilt resume-failed',
    'unverified transcript-not-written',
  ],
  failedResumes: 3,
};

/** Rebuilt, because the last turn was not kept; and this one is not kept either. */
export const rebuiltUnsaved: Expected = {
  ...rebuilt('transcript-not-written'),
  saved: false,
  incidents: ['rebuilt transcript-not-written', UNSAVED],
};

/** As before, but the folder that holds the rebuilt session is not the one that is seen inside. */
export const toldUnsavedAgain: Expected = {
  ...toldUnsaved,
  incidents: ['rebuilt transcript-not-written', 'rebuilt resume-failed', UNSAVED],
  failedResumes: 1,
};

export const engineFailed = (words: string): Expected => ({ ...resumed, rung: 'none', reason: words });

/** `facts` is what must be before the model's eyes: the first prompt's, and what was said since. */
export async function expectTurn(stage: Stage, turn: Turn, expected: Expected): Promise<void> {
  expect(turn.outcome).toMatchObject({
    kind: 'answered',
    continuity: expected.rung,
    reason: expected.reason,
    verified: expected.saved ? { sessionId: (await stage.c.session()).id } : null,
  });
  const told = turn.requests[0]!.prompt.includes('The earlier session of this conversation was lost');
  const known = told ? turn.requests[0]!.prompt : turn.history;
  if (expected.rung !== 'fresh')
    for (const fact of stage.facts) expect(known, 'what was said').toContain(fact);
  const whole = ['resumed', 'restored', 'repaired'].includes(expected.rung) && stage.wholeSoFar;
  if (whole) expect(turn.history, 'the output of a tool').toContain(stage.secret);
  if (expected.rung === 'rebuilt' && !stage.secretIsTold) expect(turn.history).not.toContain(stage.secret);
  await expectRows(stage, turn, expected);
}

async function expectRows(stage: Stage, turn: Turn, expected: Expected): Promise<void> {
  const incidents = (await stage.c.incidents()).filter((i) => i.dispatch_id === turn.dispatch.id);
  expect(incidents.map((i) => `${i.rung} ${i.reason}`)).toEqual(expected.incidents);
  for (const { evidence } of incidents) expect(JSON.parse(evidence)).toBeTypeOf('object');
  expect(failedResumes(stage, turn.dispatch.id)).toBe(expected.failedResumes);
  const session = await stage.c.session();
  expect(session.state).toBe(expected.saved ? 'verified' : 'abandoned');
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

function failedResumes({ c }: Stage, dispatch: string): number {
  const line = new RegExp(`^\\[dev\\] ${dispatch}: resume of ${UUID} failed — retrying fresh$`);
  return c.logged.filter((l) => line.test(l)).length;
}
