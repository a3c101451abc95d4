import { describe, expect, test } from 'vitest';
import { type Closing, firstClosing } from './closing-keywords.ts';
import { type OutgoingRules, outgoingBody, outgoingTitle } from './outgoing.ts';

const RULES: OutgoingRules = { own: 5, keywords: [], strict: false };
const shown = (text: string) => text.replaceAll('\u200d', '|');
const body = (text: string, rules: Partial<OutgoingRules> = {}) =>
  shown(outgoingBody(text, { ...RULES, ...rules }));
const title = (text: string, rules: Partial<OutgoingRules> = {}) =>
  shown(outgoingTitle(text, { ...RULES, ...rules }));

describe('words that close or open an issue', () => {
  test.each([
    ['Closes #2', 'Closes| #2'],
    ['closed: #2 and FIXES #3', 'closed|: #2 and FIXES| #3'],
    ['fix #2, fixed #2, resolve #2, resolves #2, resolved #2', /^(\w+\| #2(, )?)+$/],
    ['reopen #2; reopens #2; reopened #2', 'reopen| #2; reopens| #2; reopened| #2'],
    ['(closes !2)', '(closes| !2)'],
    ['[closes #2]', '[closes| #2]'],
    ['**closes** **#2**', '**closes|** **#2**'],
    ['closes\n#2', 'closes|\n#2'],
    ['closes\u00a0#2', 'closes|\u00a0#2'],
    ['closes&nbsp;#2', 'closes|&nbsp;#2'],
    ['closes &#35;2', 'closes| &#35;2'],
    ['closes <b>#2</b>', 'closes| <b>#2</b>'],
    ['closes <!-- x -->#2', 'closes| <!-- x -->#2'],
    ['closes ada/other#5', 'closes| ada/other#5'],
    ['closes GH-2', 'closes| GH-2'],
    ['closes https://forge.example.org/ada/greeter/issues/2', /closes\| https/],
    ['closes <https://forge.example.org/ada/greeter/issues/2>', /closes\| </],
    ['closes [the other](https://forge.example.org/ada/greeter/issues/2)', /closes\| \[/],
    ['closes [the other](/ada/greeter/issues/2)', /closes\| \[/],
    ['> closes #2', '> closes| #2'],
    ['![closes #2](x.png)', '![closes| #2](x.png)'],
    ['cloſes #2', 'cloſes| #2'],
    ['closes #05', 'closes| #05'],
    ['closes #50', 'closes| #50'],
  ])('%j is broken', (text, expected) => {
    expect(body(text)).toMatch(expected instanceof RegExp ? expected : new RegExp(`^${quote(expected)}$`));
    expect(title(text)).toContain('|');
  });

  test.each([
    'Closes #5',
    'fixes: #5.',
    '(resolves #5)',
    'see #2',
    'discloses #2',
    'It closes the door of #2',
    'A fix for #2',
    'close the file, then open it',
    'the fix is in https://forge.example.org/ada/greeter/commit/abc',
  ])('%j is left alone: the own issue, or no such word before it', (text) => {
    expect(body(text)).toBe(text);
  });

  test('in code as well: Gitea looks for the word before an address in the raw text', () => {
    expect(body('`closes #2`\n\n```\nfixes #2\n```')).toBe('`closes| #2`\n\n```\nfixes| #2\n```');
  });

  test('without an own issue, every one', () => {
    expect(body('Closes #5', { own: null })).toBe('Closes| #5');
  });

  test("the forge administrator's own words", () => {
    expect(body('Erledigt #2, löst: #2', { keywords: ['erledigt', 'löst'] })).toBe('Erledigt| #2, löst|: #2');
    expect(body('Erledigt #2')).toBe('Erledigt #2');
  });

  test('are quoted in a few words', () => {
    const closing: Closing = { own: 5, keywords: [] };
    expect(firstClosing('One.\n\nCloses #5 and\ncloses\n#2 now', closing)).toBe('closes #2 now');
    expect(firstClosing('Closes #5', closing)).toBe(null);
  });
});

describe('commands to other robots', () => {
  test.each([
    ['Done.\n/merge\n/approve now', 'Done.\n/|merge\n/|approve now'],
    ['  > - /lgtm', '  > - /|lgtm'],
    ['bors r+', 'b|ors r+'],
    ['Atlantis apply -d x', 'A|tlantis apply -d x'],
    ['recheck', 'r|echeck'],
    ['Retest this please.', 'R|etest this please.'],
    ['LGTM!', 'L|GTM!'],
  ])('%j is broken', (text, expected) => {
    expect(body(text)).toBe(expected);
    expect(body(text, { strict: true })).toBe(expected);
  });

  test.each([
    '/etc/hosts is read',
    '/tmp.old',
    'see a/b',
    'and/or',
    'Please recheck the sums.',
    'LGTM, but…x',
  ])('%j is left alone', (text) => {
    expect(body(text)).toBe(text);
  });

  test('in code only where the words may be a stranger’s', () => {
    const text = '```\n/usr\n@dep\n```';
    expect(body(text)).toBe(text);
    expect(body(text, { strict: true })).toBe('```\n/|usr\n@|dep\n```');
  });
});

test('mentions call nobody, in titles not even in what looks like code', () => {
  expect(body('@bob `@bob`')).toBe('@|bob `@bob`');
  expect(title('@bob `@bob`')).toBe('@|bob `@|bob`');
});

test('a title is one line that the forge takes, and is not cut within a character', () => {
  expect(title('A\r\nB\u0000  C')).toBe('A B C');
  const long = outgoingTitle(`${'x'.repeat(248)}😀😀 closes #2`, RULES);
  expect(long).toBe(`${'x'.repeat(248)}…`);
});

test('twice is as once', () => {
  const text = 'Closes #2\n/merge\n@bob closes [x](/a/b/issues/3)\nlgtm\nbors r+ #3';
  for (const strict of [true, false]) {
    const once = outgoingBody(text, { ...RULES, strict });
    expect(outgoingBody(once, { ...RULES, strict })).toBe(once);
    const line = outgoingTitle(text, { ...RULES, strict });
    expect(outgoingTitle(line, { ...RULES, strict })).toBe(line);
  }
});

test('the time is linear in what a text could be made of', () => {
  for (const piece of [
    'fix [',
    'closes (((',
    'fix ',
    '&num;',
    '<a',
    '> ',
    '- ',
    'closes &#',
    'fix [(a',
    '/',
  ]) {
    const long = piece.repeat(200_000);
    // A quadratic reading of these takes minutes, and the test's own limit ends it.
    expect(outgoingBody(long, { ...RULES, strict: true }).length, piece).toBeGreaterThan(0);
  }
});

function quote(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
