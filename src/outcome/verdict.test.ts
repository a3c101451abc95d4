import { describe, expect, test } from 'vitest';
import { readVerdict, withVerdict } from './verdict.ts';

describe('the bare word is a verdict', () => {
  test.each([
    ['Verdict: approve\n\nFine.', 'approved', 'Fine.'],
    ['\n\n  verdict: Approved\r\nFine.', 'approved', 'Fine.'],
    ['**Verdict:** request-changes\nNo.', 'changes_requested', 'No.'],
    ['**Verdict: approve**\n\nFine.', 'approved', 'Fine.'],
    ['__Verdict: request_changes__\n\nNo.', 'changes_requested', 'No.'],
    ['Verdict: `comment`\nHm.', 'commented', 'Hm.'],
    ['## Verdict: request changes\n\nNo.', 'changes_requested', 'No.'],
    ['### **Verdict**: _changes requested_ ###\nNo.', 'changes_requested', 'No.'],
    ['Verdict: comment\nHm.', 'commented', 'Hm.'],
    ['Verdict: approve', 'approved', ''],
    ['Verdict: approve\n\nFine.\n\nVerdict: approve', 'approved', 'Fine.\n\nVerdict: approve'],
    ['Verdict: approve\n\n> Verdict: comment\n\n```\nVerdict: x\n```', 'approved', undefined],
  ])('%j', (answer, verdict, body) => {
    expect(readVerdict(answer)).toMatchObject({
      kind: 'given',
      verdict,
      ...(body === undefined ? {} : { body }),
    });
  });
});

describe('anything else on the line makes it a comment, with the whole text', () => {
  test.each([
    'Verdict: approve once the two bugs below are fixed\n\nBug one.',
    '**Verdict: approve**, if the tests pass\n\nThey may.',
    'Verdict: approve (with nits)',
    'Verdict: approve.',
    'Verdict: approve!',
    'Verdict: not approve',
    'Verdict: approve / request-changes / comment',
    'Verdict: ~~approve~~ request-changes',
    'Verdict: ~~approve~~',
    'Verdict: approve <!-- after the fix -->',
    'Verdict: approve, comment',
    'Verdict:\n\napprove',
    'Verdict: lgtm',
    '## Verdict: approve after CI is green',
    'Verdict: approve\n\nBug.\n\nVerdict: request-changes',
    'Verdict: approve\n\nBug.\n\n**Verdict:** approve when that is fixed',
  ])('%j', (answer) => {
    expect(readVerdict(answer)).toEqual({ kind: 'unclear', why: expect.any(String), body: answer });
  });
});

describe('no verdict on the first line is none', () => {
  test.each([
    '',
    'I approve of this.',
    'First.\nVerdict: approve',
    '> Verdict: approve\n\nAs you said.',
    '```\nVerdict: approve\n```',
    'The verdict: approve',
  ])('%j', (answer) => {
    expect(readVerdict(answer)).toEqual({ kind: 'missing', body: answer });
  });
});

describe('a verdict that was asked for', () => {
  test('stands before the answer that lacked it', () => {
    const both = withVerdict('All is well.', '**Verdict: approve**');
    expect(readVerdict(both)).toEqual({ kind: 'given', verdict: 'approved', body: 'All is well.' });
  });
  test('is no verdict with a condition, and nothing of the two is lost', () => {
    const both = withVerdict('Two bugs.', 'Verdict: approve once they are fixed');
    expect(readVerdict(both)).toEqual({
      kind: 'missing',
      body: 'Two bugs.\n\nVerdict: approve once they are fixed',
    });
  });
  test('is still missing when the second answer has none', () => {
    expect(withVerdict('All is well.', 'Do you mean me?')).toBe('All is well.');
  });
  test('does not hide that the first answer named another one further down', () => {
    const both = withVerdict('Bug.\n\nVerdict: request-changes', 'Verdict: approve');
    expect(readVerdict(both)).toMatchObject({ kind: 'unclear' });
  });
});
