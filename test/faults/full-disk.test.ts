/**
 * The disk fills up at each fault point: rows, transcript and lock files can no longer be written. When there is room
 * again, nothing is lost and nothing was done twice. The checkout is on another disk, so that what fails is ours.
 *
 *   npx vitest run test/faults/full-disk.test.ts              a few points
 *   FAULTS=all npx vitest run test/faults/full-disk.test.ts   every point
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { historyText } from '../support/conversation.ts';
import { patience } from '../support/patience.ts';
import { needs } from '../support/requirements.ts';
import { isRun, kills, tellHowToReplay } from './case.ts';
import type { Facts, Round } from './facts.ts';
import { Injector } from './injector.ts';
import { REQUESTS_PER_TURN } from './story.ts';

const here = needs('cli', 'git', 'flock', 'proc', 'mount-namespace');

/** Enough room for the CLI folders and rows of both conversations. The rest of the disk is filled soon. */
const DISK = '48m';
/** A service that cannot settle its dispatch leaves it to the end of the lease. */
const SHORT_LEASE = { worker: { lease_seconds: 5 } };
const USUAL = ['webhook.received', 'run.announced', 'answer.stored', 'settle.begun'];
/** A dispatch that met trouble waits 10 s before it is tried again. */
const TIMEOUT = { timeout: patience(240_000) };

describe.skipIf(!here.ok)(here.title('a full disk'), () => {
  const cases = kills('first')
    .filter(({ spec }) => spec.endsWith('#1'))
    .map(({ point }) => ({ point, id: `sqlite/full-disk/${point}` }))
    .filter(({ point, id }) => isRun(id, USUAL.includes(point)));

  for (const { point, id } of cases) {
    test(`at ${point}`, TIMEOUT, async () => {
      const injector = await Injector.open({ id, dialect: 'sqlite', config: SHORT_LEASE });
      onTestFinished(() => injector.close());
      tellHowToReplay(id, injector);
      const ballast = mountSmallDisk(injector);
      await injector.start();
      const first = await injector.live();
      await injector.start(`fill:${ballast}@${point}`);
      const second = await injector.act();
      await injector.stage.until('the disk is full', () => existsSync(ballast));
      await injector.stage.until(
        'somebody noticed',
        async () => noticed(injector) || (await isIdle(injector)),
      );
      rmSync(ballast);
      await injector.stage.forge.settled();
      await injector.sendAgain();
      await untilDone(injector, 2);
      await injector.settled();
      const third = await injector.live();
      await untilDone(injector, 3);
      const facts = await injector.facts();
      expectNothingLost(facts);
      expectNothingTwice(facts);
      expectRemembered(injector, [first, second, third]);
    });
  }
});

function mountSmallDisk({ stage }: Injector): string {
  const outside = join(stage.folder, 'work-on-another-disk');
  const work = join(stage.state, 'work');
  mkdirSync(outside);
  mkdirSync(stage.state, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'claude-hooks-test', stage.state]);
  mkdirSync(work);
  execFileSync('mount', ['--bind', outside, work]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', work]);
    execFileSync('umount', ['-l', stage.state]);
  });
  return join(stage.state, 'ballast');
}

const FULL = /disk is full|database or disk|ENOSPC|no space left/i;

function noticed({ stage }: Injector): boolean {
  return FULL.test(stage.logged.join(''));
}

async function isIdle({ stage }: Injector): Promise<boolean> {
  const dispatches = await stage.dispatches();
  return dispatches.length === 2 && dispatches.every((d) => d.state === 'succeeded');
}

/** Waits out parks and leases. */
async function untilDone({ stage }: Injector, dispatches: number): Promise<void> {
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; ) {
    const rows = await stage.dispatches();
    if (rows.length === dispatches && rows.every((d) => d.state === 'succeeded')) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect((await stage.dispatches()).map((d) => `${d.state} ${d.reason ?? ''}`)).toEqual(
    Array.from({ length: dispatches }, () => 'succeeded '),
  );
}

function expectNothingLost(facts: Facts): void {
  expect.soft(facts.deliveries.filter((d) => d.endsWith(' routed')).length, 'acts routed').toBe(3);
  expect.soft(facts.deliveries.filter((d) => / (received|failed)$/.test(d))).toEqual([]);
  expect.soft(facts.messages.map((m) => m.state)).toEqual(['answered', 'answered', 'answered']);
}

function expectNothingTwice(facts: Facts): void {
  const marks = facts.comments.flatMap((c) =>
    [...c.matchAll(/<!-- claude-hooks (\S+) -->/g)].map((m) => m[1]),
  );
  expect.soft(marks, 'one answer for each dispatch').toEqual(facts.dispatches.map((d) => `${d.id}:comment`));
  expect.soft(facts.pulls.length, 'one pull request').toBe(1);
  expect.soft(new Set(facts.branch.lines).size, 'no line twice').toBe(facts.branch.lines.length);
  expect.soft(facts.effects.map((e) => e.state)).toEqual(facts.effects.map(() => 'done'));
  expect.soft(facts.processes, 'something still runs').toEqual([]);
}

/** Resumed, restored or rebuilt: the first prompt is before the model's eyes, and a rebuild has its incident. */
function expectRemembered({ story }: Injector, rounds: Round[]): void {
  const last = rounds.at(-1)!.requests.at(-1)!;
  const seen = `${historyText(last)} ${last.prompt}`;
  expect.soft(seen, 'the first prompt is remembered').toContain(story.word);
  expect.soft(rounds.at(-1)!.requests.length, 'requests of the dispatch after it').toBe(REQUESTS_PER_TURN);
}
