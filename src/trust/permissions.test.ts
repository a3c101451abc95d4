/** How long an answer of the forge counts, and whose answer it is. */
import { expect, test } from 'vitest';
import { HOME } from '../../test/support/edge.ts';
import { ForgeRefused, ForgeUnavailable } from '../errors.ts';
import type { Permission } from '../vocabulary.ts';
import { Patience } from './patience.ts';
import { Permissions } from './permissions.ts';

type Answer = Permission | 'unknown' | Error;

const accounts = { dev: { login: 'd', token: '1' }, reviewer: { login: 'r', token: '2' } };
const forge = { ...HOME, accounts };
const repository = { id: '3', fullName: 'team/shop' };
const alice = { id: 7, login: 'alice' };
const question = { forge, repository, user: alice };

function permissions(answers: (agent: string, login: string) => Answer | Promise<Answer>) {
  const asked: string[] = [];
  const clock = { now: 0 };
  const subject = new Permissions({
    client: (_, agent) => ({
      permissionOf: async (_repository, { login }) => {
        asked.push(agent);
        const answer = await answers(agent, login);
        if (answer instanceof Error) throw answer;
        return answer;
      },
    }),
    now: () => clock.now,
    patience: new Patience(() => clock.now),
  });
  return { subject, asked, clock };
}

test.each<[Answer, Answer, Permission | 'unknown']>([
  ['write', 'none', 'write'],
  ['unknown', 'read', 'read'],
  ['none', 'write', 'write'],
  ['none', 'none', 'none'],
  // One of them may not see the repository.
  ['none', 'unknown', 'unknown'],
  ['unknown', 'unknown', 'unknown'],
  [new ForgeRefused('no', 401), 'write', 'write'],
  [new ForgeUnavailable('down'), 'read', 'read'],
])('dev says %s and reviewer %s: %s', async (dev, reviewer, answer) => {
  const { subject } = permissions((agent) => (agent === 'dev' ? dev : reviewer));
  expect(await subject.of(question)).toBe(answer);
});

test('no account at all knows nothing', async () => {
  const { subject } = permissions(() => 'owner');
  expect(await subject.of({ ...question, forge: { ...forge, accounts: {} } })).toBe('unknown');
});

test.each([
  ['write', 5 * 60_000],
  ['read', 30_000],
  ['unknown', 30_000],
] as const)('%s is remembered for %i ms, and less long where that is asked for', async (answer, ms) => {
  const { subject, asked, clock } = permissions((agent) => (agent === 'dev' ? answer : 'unknown'));
  const once = answer === 'unknown' ? 2 : 1;
  await subject.of(question);
  clock.now = ms;
  expect(await subject.of(question)).toBe(answer);
  expect(subject.remembered(question)).toBe(answer);
  expect(asked).toHaveLength(once);
  expect(subject.remembered(question, ms - 1)).toBeNull();
  clock.now = ms + 1;
  expect(subject.remembered(question)).toBeNull();
  await subject.of(question);
  expect(asked).toHaveLength(2 * once);
});

test('people are told apart by id and by login, repositories by id', async () => {
  const { subject, asked } = permissions(() => 'write');
  await subject.of(question);
  expect(subject.remembered({ ...question, user: { id: 7, login: 'ALICE' } })).toBe('write');
  expect(subject.remembered({ ...question, user: { id: 8, login: 'alice' } })).toBeNull();
  expect(subject.remembered({ ...question, repository: { id: '4', fullName: 'team/shop' } })).toBeNull();
  expect(subject.remembered({ ...question, repository: { id: '3', fullName: 'team/renamed' } })).toBe(
    'write',
  );
  expect(asked).toEqual(['dev']);
});

test('questions at once are one question, and a failure is nobody else’s answer', async () => {
  const first = Promise.withResolvers<Answer>();
  const { subject, asked } = permissions(() => first.promise);
  const both = [subject.of(question), subject.of(question)];
  first.resolve('write');
  expect(await Promise.all(both)).toEqual(['write', 'write']);
  expect(asked).toEqual(['dev']);
});

test('a forge that was down a moment ago is left alone for ten seconds', async () => {
  const { subject, asked, clock } = permissions(() => new ForgeUnavailable('down'));
  await expect(subject.of(question)).rejects.toThrow('down');
  expect(asked).toEqual(['dev', 'reviewer']);
  clock.now = 9_999;
  await expect(subject.of({ ...question, user: { id: 9, login: 'eve' } })).rejects.toThrow('down');
  expect(asked).toHaveLength(2);
  clock.now = 10_000;
  await expect(subject.of(question)).rejects.toThrow('down');
  expect(asked).toHaveLength(4);
});
