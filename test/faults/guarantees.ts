/** What must be true after any fault: nothing is lost, done twice or forgotten. */
import { expect } from 'vitest';
import type { Message } from '../../rehearsal/model-request.ts';
import type { FaultPoint } from '../../src/faults.ts';
import { historyText } from '../support/conversation.ts';
import type { Facts, Round } from './facts.ts';
import { commentBody, REQUESTS_PER_TURN, type Story } from './story.ts';
import { forks } from './transcript-tree.ts';

export interface Outcome {
  story: Story;
  facts: Facts;
  rounds: readonly Round[];
}

export function expectAllKept({ story, facts, rounds }: Outcome): void {
  expectNothingLost(facts, rounds.length);
  expectNothingTwice(story, facts, rounds.length);
  expectOneHistory(story, facts, rounds);
  expectShownOnce(facts, rounds.length);
  expect.soft(facts.processes, 'something still runs').toEqual([]);
}

function expectNothingLost(facts: Facts, rounds: number): void {
  const comments = Array.from({ length: rounds - 1 }, () => 'comment.created routed');
  expect
    .soft(
      facts.deliveries.filter((d) => d.endsWith(' routed')),
      'one delivery routed for each act',
    )
    .toEqual(['issue.assigned routed', ...comments]);
  expect.soft(facts.deliveries.filter((d) => / (received|failed)$/.test(d))).toEqual([]);
  expect.soft(facts.messages.map((m) => m.state)).toEqual(facts.messages.map(() => 'answered'));
  expect.soft(facts.messages.length, 'messages').toBe(rounds);
}

function expectNothingTwice(story: Story, facts: Facts, rounds: number): void {
  const lines = Array.from({ length: rounds }, (_, i) => story.line(i + 1));
  expect
    .soft(
      facts.dispatches.map((d) => d.state),
      'dispatches',
    )
    .toEqual(lines.map(() => 'succeeded'));
  expect.soft(new Set(facts.messages.map((m) => m.dispatch_id)).size, 'a dispatch for each').toBe(rounds);
  const markers = facts.comments.flatMap((c) =>
    [...c.matchAll(/<!-- claude-hooks (\S+) -->/g)].map((m) => m[1]),
  );
  expect
    .soft(markers, 'one answer for each dispatch')
    .toEqual(facts.dispatches.map((d) => `${d.id}:comment`));
  for (const [i, line] of lines.entries()) {
    expect.soft(facts.comments[i], `answer ${i + 1}`).toContain(line);
    expect.soft(facts.comments[i], `answer ${i + 1} names the pull request`).toContain('Pull request: #2');
  }
  expect.soft(facts.pulls, 'one pull request').toEqual([{ number: 2, head: facts.branch.head }]);
  expect.soft(facts.branch.subjects, 'one commit for each dispatch').toEqual(lines);
  expect.soft(facts.branch.lines, 'one line for each dispatch').toEqual(lines);
  expect.soft(facts.checkout, 'everything is pushed').toEqual({ head: facts.branch.head, status: '' });
  expect.soft(facts.effects.map((e) => e.state)).toEqual(facts.effects.map(() => 'done'));
  const kinds = ['push', 'pull', 'comment', ...lines.slice(1).flatMap(() => ['push', 'comment'])];
  expect.soft(facts.effects.map((e) => e.kind)).toEqual(kinds);
}

/** What people see: each act was seen once, and nothing waits any more, neither a commit status nor a person. */
function expectShownOnce(facts: Facts, rounds: number): void {
  expect.soft(facts.notices.filter((n) => n.startsWith('planned'))).toEqual([]);
  expect.soft(facts.notices.filter((n) => n === 'shown reaction').length, 'eyes').toBe(rounds);
  expect.soft(facts.reactions.length, 'reactions on the forge').toBe(rounds);
  expect.soft(facts.pending, 'commits whose status is pending').toEqual([]);
  expect.soft(facts.asks, 'what waits for a person').toEqual([]);
}

/** One session, of one line of descent, and the model has seen all of it, each prompt once. */
function expectOneHistory(story: Story, facts: Facts, rounds: readonly Round[]): void {
  expect
    .soft(
      facts.sessions.map((s) => s.state),
      'one session',
    )
    .toEqual(['verified']);
  expect.soft(forks(facts.transcript), 'places where the history forks').toEqual([]);
  const last = rounds.at(-1)!.requests.at(-1);
  if (last === undefined) throw new Error('The model was not asked in the last round.');
  const fact = `The code word is ${story.word}`;
  if (rounds.length > 1) expect.soft(historyText(last), 'the first prompt is remembered').toContain(fact);
  const prompts = last.messages.filter((m) => m.role === 'user').flatMap((m) => textsOf(m.content));
  expect.soft(prompts.filter((p) => p.includes(fact)).length, 'the first prompt in the history').toBe(1);
  for (const { n, deaths } of rounds.slice(1)) {
    const [again, plain] = partition(
      prompts.filter((p) => p.includes(commentBody(story, n))),
      (p) => p.startsWith(CUT_OFF),
    );
    expect.soft(again.length + plain.length, `prompt ${n} in the history`).toBeGreaterThan(0);
    // A prompt that comes a second time says why.
    expect.soft(again.length, `prompt ${n} as that of a cut-off run`).toBeLessThanOrEqual(deaths);
    expect.soft(plain.length, `prompt ${n} as a new one`).toBeLessThanOrEqual(1);
  }
}

const CUT_OFF = 'You were cut off';

function textsOf(content: Message['content']): string[] {
  if (typeof content === 'string') return [content];
  return content.flatMap((block) => (block.type === 'text' ? [block.text ?? ''] : []));
}

function partition<T>(all: T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}

/** The points between which the model works: a kill there can cost the turn that it cuts off. */
const WORKING: readonly FaultPoint[] = [
  'archive.claimed',
  'archive.appended',
  'run.answering',
  // Beside the work, at any time.
  'notice.planned',
  'notice.performed',
  'notice.recorded',
];

/** A kill before the model was asked costs nothing. A kill after its answer must not ask it again. */
export function expectPaidOnce(round: Round, point: FaultPoint): void {
  const most = WORKING.includes(point) ? 2 * REQUESTS_PER_TURN : REQUESTS_PER_TURN;
  expect.soft(round.requests.length, 'paid requests').toBeLessThanOrEqual(most);
  expect.soft(round.requests.length, 'paid requests').toBeGreaterThanOrEqual(REQUESTS_PER_TURN);
}
