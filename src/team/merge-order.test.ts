import { expect, test } from 'vitest';
import type { PullFacts } from './facts.ts';
import { firstInLine, holdsTurnAfter, type InLine, waitsForTurn } from './merge-order.ts';
import { decidePull } from './table.ts';

const READY: PullFacts = {
  number: 0,
  state: 'open',
  author: 'dev',
  optOut: null,
  draft: false,
  headSha: 'a',
  baseSha: 'b',
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

interface Pull {
  facts: PullFacts;
  row: string;
  holdsTurn: boolean;
}

/** Every merge brings all others into conflict. Decides all in turn until nothing happens any more; counts the rebases. */
function play(pulls: Map<number, Pull>, isMerging: (facts: PullFacts) => boolean) {
  let rebases = 0;
  const merged: number[] = [];
  const decide = (pull: Pull) => {
    const { number } = pull.facts;
    const others: InLine[] = [...pulls.values()]
      .filter((other) => other !== pull && other.facts.state === 'open')
      .map(({ facts, row, holdsTurn }) => ({ number: facts.number, holdsTurn, waits: waitsForTurn(row) }));
    const after = firstInLine({ number, holdsTurn: pull.holdsTurn }, others);
    const { row, act } = decidePull({ ...pull.facts, after });
    pull.row = row;
    pull.holdsTurn = holdsTurnAfter(row, pull.holdsTurn);
    return act;
  };
  for (let moved = true; moved; ) {
    moved = false;
    for (const pull of pulls.values()) {
      if (pull.facts.state !== 'open') continue;
      const act = decide(pull);
      if (act === 'rebase') {
        rebases += 1;
        // A new head: CI and the review come again, and pass.
        pull.facts = { ...pull.facts, mergeable: 'yes' };
        moved = true;
      } else if ((act === 'merge' || act === 'leave-to-people') && isMerging(pull.facts)) {
        merged.push(pull.facts.number);
        pull.facts = { ...pull.facts, state: 'merged' };
        pull.holdsTurn = false;
        for (const other of pulls.values()) {
          if (other.facts.state === 'open') other.facts = { ...other.facts, mergeable: 'no' };
        }
        moved = true;
      }
    }
  }
  return { rebases, merged };
}

function eight(change: (number: number) => Partial<PullFacts> = () => ({})): Map<number, Pull> {
  return new Map(
    [1, 2, 3, 4, 5, 6, 7, 8].map((number) => [
      number,
      { facts: { ...READY, number, ...change(number) }, row: '', holdsTurn: false },
    ]),
  );
}

test('eight pull requests that all conflict with each other take seven rebases, in merge order', () => {
  expect(play(eight(), () => true)).toEqual({ rebases: 7, merged: [1, 2, 3, 4, 5, 6, 7, 8] });
});

test('the same where people merge: one that is ready and waits for them keeps its turn', () => {
  expect(
    play(
      eight(() => ({ merge: 'people' })),
      () => true,
    ).rebases,
  ).toBe(7);
  const stopped = play(
    eight(() => ({ merge: 'people' })),
    ({ number }) => number < 3,
  );
  expect(stopped).toEqual({ rebases: 2, merged: [1, 2] });
});

test('one that needs a person gives its turn away', () => {
  const { rebases, merged } = play(
    eight((number) => (number === 2 ? { veto: { login: 'ada', atHead: false, trusted: true } } : {})),
    () => true,
  );
  expect(merged).toEqual([1, 3, 4, 5, 6, 7, 8]);
  expect(rebases).toBe(6);
});

test('whose turn it is', () => {
  const line = (number: number, is: Partial<InLine>): InLine => ({
    number,
    holdsTurn: false,
    waits: false,
    ...is,
  });
  expect(firstInLine({ number: 5, holdsTurn: false }, [])).toBeNull();
  expect(firstInLine({ number: 5, holdsTurn: false }, [line(9, { holdsTurn: true })])).toBe(9);
  expect(firstInLine({ number: 5, holdsTurn: true }, [line(3, { waits: true })])).toBeNull();
  expect(
    firstInLine({ number: 5, holdsTurn: false }, [line(3, { waits: true }), line(9, { waits: true })]),
  ).toBe(3);
  expect(firstInLine({ number: 5, holdsTurn: false }, [line(3, {})])).toBeNull();
});
