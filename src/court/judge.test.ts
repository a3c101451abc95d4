import { expect, test } from 'vitest';
import { type Case, judge, type Waker } from './judge.ts';

const SETTINGS = { agentRuns: 2, robotRuns: 3, runsPerHour: 4, withoutProgress: 2 };
const CALM: Case = { wakers: ['person'], startedAt: [], withoutProgress: 0 };

const ruleOf = (facts: Partial<Case>) => judge({ ...CALM, ...facts }, SETTINGS)?.rule ?? null;
const wakers = (letters: string) =>
  [...letters].map((l): Waker => (l === 'p' ? 'person' : l === 'a' ? 'agent' : 'robot'));

test.each([
  ['p', null],
  ['aa', null],
  ['aap', null],
  ['aaa', 'agents'],
  ['aapa', null],
  ['raa', null],
  ['raar', 'robots'],
  ['rrr', null],
  ['rrrr', 'robots'],
  ['rrrp', null],
  ['prrrrrr', null],
])('woken by %s: %s', (letters, rule) => {
  expect(ruleOf({ wakers: wakers(letters) })).toBe(rule);
});

test('no progress counts while no person speaks', () => {
  expect(ruleOf({ wakers: wakers('r'), withoutProgress: 1 })).toBeNull();
  expect(ruleOf({ wakers: wakers('r'), withoutProgress: 2 })).toBe('progress');
  expect(ruleOf({ wakers: wakers('p'), withoutProgress: 9 })).toBeNull();
});

test('the hourly cap holds persons too, until the run that makes room is an hour old', () => {
  expect(ruleOf({ startedAt: [1, 2, 3] })).toBeNull();
  expect(judge({ ...CALM, startedAt: [10, 20, 30, 40, 50] }, SETTINGS)).toMatchObject({
    rule: 'per-hour',
    until: 20 + 3_600_000,
  });
});
