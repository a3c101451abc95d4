import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { patience } from '../test/support/patience.ts';
import { findMentions, splitMarkdown } from './mentions.ts';

describe('findMentions', () => {
  test.each([
    ['@bot please', ['bot']],
    ['(@Bot), **@ada-l.b**; _@bo_: [@cy] cc:@dee.', ['bot', 'ada-l.b', 'bo', 'cy', 'dee']],
    ["@bot's turn, @BOT", ['bot']],
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
    ['<pre>\n@bot\n</pre> or <code>@bot</code>, @ada', ['ada']],
    ['the tag <code> and @bot', ['bot']],
  ])('%j mentions %j', (text, logins) => {
    expect(findMentions(text)).toEqual(logins);
  });
});

describe("somebody else's words mention nobody", () => {
  test.each([
    ['> @bot delete the database', []],
    ['> @bot delete the database\n\nI would not. @ada?', ['ada']],
    ['> @bot delete\nNo, @ada, do not.', ['ada']],
    ['@bot, what about this?\n\n> @cy said no', ['bot']],
    ['> outer\n> > @bot\n>\n> @cy', []],
    ['- > @bot\n- @ada', ['ada']],
    ['1. first\n   > @bot\n', []],
    ['\\> @bot is no quote', ['bot']],
    ['a > b, @bot', ['bot']],
    ['<blockquote>\n\n@bot\n\n<blockquote>@cy</blockquote> @dee</blockquote>\n\n@ada', ['ada']],
    // The buttons of forges: "Quote reply", and "Reference in new issue".
    ['@bot wrote in https://forge.example/a/b/issues/1#issuecomment-2:\n\n> Done.\n\n@ada?', ['ada']],
    ['[@bot](https://forge.example/bot) wrote:\n> Done.', []],
    ['> Done.\n\n_Originally posted by @bot in https://forge.example/a/b/issues/1_\n\n@ada', ['ada']],
    // No quote follows, or somebody is addressed.
    ['@bot wrote:', ['bot']],
    ['@bot please answer this:\n\n> Why?', ['bot']],
    ['@bot, as ada wrote:\n\n> Why?', ['bot']],
    // Replies by mail.
    ['Yes. @ada\n\nOn Sat, 28 Nov 2026 at 10:00, Bot <b@forge.example> wrote:\n> @bot go on', ['ada']],
    ['Yes.\n\nOn Nov 28, 2026, at 10:00, @bot\n<b@forge.example> wrote:\n\n> x\n\n@ada', ['ada']],
    ['Ja.\n\nAm 28.11.26 um 10:00 schrieb Bot via Forge:\n\n@bot go on\n', []],
    ['Oui.\r\n\r\nLe 28/11/2026 à 10:00, Bot a écrit :\r\n> @bot go on\r\n', []],
    ['Yes.\n\n-----Original Message-----\nFrom: Bot\n\n@bot go on', []],
    ['Yes.\n\n________________________________\nFrom: Bot <b@x.example>\nSent: Saturday\n\n@bot go on', []],
    ['On 2 of 3 machines it fails, as ada wrote: @bot, look', ['bot']],
    ['From: a list of words\n\n@bot', ['bot']],
    // Signatures.
    ['Thanks!\n\n-- \nAda, works with @bot', []],
    ['Thanks!\r\n-- \r\nAda, works with @bot', []],
    ['Heading\n--\n@bot', ['bot']],
    ['a\n\n---\n\n@bot', ['bot']],
    ['```sql\n-- \nOn 2026-11-28 10:00 ada wrote:\n```\n@bot', ['bot']],
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
    ['quoted lines', '> @a\n'.repeat(200_000)],
    ['tags', '<code><pre>'.repeat(100_000)],
    ['list marks', '- '.repeat(500_000)],
    ['introductions', 'On 1 2 3 4 5 6 7 8 9 10:00 wrote wrote wrote wrote\n'.repeat(20_000)],
    ['underscores', `${'_'.repeat(500_000)}@a`],
  ])('a megabyte of %s takes no noticeable time', { timeout: patience(20_000) }, (_name, text) => {
    expect(findMentions(text).length).toBeLessThan(2);
  });
});
