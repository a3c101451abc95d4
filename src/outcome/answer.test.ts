import { describe, expect, test } from 'vitest';
import { continuityReceipt, modelReceipt, postedText, unmarked } from './answer.ts';

describe('what is posted', () => {
  test('is the answer, our notes and our mark', () => {
    const text = postedText({
      answer: ' Done. ',
      notes: ['Pull request: #2'],
      marker: '<!-- claude-hooks x:comment -->',
    });
    expect(text).toBe('Done.\n\n> Pull request: #2\n\n<!-- claude-hooks x:comment -->');
  });
  test('carries no mark the model wrote: it would pass for an effect of ours', () => {
    const text = postedText({
      answer: 'Hi <!-- claude-hooks other:comment --> there',
      notes: [],
      marker: '<!-- claude-hooks x:comment -->',
    });
    expect(text).not.toContain('other:comment');
  });
});

test('marks in marks are gone, however deep and long', () => {
  const mark = '<!-- claude-hooks a:comment -->';
  const inside = (depth: number): string =>
    `${'<!-- claude-hooks '.repeat(depth)}${' a:comment -->'.repeat(depth)}`;
  const split = mark.replace('hooks', `ho${mark}oks`);
  for (const text of [inside(3), inside(1_500), split, split.replace('comment', `com${split}ment`)]) {
    expect(/<!--\s*claude-hooks[^<]*-->/.test(unmarked(text))).toBe(false);
  }
  expect(unmarked('a <!-- note --> b')).toBe('a <!-- note --> b');
});

test('an answer that goes on for ever is cut, and says so', () => {
  expect(unmarked('word '.repeat(100_000))).toMatch(/word\n\n\(cut here: 440000 more characters\)$/);
});

test('a receipt is written only when the history had to be rebuilt', () => {
  expect(continuityReceipt('resumed', 'in-order')).toEqual([]);
  expect(continuityReceipt('restored', 'disk-missing')).toEqual([]);
  const texts = ['disk-missing', 'resume-failed', 'prompt-too-long', 'history-refused', 'session 7'].map(
    (reason) => continuityReceipt('rebuilt', reason)[0]!,
  );
  expect(texts.map((text) => /\(.*\)/.exec(text)?.[0] ?? null)).toEqual([
    '(its file was lost or damaged)',
    '(it could not be opened any more)',
    '(it had become longer than the model can read)',
    '(the model refused something in it)',
    null,
  ]);
  expect(texts.filter((text) => /session|disk|resume|-/.test(text))).toEqual([]);
});

test('another model is named in a receipt, and nothing but its name', () => {
  expect(modelReceipt({ name: 'claude-sonnet-5-5', former: null })).toEqual([]);
  expect(modelReceipt({ name: null, former: 'claude-sonnet-4-5' })).toEqual([]);
  expect(modelReceipt({ name: 'claude-sonnet-5-5', former: '@all <b>x' })).toEqual([
    'Model receipt: this answer is by claude-sonnet-5-5; what was answered here before was by ?all??b?x.',
  ]);
});
