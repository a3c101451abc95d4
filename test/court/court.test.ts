/**
 * Loops, each with what it may cost at most before it stands still. Who is a program is known by its account. Runs cost ten
 * cents each. `npm run prove -- court` switches each defence off: then the scenario passes its bound.
 */
import { expect, onTestFinished, test } from 'vitest';
import { armFault } from '../../src/faults.ts';
import { liftHold } from '../../src/mailbox/holds.ts';
import type { ForgeEvent, ForgeUser } from '../../src/vocabulary.ts';
import {
  alice,
  assignedEvent,
  ciFailedEvent,
  commentEvent,
  devBot,
  reviewBot,
  reviewEvent,
  reviewRequestedEvent,
  synchronizedEvent,
} from '../support/sample-events.ts';
import { CourtWorld, MINUTE, type Play } from './world.ts';

const robot = (login: string, id: number): ForgeUser => ({ id, login });
const ECHO = robot('echo-bot', 101);
const MENTION = robot('mention-bot', 102);
const HALF_HOUR = robot('half-hour-bot', 103);
const QUOTA = robot('quota-notes', 104);
/** a program whose account nobody has named: it passes for a person */
const UNKNOWN = robot('edits-for-ever', 105);

const DAYS = 24 * 60;

interface Scenario {
  play: Play;
  /** what begins it */
  begins: ForgeEvent[];
  minutes?: number;
  /** runs, and by that dollars */
  bound: number;
  /** what the hold says */
  says: RegExp;
}

const pullComment = (body: string, sender: ForgeUser) =>
  commentEvent(body, { sender, item: reviewRequestedEvent('x').item, pull: reviewRequestedEvent('x').pull });

const SCENARIOS: Record<string, Scenario> = {
  'two agents that praise each other': {
    begins: [pullComment('@dev-bot what do you think?', alice)],
    play: ({ conversation }) => ({
      progress: false,
      next: [
        conversation.agent === 'dev'
          ? pullComment('Splendid work, @review-bot!', devBot)
          : pullComment('No, yours, @dev-bot!', reviewBot),
      ],
    }),
    bound: 6,
    says: /runs in a row left nothing of what they were for/,
  },
  'a reviewer that never approves': {
    begins: [assignedEvent('dev-bot', 'pull'), reviewRequestedEvent('review-bot')],
    play: ({ conversation }) => ({
      progress: true,
      next: [
        conversation.agent === 'dev'
          ? synchronizedEvent(devBot)
          : reviewEvent({ id: 1, verdict: 'changes_requested', body: 'Not yet.', htmlUrl: '' } as never),
      ],
    }),
    bound: 15,
    says: /agents have woken each other 6 times in a row/,
  },
  'an echo bot': {
    begins: [assignedEvent('dev-bot')],
    play: () => ({ progress: true, next: [commentEvent('I have done it.', { sender: ECHO })] }),
    bound: 11,
    says: /programs have woken this agent 10 times in a row/,
  },
  'a quota-notice bot': {
    begins: [assignedEvent('dev-bot')],
    play: () => ({ progress: false, next: [commentEvent('Quota exceeded.', { sender: QUOTA })] }),
    bound: 3,
    says: /3 runs in a row left nothing/,
  },
  'a mention-back bot': {
    begins: [assignedEvent('dev-bot')],
    play: () => ({ progress: true, next: [commentEvent('Thanks @dev-bot, thanks!', { sender: MENTION })] }),
    bound: 11,
    says: /programs have woken this agent 10 times in a row/,
  },
  'CI that never settles': {
    begins: [assignedEvent('dev-bot', 'pull')],
    play: (_, world) => ({
      progress: true,
      next: [
        withHead(world.runs.length, synchronizedEvent(devBot)),
        withHead(world.runs.length, ciFailedEvent()),
      ],
    }),
    bound: 11,
    says: /programs have woken this agent 10 times in a row/,
  },
  'one event every 31 minutes': {
    begins: [assignedEvent('dev-bot')],
    play: (_, world) => {
      world.now += 30 * MINUTE;
      return { progress: true, next: [commentEvent('Still there?', { sender: HALF_HOUR })] };
    },
    minutes: 7 * DAYS,
    bound: 11,
    says: /programs have woken this agent 10 times in a row/,
  },
};

function withHead(n: number, event: ForgeEvent): ForgeEvent {
  const headSha = n.toString(16).padStart(40, '0');
  return {
    ...event,
    pull: { ...event.pull!, headSha },
    ci: event.ci === null ? null : { ...event.ci, headSha },
  };
}

test.each(Object.entries(SCENARIOS))('%s', async (_, { play, begins, minutes = DAYS, bound, says }) => {
  await using world = await CourtWorld.open(play);
  for (const event of begins) await world.tell(event);
  await world.play({ minutes, most: bound });
  expect(world.runs.length).toBeLessThanOrEqual(bound);
  expect(await world.dollars()).toBeLessThanOrEqual(bound * 0.1 + 1e-9);
  // It has really been a loop, and it stands still now, for a person.
  expect(world.runs.length).toBeGreaterThan(bound / 2);
  const holds = await world.holds();
  expect(holds.length).toBeGreaterThan(0);
  for (const hold of holds) expect(hold).toMatchObject({ by_kind: 'court', until: null });
  expect(holds.map(({ reason }) => reason).join()).toMatch(says);
});

test('a bot that edits its comment for ever, whose account nobody has named: 20 runs an hour', async () => {
  await using world = await CourtWorld.open(() => ({
    progress: true,
    next: [commentEvent('@dev-bot once more', { name: 'comment.edited', sender: UNKNOWN })],
  }));
  await world.tell(assignedEvent('dev-bot'));
  const HOURS = 5;
  await world.play({ minutes: HOURS * 60, most: 1000 });
  // An hour here is any sixty minutes.
  const inAnHour = world.runs.map(
    ({ at }) => world.runs.filter((r) => r.at > at - 60 * MINUTE && r.at <= at).length,
  );
  expect(Math.max(...inAnHour)).toBe(20);
  expect(world.runs.length).toBeLessThanOrEqual(20 * HOURS);
  expect(world.runs.length).toBeGreaterThan(20 * (HOURS - 1) - 1);
  expect(await world.dollars()).toBeLessThanOrEqual(20 * HOURS * 0.1);
});

test('only a person lifts what the court has held; a word of a person alone does not, and afterwards it counts anew', async () => {
  await using world = await CourtWorld.open(SCENARIOS['an echo bot']!.play);
  await world.tell(assignedEvent('dev-bot'));
  await world.play({ minutes: DAYS, most: 50 });
  expect(world.runs.length).toBe(11);
  const [hold] = await world.holds();
  for (const kind of ['court', 'budget', 'limit'] as const) {
    await liftHold(world.database.rows, { id: hold!.id, by: { kind }, now: world.now });
  }
  await world.tell(commentEvent('Go on.', { sender: alice }));
  await world.play({ minutes: DAYS, most: 50 });
  expect(world.runs.length).toBe(11);
  const lifted = await liftHold(world.database.rows, {
    id: hold!.id,
    by: { kind: 'person', name: 'ada' },
    now: world.now,
  });
  expect(lifted.lifted).toHaveLength(1);
  await world.play({ minutes: DAYS, most: 50 });
  // The run that waited is a person's, too, by alice's word; then ten by the robot.
  expect(world.runs.length).toBe(22);
  expect(await world.holds()).toMatchObject([{ by_kind: 'court' }]);
});

test('a service that dies just after the hold was placed finds it at the next start, and places no second one', async () => {
  const { play, begins, bound } = SCENARIOS['two agents that praise each other']!;
  await using world = await CourtWorld.open(play);
  for (const event of begins) await world.tell(event);
  onTestFinished(() => armFault(null));
  armFault((point) => {
    if (point === 'court.held') throw new Error('killed');
  });
  const minutes = DAYS;
  await expect(world.play({ minutes, most: bound })).rejects.toThrow('killed');
  armFault(null);
  const placed = await world.holds();
  expect(placed).toHaveLength(1);
  await world.play({ minutes, most: bound });
  expect((await world.holds()).filter(({ scope }) => scope === placed[0]!.scope)).toHaveLength(1);
  expect(world.runs.length).toBeLessThanOrEqual(bound);
});
