import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findMentions } from './mentions.ts';
import { neutraliseMentions, redactSecrets } from './security.ts';

describe('neutraliseMentions', () => {
  test('mentions in prose no longer name anybody; the text looks the same', () => {
    expect(neutraliseMentions('@ada, (@org/team) **@bo**')).toBe(
      '@\u200dada, (@\u200dorg/team) **@\u200dbo**',
    );
    expect(neutraliseMentions('\\@ada')).toBe('\\@\u200dada');
  });

  test.each([
    ['ada@forge.example and a_@b'],
    ['https://social.example/@ada'],
    ['`npm i @types/node`\n\n```ts\nimport x from "@ada/x";\n```\n'],
    ['<!-- claude-hooks:dispatch=1@2 @x -->'],
    ['a lone @ and @!'],
  ])('%j stays as it is', (text) => {
    expect(neutraliseMentions(text)).toBe(text);
  });

  test('the result mentions nobody, doing it twice changes nothing, and undoing it gives the text back', () => {
    const text = fc
      .array(fc.constantFrom('@ada', ' ', '`', '\n', '```', '_', '(', 'x'))
      .map((p) => p.join(''));
    fc.assert(
      fc.property(text, (input) => {
        const once = neutraliseMentions(input);
        expect(neutraliseMentions(once)).toBe(once);
        expect(once.replaceAll('\u200d', '')).toBe(input);
        expect(findMentions(once)).toEqual([]);
      }),
    );
  });
});

describe('redactSecrets', () => {
  test('every occurrence goes, also percent-encoded and JSON-escaped', () => {
    const token = 'to/ken"1+';
    const log = `a ${token} b ${encodeURIComponent(token)} c ${JSON.stringify({ token })}`;
    expect(redactSecrets(log, [token])).toBe('a [redacted] b [redacted] c {"token":"[redacted]"}');
  });

  test('a secret that contains another one leaves no tail', () => {
    expect(redactSecrets('x abcdef y', ['abcd', 'abcdef'])).toBe('x [redacted] y');
  });

  test('the empty secret and very short ones do not blank out the text', () => {
    expect(redactSecrets('a word', ['', 'a'])).toBe('a word');
  });

  test('no secret survives, whatever characters it has', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4, unit: 'binary' }), fc.string(), (token, around) => {
        fc.pre(!`${around}[redacted]${around}`.includes(token));
        expect(redactSecrets(`${around}${token}${around}`, [token])).not.toContain(token);
      }),
    );
  });
});
