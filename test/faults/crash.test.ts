/**
 * The host's service is killed in the middle of a run and is started again at once, while its CLI may still run: there
 * is one CLI at a time, one line of history, and nothing is done again unseen. In one dispatch after another of a conversation
 * that lives through all of them, so that there is a history to fork.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { describeCases, isRun, tellHowToReplay } from './case.ts';
import { clisOf, watchClis } from './cli-watch.ts';
import type { Round } from './facts.ts';
import { expectAllKept } from './guarantees.ts';
import type { Injector } from './injector.ts';
import { REQUESTS_PER_TURN, type Variant } from './story.ts';
import { Survivor } from './survivor.ts';

interface Crash {
  name: string;
  /** what the model does in the round of the crash */
  play: Variant;
  /** the moment to kill at, or CLAUDE_HOOKS_FAULT */
  at: ((injector: Injector) => Promise<unknown>) | string;
  /**
   * Holds in which the model keeps the runs after the crash, one after another; the service is killed in all but the
   * last. Without any, the CLI does not have to outlive the first service.
   */
  heldAgain: string[];
  /** the model is asked at most this often, for the whole round */
  requests: number;
}

const hold = (name: string, after: string) => `{ hold: { name: ${name}, after: ${after} } }`;
const AGAIN = hold('again', 'request');

const CRASHES: Crash[] = [
  {
    name: 'before the first reply',
    play: { first: `${hold('cut', 'request')}, ${AGAIN}` },
    at: ({ stage }) => stage.reached('cut'),
    heldAgain: ['again'],
    requests: 1 + REQUESTS_PER_TURN,
  },
  {
    name: 'while the answer streams',
    play: { answer: hold('cut', 'half'), again: AGAIN },
    at: ({ stage }) => stage.reached('cut'),
    heldAgain: ['again'],
    requests: 2 + REQUESTS_PER_TURN,
  },
  {
    name: 'while a tool runs and nothing is committed',
    play: { between: 'sleep 600 &&', again: AGAIN },
    at: untilWritten,
    heldAgain: ['again'],
    requests: 1 + REQUESTS_PER_TURN,
  },
  {
    name: 'while the answer streams, and again in the run that follows',
    play: { answer: hold('cut', 'half'), again: `${AGAIN}, ${hold('third', 'request')}` },
    at: ({ stage }) => stage.reached('cut'),
    heldAgain: ['again', 'third'],
    requests: 3 + REQUESTS_PER_TURN,
  },
  {
    name: 'while the archive is written',
    play: {},
    at: 'kill@archive.claimed#2',
    heldAgain: [],
    requests: 2 * REQUESTS_PER_TURN,
  },
  {
    name: 'between the result and its verification',
    play: {},
    at: 'kill@run.ended',
    heldAgain: [],
    requests: REQUESTS_PER_TURN,
  },
];

for (const dialect of ['sqlite', 'postgres'] as const) {
  const idOf = (name: string) => `${dialect}/crash/${name.replaceAll(/[ ,]+/g, '-')}`;
  const cases = CRASHES.filter(({ name }) => isRun(idOf(name), dialect === 'sqlite'));
  describeCases(dialect, cases, () => {
    const survivor = new Survivor({ id: `${dialect}/crash`, dialect });
    afterAll(() => survivor.close());
    for (const crash of cases) {
      test(`a crash ${crash.name}`, () => survive(survivor, idOf(crash.name), crash));
    }
  });
}

async function survive(survivor: Survivor, id: string, crash: Crash): Promise<void> {
  const injector = await survivor.next();
  tellHowToReplay(id, injector);
  injector.rehearse(crash.play);
  const round = await crashIn(injector, crash);

  const watch = watchClis(injector.instance);
  onTestFinished(() => watch.stop());
  if (crash.heldAgain.length === 0) await injector.start();
  for (const [i, name] of crash.heldAgain.entries()) {
    expect(clisOf(injector.instance).length, 'the CLI outlives the service').toBe(1);
    const orphans = await injector.stage.processes();
    await injector.start();
    // The new service ends this CLI by its mark. It may do so only after it has met the lock.
    const left = (await injector.stage.processes()).filter((pid) => orphans.includes(pid));
    expect(left, 'what a dead service has left when the next one listens').toEqual([]);
    await injector.stage.reached(name);
    expect(clisOf(injector.instance).length, 'CLIs').toBe(1);
    if (i < crash.heldAgain.length - 1) await injector.kill();
  }
  for (const name of ['cut', ...crash.heldAgain]) injector.stage.model.release(name);
  await injector.sendAgain();
  await injector.settled();
  expect.soft(watch.most(), 'CLIs at once').toBeLessThanOrEqual(1);
  expectAllKept({ ...injector, facts: await injector.facts() });
  expect.soft(round.requests.length, 'paid requests').toBeLessThanOrEqual(crash.requests);
}

async function crashIn(injector: Injector, { at }: Crash): Promise<Round> {
  if (typeof at === 'string') await injector.start(at);
  const round = await injector.act();
  if (typeof at === 'string') {
    await injector.died();
  } else {
    await at(injector);
    await injector.kill();
  }
  return round;
}

async function untilWritten({ stage, story, rounds }: Injector): Promise<void> {
  const [conversation] = await stage.rows.selectFrom('conversations').select('id').execute();
  const file = join(stage.state, 'work/checkouts', conversation!.id, 'greeter/lines.txt');
  await stage.until('the tool has written', () =>
    readFileSync(file, 'utf8').includes(story.line(rounds.length)),
  );
}
