import { describe, expect, test } from 'vitest';
import { continuityReceipt, parseVerdict, postedText } from './answer.ts';

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

describe('the verdict of a review', () => {
  test.each([
    ['Verdict: approve\n\nFine.', 'approved', 'Fine.'],
    ['**Verdict:** request-changes\nNo.', 'changes_requested', 'No.'],
    ['verdict: Request changes\nNo.', 'changes_requested', 'No.'],
    ['Verdict: comment\nHm.', 'commented', 'Hm.'],
    ['I approve of this.', 'commented', 'I approve of this.'],
    ['First.\nVerdict: approve', 'commented', 'First.\nVerdict: approve'],
  ])('%j', (answer, verdict, body) => {
    expect(parseVerdict(answer)).toEqual({ verdict, body });
  });
});

test('a receipt is written only when the history had to be rebuilt', () => {
  expect(continuityReceipt('resumed', 'in-order')).toEqual([]);
  expect(continuityReceipt('restored', 'disk-missing')).toEqual([]);
  expect(continuityReceipt('rebuilt', 'disk-missing')[0]).toContain('(disk-missing)');
});
