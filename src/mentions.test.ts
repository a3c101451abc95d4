import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findMentions, splitMarkdown } from './mentions.ts';

describe('findMentions', () => {
  test.each([
    ['@bot please', ['bot']],
    ['(@Bot), **@ada-l.b**; _@bo_: [@cy] cc:@dee.', ['bot', 'ada-l.b', 'bo', 'cy', 'dee']],
    ["@bot's turn, @BOT", ['bot']],
    ['> @bot in a quote', ['bot']],
    ['mail ada@bot.example or bot+@x', []],
    ['https://social.example/@bot and a=@bot', []],
    ['@org/team and @bot@social.example', []],
    ['\\@bot is escaped', []],
    ['é@bot', []],
    ['run `@bot` or ``@a ` @b``', []],
    ['an unmatched ` before @bot', ['bot']],
    ['`C:\\` and `@bot`', []],
    ['\\`no code @bot`', ['bot']],
    ['`code`@bot', ['bot']],
    ['`open\n\n@bot in the next paragraph`', ['bot']],
    ['```sh\n@bot\n```\n@ada', ['ada']],
    ['~~~\n```\n@bot\n~~~\n@ada', ['ada']],
    ['````\n```\n@bot\n````\n', []],
    ['> ```\n> @bot\n@ada after the quote', ['ada']],
    ['- item\n  ```\n  @bot\n  ```\n- @ada', ['ada']],
    ['```js```  @bot is no fence', ['bot']],
    ['text\n\n    @bot in indented code\n\n@ada', ['ada']],
    ['- item\n\n    @bot in a list item', ['bot']],
    ['text\n    @bot continues the paragraph', ['bot']],
    ['<!-- @bot -->@ada', ['ada']],
    ['see <!-- @bot --> @ada', ['ada']],
    ['<!-- @bot\n\n@cy --> @ada', ['ada']],
    ['<!-- never closed @bot\n\n@ada', []],
    ['a literal <!-- in the middle, @bot', ['bot']],
    ['```\n@bot in a fence without end', []],
  ])('%j mentions %j', (text, logins) => {
    expect(findMentions(text)).toEqual(logins);
  });
});

test('only the beginning of a long text mentions anybody', () => {
  expect(findMentions(`${'word '.repeat(6_000)}@bot ${'word '.repeat(6_000)}@cy`)).toEqual(['bot']);
  expect(findMentions('a '.repeat(13_107_200).concat('@bot'))).toEqual([]);
});

describe('splitMarkdown', () => {
  const markdown = fc
    .array(
      fc.constantFrom('`', '```', '\n', '\n\n', '    ', '<!--', '-->', '> ', '- ', '~~~', '\\', '@bot', 'a'),
    )
    .map((pieces) => pieces.join(''));

  test('the parts joined are the text, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(markdown, fc.string({ unit: 'binary' })), (text) => {
        expect(
          splitMarkdown(text)
            .map((part) => part.text)
            .join(''),
        ).toBe(text);
      }),
    );
  });

  // Each is quadratic or worse in a naive scanner: seconds to minutes instead of milliseconds.
  test.each([
    ['runs of growing length', Array.from({ length: 1_400 }, (_, n) => `${'`'.repeat(n + 1)} `).join('')],
    ['comments without end', 'x <!-- '.repeat(150_000)],
    ['nested quotes', '> '.repeat(300_000)],
    ['mentions cut short', '@a-'.repeat(300_000)],
    ['underscores', `${'_'.repeat(500_000)}@a`],
  ])('a megabyte of %s takes no noticeable time', { timeout: 5_000 }, (_name, text) => {
    expect(findMentions(text).length).toBeLessThan(2);
  });
});
