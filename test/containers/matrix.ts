/** Runs every cause on one engine: the right layout, the fault, and the right layout again. */
import { afterAll, describe, expect, test } from 'vitest';
import { clisOf } from '../faults/cli-watch.ts';
import type { Turn } from '../support/conversation.ts';
import type { TestEngine } from '../support/engines.ts';
import { KeptTurn } from '../support/kept-turn.ts';
import { SCRIPT } from '../support/planted.ts';
import { type Cause, engineOf, type Fault } from './cause.ts';
import { CAUSES } from './causes.ts';
import { type Expected, expectTurn } from './expected.ts';
import { isRun } from './selection.ts';
import { Stage } from './stage.ts';

export function faultMatrix(engine: TestEngine): void {
  describe.skipIf(!engine.need.ok)(engine.need.title(`faults in ${engine.name}`), () => {
    const kept = new KeptTurn(SCRIPT);
    afterAll(() => kept.close());
    for (const cause of CAUSES) {
      if (!isRun(engine.name, cause)) continue;
      test(cause.name, () => runCause(engine, cause, kept));
    }
  });
}

async function runCause(engine: TestEngine, cause: Cause, kept: KeptTurn): Promise<void> {
  const stage = await Stage.open(engine, kept);
  try {
    await throughFault(stage, cause);
    expect(clisOf(stage.c.folder), 'CLIs that still run').toEqual([]);
  } catch (error) {
    console.error(stage.c.logged.join('\n'));
    throw error;
  } finally {
    await stage.close();
  }
}

async function throughFault(stage: Stage, cause: Cause): Promise<void> {
  const { name } = stage.test;
  const archive = cause.archive ?? true;
  const fault = cause.first === undefined ? await afterPlanting(stage, cause) : await plantedIn(stage, cause);
  const during = engineOf(cause.during, name);
  if (during.rung === 'none') await expectEngineFails(stage, fault, during);
  else {
    const turn = await (fault.act?.(stage) ?? stage.ask({ archive, ...fault.turn }));
    await meets(stage, turn, during);
    await cause.check?.(stage, turn);
  }
  fault.mend?.();
  if (cause.after === undefined) return;
  const next = await stage.ask({ archive, ...(during.saved ? kept(fault) : {}) });
  await meets(stage, next, engineOf(cause.after, name));
}

/** What a fault has moved stays moved. */
function kept({ turn }: Fault) {
  return { ...(turn?.state === undefined ? {} : { state: turn.state }) };
}

async function afterPlanting(stage: Stage, cause: Cause): Promise<Fault> {
  const archive = cause.archive ?? true;
  const planted = await (cause.ownFirstTurn ? stage.plant({ archive }) : stage.planted(archive));
  expect(planted.outcome, JSON.stringify(planted.outcome)).toMatchObject({
    kind: 'answered',
    continuity: 'fresh',
  });
  stage.learn(planted);
  return await cause.arrange(stage);
}

async function plantedIn(stage: Stage, cause: Cause): Promise<Fault> {
  const fault = await cause.arrange(stage);
  await meets(stage, await stage.plant(fault.turn), cause.first!);
  return fault;
}

/** The turn's own fact counts from the next turn on, so the expectation is made before the turn. */
async function meets(stage: Stage, turn: Turn, expected: Expected): Promise<void> {
  await expectTurn(stage, turn, expected);
  stage.learn(turn);
  if (expected.rung === 'rebuilt') stage.wholeSoFar = false;
  if (expected.saved) expect(await stage.forks(), 'branches of the transcript').toEqual([]);
}

/** Nothing is said of the session then: the dispatch waits, and the id is what it was. */
async function expectEngineFails(stage: Stage, fault: Fault, expected: Expected): Promise<void> {
  const before = await stage.c.session();
  const lease = await stage.c.lease();
  const seen = await stage.c
    .run(lease, 'ASK: what do you know?', stage.options(fault.turn))
    .then(({ outcome }) => ({ outcome, thrown: false }))
    .catch((error: Error) => ({ outcome: { kind: 'transient', why: error.message }, thrown: true }));
  expect(seen.outcome).toMatchObject({ kind: 'transient', why: expect.stringContaining(expected.reason) });
  if (seen.thrown) await stage.c.interrupt(lease);
  expect(await stage.c.session()).toEqual(before);
  expect(await stage.c.incidents()).toEqual([]);
}
