import { describe, expect, test } from 'vitest';
import type { NoticeRow } from '../database/feedback-tables.ts';
import type { PlannedNotice } from '../mailbox/notices.ts';
import type { DispatchState } from '../vocabulary.ts';
import { type WorkFacts, wantedOf } from './wanted.ts';

const NOW = Date.parse('2026-01-05T09:00:00Z');
const MINUTE = 60_000;

type Change = Partial<Omit<WorkFacts, 'dispatch'>> & { dispatch?: Partial<WorkFacts['dispatch']> };

function facts(state: DispatchState, { dispatch, ...change }: Change = {}): WorkFacts {
  return {
    forge: 'home',
    repository: { id: '1', fullName: 'ada/greeter' },
    dispatch: {
      id: 'd1',
      agent: 'dev',
      state,
      createdAt: NOW,
      dueAt: NOW,
      startedAt: NOW,
      endedAt: NOW,
      ...dispatch,
    },
    conversationId: 'c1',
    number: 1,
    pull: null,
    holds: [],
    doing: null,
    url: null,
    notices: [],
    isSecond: false,
    ...change,
  };
}

/** As its row is once it was planned. */
function row(notice: PlannedNotice, change: Partial<NoticeRow> = {}): NoticeRow {
  return {
    seq: 1,
    id: 'n1',
    key: notice.key,
    kind: notice.kind,
    forge: notice.forge,
    repository_id: '1',
    repository_name: 'ada/greeter',
    agent: 'dev',
    number: notice.number,
    target: JSON.stringify(notice.target),
    dispatch_id: notice.dispatchId,
    wanted: notice.wanted,
    shown: notice.wanted,
    remote_id: 7,
    state: 'shown',
    closed: notice.closed ? 1 : 0,
    attempts: 0,
    due_at: NOW,
    reason: null,
    created_at: NOW,
    changed_at: NOW,
    ...change,
  };
}

const texts = (notices: PlannedNotice[]) => notices.map(({ wanted }) => wanted);

describe('the status comment', () => {
  test('is there for a run, or a wait, that takes longer than a minute', () => {
    expect(wantedOf(facts('running'), 'full', NOW + MINUTE)).toEqual([]);
    expect(texts(wantedOf(facts('running'), 'full', NOW + MINUTE + 1))).toEqual([
      'I have been working on this since 2026-01-05 09:00 UTC. I take this comment away when I am done.',
    ]);
    expect(wantedOf(facts('parked', { dispatch: { dueAt: NOW + MINUTE / 2 } }), 'full', NOW)).toEqual([]);
    expect(wantedOf(facts('parked', { dispatch: { dueAt: NOW + 2 * MINUTE } }), 'full', NOW)).toHaveLength(1);
    expect(wantedOf(facts('queued'), 'full', NOW + MINUTE)).toEqual([]);
    expect(
      wantedOf(facts('queued', { dispatch: { dueAt: NOW + MINUTE } }), 'full', NOW + 2 * MINUTE),
    ).toEqual([]);
    expect(wantedOf(facts('interrupted'), 'full', NOW + 2 * MINUTE)).toHaveLength(1);
  });

  test('is there at once for a hold, once the burst is over', () => {
    const held = (dueAt: number) => facts('queued', { holds: ['Held.'], dispatch: { dueAt } });
    expect(wantedOf(held(NOW + 1), 'full', NOW)).toEqual([]);
    expect(texts(wantedOf(held(NOW), 'full', NOW))).toEqual([
      'Held. What you write meanwhile is kept. I take this comment away when I am done.',
    ]);
    // Put off by a hold that ends when somebody lifts it.
    expect(texts(wantedOf(facts('parked', { holds: ['Held.'] }), 'full', NOW))).toEqual([
      expect.stringMatching(/^Held\./),
    ]);
    expect(wantedOf(facts('parked'), 'full', NOW)).toEqual([]);
  });

  test('is edited every quarter of a minute at most, and at once when it says something else', () => {
    const [first] = wantedOf(facts('running', { doing: 'read files' }), 'full', NOW + 2 * MINUTE);
    const known = row(first!, { changed_at: NOW + 2 * MINUTE });
    const later = facts('running', { doing: 'ran a command', notices: [known] });
    expect(wantedOf(later, 'full', NOW + 2 * MINUTE + 14_999)).toEqual([]);
    expect(texts(wantedOf(later, 'full', NOW + 2 * MINUTE + 15_000))).toEqual([
      expect.stringContaining('Just now I ran a command.'),
    ]);
    const parked = facts('parked', { notices: [known], dispatch: { dueAt: NOW + 9 * MINUTE } });
    expect(wantedOf(parked, 'full', NOW + 2 * MINUTE + 1)).toHaveLength(1);
  });

  test('stays away where the forge refused it, or a person removed it', () => {
    const [notice] = wantedOf(facts('running'), 'full', NOW + 2 * MINUTE);
    for (const state of ['refused', 'gone'] as const) {
      const after = facts('interrupted', { notices: [row(notice!, { state })] });
      expect(wantedOf(after, 'full', NOW + 9 * MINUTE)).toEqual([]);
    }
  });

  test('goes when the dispatch has ended, or the setting says so', () => {
    const [notice] = wantedOf(facts('running'), 'full', NOW + 2 * MINUTE);
    const notices = [row(notice!)];
    const gone = [{ wanted: null, closed: true }];
    expect(wantedOf(facts('succeeded', { notices }), 'full', NOW + 3 * MINUTE)).toMatchObject(gone);
    expect(wantedOf(facts('running', { notices }), 'none', NOW + 3 * MINUTE)).toMatchObject(gone);
  });
});

describe('the commit status', () => {
  const pull = { number: 2, headSha: 'a'.repeat(40) };
  const shown = (notices: PlannedNotice[]) =>
    notices
      .filter(({ kind }) => kind === 'status')
      .map((one) => `${JSON.parse(one.wanted!).state} ${one.closed}`);

  test.each([
    ['queued', 'pending false'],
    ['running', 'pending false'],
    ['parked', 'pending false'],
    ['interrupted', 'pending false'],
  ] as const)('of work that is %s: %s', (state, status) => {
    expect(shown(wantedOf(facts(state, { pull }), 'full', NOW))).toEqual([status]);
  });

  test.each([
    ['succeeded', 'success true'],
    ['cancelled', 'success true'],
    ['failed', 'error true'],
    ['unposted', 'error true'],
  ] as const)('of what has %s: %s, whatever the setting is by then', (state, status) => {
    const [begun] = wantedOf(facts('running', { pull }), 'full', NOW);
    const ended = facts(state, { pull, notices: [row(begun!)] });
    for (const level of ['full', 'none'] as const)
      expect(shown(wantedOf(ended, level, NOW))).toEqual([status]);
  });

  test('of a commit before a newer commit is closed, also when the work has ended', () => {
    const [begun] = wantedOf(facts('running', { pull }), 'full', NOW);
    const newer = { pull: { number: 2, headSha: 'b'.repeat(40) }, notices: [row(begun!)] };
    expect(shown(wantedOf(facts('running', newer), 'full', NOW))).toEqual(['success true', 'pending false']);
    expect(shown(wantedOf(facts('failed', newer), 'full', NOW))).toEqual(['error true']);
    expect(shown(wantedOf(facts('failed', { ...newer, pull: null }), 'full', NOW))).toEqual(['error true']);
  });

  test('is that of the run, and not of what waits behind it; there is none where nobody asked for it', () => {
    expect(shown(wantedOf(facts('queued', { pull, isSecond: true }), 'full', NOW))).toEqual([]);
    expect(shown(wantedOf(facts('running', { pull }), 'reaction', NOW))).toEqual([]);
    expect(shown(wantedOf(facts('succeeded', { pull }), 'full', NOW))).toEqual([]);
  });

  test('is one short line', () => {
    const long = facts('queued', { pull, holds: ['x'.repeat(300)] });
    const [, status] = wantedOf(long, 'full', NOW);
    expect(JSON.parse(status!.wanted!).description).toHaveLength(140);
  });
});
