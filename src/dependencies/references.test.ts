import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockersIn, parentIn } from './references.ts';

const FORGE = 'https://forge.example.org/git';

function named(text: string): string[] {
  return blockersIn(text, FORGE).map(({ repository, number }) => `${repository ?? ''}#${number}`);
}

describe('what a text says it waits for', () => {
  test.each([
    ['Blocked by #3.', ['#3']],
    ['blocked by: #3, #4 and #5', ['#3', '#4', '#5']],
    ['This depends on team/shop#4 & #5; see #9', ['team/shop#4', '#5']],
    ['Depends upon #7 or #8', ['#7', '#8']],
    [`depends on ${FORGE}/team/shop/issues/12`, ['team/shop#12']],
    [`depends on ${FORGE}/team/shop/pulls/12, #2`, ['team/shop#12', '#2']],
    ['Depends on:\n- #1\n- [ ] team/shop#2\n- [x] #3\n\nSee #4', ['#1', 'team/shop#2', '#3']],
    ['Blocked by\n1. #1\n2. #2', ['#1', '#2']],
    ['blocked by #3 and blocked by #3', ['#3']],
  ])('%j', (text, items) => {
    expect(named(text)).toEqual(items);
  });

  test.each([
    ['nothing', 'See #3. It does not depend on anything.'],
    ['another forge', 'depends on https://other.example.org/team/shop/issues/12'],
    ['a quote', '> blocked by #3'],
    ['code', '`blocked by #3`\n\n```\nblocked by #4\n```'],
    ['a hidden comment', '<!-- blocked by #3 -->'],
    ['a word in between', 'blocked by the release of #3'],
  ])('%s names nothing', (_what, text) => {
    expect(named(text)).toEqual([]);
  });

  test('the parent of a stack', () => {
    expect(parentIn('Stacked on #4, and blocked by #5.', FORGE)).toEqual({ repository: null, number: 4 });
    expect(parentIn('blocked by #5', FORGE)).toBeNull();
  });

  test('whatever is listed is found, once and in order', () => {
    const item = fc.record({
      repository: fc.constantFrom(null, 'team/shop', 'a.b/c-d'),
      number: fc.integer({ min: 1, max: 999_999 }),
    });
    const between = fc.constantFrom(', ', ' and ', '; ', '\n- ', ', and ');
    const list = fc.uniqueArray(fc.tuple(item, between), {
      minLength: 1,
      maxLength: 12,
      selector: ([one]) => `${one.repository ?? ''}#${one.number}`,
    });
    fc.assert(
      fc.property(list, (entries) => {
        const words = entries.map(
          ([one, gap], n) => `${n === 0 ? ' ' : gap}${one.repository ?? ''}#${one.number}`,
        );
        expect(blockersIn(`Blocked by${words.join('')}\n\nThanks`, FORGE)).toEqual(
          entries.map(([one]) => one),
        );
      }),
    );
  });

  test('a long hostile text is read in time that grows with its length', () => {
    const began = performance.now();
    for (const piece of ['blocked by ', 'depends on #', 'blocked by #1, ', 'x/'.repeat(9)]) {
      named(piece.repeat(200_000));
    }
    expect(performance.now() - began).toBeLessThan(4000);
  });
});
