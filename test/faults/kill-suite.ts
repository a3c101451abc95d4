/**
 * `kill -9` at every fault point, on one database, in two forms: in the first dispatch of a new conversation, each on a
 * stage of its own; and in dispatch after dispatch of one conversation, which lives through all of them.
 */
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { DialectName } from '../../src/database/dialect.ts';
import { describeCases, isRun, isUsual, type Kill, kills, tellHowToReplay, type Which } from './case.ts';
import type { Round } from './facts.ts';
import { expectAllKept, expectPaidOnce } from './guarantees.ts';
import { Injector } from './injector.ts';
import { REQUESTS_PER_TURN } from './story.ts';
import { Survivor } from './survivor.ts';

export function killSuite(dialect: DialectName): void {
  const survivor = new Survivor({ id: `${dialect}/later`, dialect });
  const first = casesOf(dialect, 'first');
  const later = casesOf(dialect, 'later');
  describeCases(dialect, [...first, ...later], () => {
    afterAll(() => survivor.close());
    describeSome(first, 'kill -9 in the first dispatch', ({ id, kill }) => killInFirst(dialect, id, kill));
    describeSome(later, 'kill -9 in each dispatch of one conversation', ({ id, kill }) =>
      killInNext(survivor, id, kill),
    );
  });
}

interface KillCase {
  id: string;
  kill: Kill;
}

function describeSome(cases: KillCase[], title: string, run: (one: KillCase) => Promise<void>): void {
  if (cases.length === 0) return;
  describe(title, () => {
    for (const one of cases) test(one.kill.spec, () => run(one));
  });
}

function casesOf(dialect: DialectName, which: Which): KillCase[] {
  return kills(which)
    .map((kill) => ({ kill, id: `${dialect}/${which}/${kill.spec}` }))
    .filter(({ id, kill }) => isRun(id, isUsual(dialect, which, kill)));
}

async function killInFirst(dialect: DialectName, id: string, kill: Kill): Promise<void> {
  const injector = await Injector.open({ id, dialect });
  onTestFinished(() => injector.close());
  tellHowToReplay(id, injector);
  const killed = await injector.dieIn(kill.spec);
  const after = await injector.live();
  expectRefusalIfNotStored(injector, killed, kill);
  expectAllKept({ ...injector, facts: await injector.facts() });
  expectPaidOnce(killed, kill.point);
  expect.soft(after.requests.length, 'requests of the dispatch after it').toBe(REQUESTS_PER_TURN);
}

async function killInNext(survivor: Survivor, id: string, kill: Kill): Promise<void> {
  const injector = await survivor.next();
  tellHowToReplay(id, injector);
  const killed = await injector.dieIn(kill.spec);
  expectRefusalIfNotStored(injector, killed, kill);
  expectAllKept({ ...injector, facts: await injector.facts() });
  expectPaidOnce(killed, kill.point);
}

/** Before the row there is no 202: the forge shows the delivery as failed, and a person sends it again. */
function expectRefusalIfNotStored(injector: Injector, round: Round, { point }: Kill): void {
  if (point !== 'webhook.received') return;
  expect.soft(injector.answerTo(round), 'answer to the forge').not.toBe(202);
}
