import { describe, expect, test } from 'vitest';
import type { PullAct } from '../vocabulary.ts';
import type { PullFacts } from './facts.ts';
import { decidePull, explainPull, onceKey, TABLE } from './table.ts';

/** Approved, green, free of conflicts, and people merge. */
const READY: PullFacts = {
  number: 7,
  state: 'open',
  author: 'dev',
  optOut: null,
  draft: false,
  headSha: 'a'.repeat(40),
  baseSha: 'b'.repeat(40),
  ci: 'success',
  mergeable: 'yes',
  verdict: { is: 'approved', by: 'reviewer' },
  veto: null,
  rounds: 0,
  mostRounds: 3,
  merge: 'boss',
  rule: null,
  after: null,
};
const UNREVIEWED = { verdict: { is: 'none', by: '' } } as const;
const TO_CHANGE = { verdict: { is: 'changes_requested', by: 'reviewer' } } as const;
const veto = (atHead: boolean, trusted = true) => ({ veto: { login: 'ada', atHead, trusted } });

const ROWS: [string, Partial<PullFacts>, PullAct][] = [
  ['over', { state: 'merged', ci: 'failure' }, 'nothing'],
  ['not-ours', { author: null, ...UNREVIEWED }, 'nothing'],
  ['kept-off', { optOut: 'no-agent', ci: 'failure' }, 'nothing'],
  ['draft', { draft: true, ...UNREVIEWED }, 'wait'],
  ['veto-of-a-stranger', veto(true, false), 'wait'],
  ['veto-at-head', { ...veto(true), ci: 'failure' }, 'address-review'],
  ['ci-failed', { ci: 'failure', ...UNREVIEWED }, 'fix-ci'],
  ['veto', veto(false), 'wait'],
  ['cap', { rounds: 3, ...TO_CHANGE }, 'ask-person'],
  ['changes-requested', { rounds: 2, ...TO_CHANGE }, 'address-review'],
  ['ci-running', { ci: 'pending', ...UNREVIEWED }, 'wait'],
  ['unclear-review', { verdict: { is: 'commented', by: 'reviewer' } }, 'ask-person'],
  ['unreviewed-without-ci', { ci: 'none', ...UNREVIEWED }, 'wait'],
  ['unreviewed', UNREVIEWED, 'review'],
  ['merge-unsure', { mergeable: 'unknown' }, 'wait'],
  ['rebase-later', { mergeable: 'no', after: 3 }, 'wait'],
  ['rebase', { mergeable: 'no' }, 'rebase'],
  ['forbidden', { rule: 'the rules of main let no agent merge' }, 'leave-to-people'],
  ['people-merge', { merge: 'people' }, 'leave-to-people'],
  ['merge', {}, 'merge'],
];

test('every row has its test, in order', () => {
  expect(ROWS.map(([name]) => name)).toEqual(TABLE.map(({ name }) => name));
});

test.each(ROWS)('%s', (name, facts, act) => {
  const all = { ...READY, ...facts };
  const decision = decidePull(all);
  expect(decision).toMatchObject({ row: name, act });
  expect(decision.why).toMatch(/\.$/);
  expect(decision.why).not.toMatch(/undefined|null/);
  const explained = explainPull(decision, all);
  expect(explained.length).toBeLessThan(10);
  expect(explained.join('\n')).not.toMatch(/undefined/);
});

describe('what must never be', () => {
  const cases = [...combinations()];
  test('a merge without an approval of the head, against a veto, a rule, a draft, or red or pending CI', () => {
    const merged = cases.filter((facts) => decidePull(facts).act === 'merge');
    expect(merged.length).toBeGreaterThan(0);
    for (const facts of merged) {
      expect(facts).toMatchObject({ verdict: { is: 'approved' }, veto: null, rule: null, draft: false });
      expect(facts).toMatchObject({ merge: 'boss', mergeable: 'yes', state: 'open' });
      expect(['success', 'none']).toContain(facts.ci);
    }
  });

  test('a review of a head that was reviewed, or whose CI has not passed', () => {
    for (const facts of cases.filter((one) => decidePull(one).act === 'review')) {
      expect(facts).toMatchObject({ verdict: { is: 'none' }, ci: 'success', draft: false });
    }
  });

  test('more rounds than the cap: a person is asked, or CI is mended first', () => {
    for (const facts of cases.filter(({ rounds, mostRounds }) => rounds >= mostRounds)) {
      const { act, row } = decidePull(facts);
      if (act === 'address-review') expect(row).toBe('veto-at-head');
      expect(act).not.toBe('review');
    }
  });

  test('each row is reached', () => {
    expect(new Set(cases.map((facts) => decidePull(facts).row))).toEqual(
      new Set(TABLE.map(({ name }) => name)),
    );
  });
});

test('an act is told once for what it depends on', () => {
  const key = (facts: Partial<PullFacts>) => {
    const all = { ...READY, ...facts };
    return onceKey(decidePull(all), all);
  };
  expect(key({ ...UNREVIEWED, baseSha: 'c'.repeat(40) })).toBe(key(UNREVIEWED));
  expect(key({ ...UNREVIEWED, headSha: 'c'.repeat(40) })).not.toBe(key(UNREVIEWED));
  expect(key({ mergeable: 'no', baseSha: 'c'.repeat(40) })).not.toBe(key({ mergeable: 'no' }));
  expect(key({ baseSha: 'c'.repeat(40) })).not.toBe(key({}));
  expect(key({ merge: 'people', baseSha: 'c'.repeat(40) })).toBe(key({ merge: 'people' }));
  // Each review of a person, and each failure of CI, is news.
  expect(key(veto(true))).toBeNull();
  expect(key({ ci: 'failure' })).toBeNull();
});

function* combinations(): Generator<PullFacts> {
  for (const state of ['open', 'closed'] as const)
    for (const author of ['dev', null])
      for (const optOut of ['no-agent', null])
        for (const draft of [false, true])
          for (const ci of ['none', 'pending', 'success', 'failure'] as const)
            for (const mergeable of ['yes', 'no', 'unknown'] as const)
              for (const is of ['none', 'approved', 'changes_requested', 'commented'] as const)
                for (const objection of [null, veto(true).veto, veto(false).veto, veto(true, false).veto])
                  for (const rounds of [0, 3])
                    for (const merge of ['people', 'boss'] as const)
                      for (const rule of [null, 'the rules forbid it'])
                        for (const after of [null, 3]) {
                          const verdict = { is, by: is === 'none' ? '' : 'reviewer' };
                          const flags = { state, author, optOut, draft, ci, mergeable, merge, rule, after };
                          yield { ...READY, ...flags, verdict, veto: objection, rounds };
                        }
}
