import { describe, expect, test } from 'vitest';
import { commandsIn } from './command-words.ts';

const verbs = (text: string) => commandsIn(text).commands.map(({ verb, word }) => verb ?? `?${word}`);

describe('commands in a comment', () => {
  test('stand at the start of a line, one on each', () => {
    expect(verbs('/claude hold')).toEqual(['hold']);
    expect(verbs('Thanks!\n\n/claude cancel\r\n/claude  Fresh  ')).toEqual(['cancel', 'fresh']);
    expect(verbs('Please /claude hold')).toEqual([]);
    expect(verbs(' /claude hold')).toEqual([]);
    expect(verbs('- /claude hold')).toEqual([]);
    expect(verbs('/claudette hold')).toEqual([]);
  });

  test('a word that is none of ours is kept, to be answered', () => {
    expect(verbs('/claude stop')).toEqual(['?stop']);
    expect(verbs('/claude')).toEqual(['?']);
  });

  test.each([
    ['quoted', '> /claude hold\n\nWhy?'],
    ['quoted twice', '> > /claude hold'],
    ['fenced', '```\n/claude hold\n```'],
    ['fenced with tildes', '~~~sh\n/claude hold\n~~~'],
    ['in a fence that nobody closed', '```\n/claude hold'],
    ['in code', '`\n/claude hold\n`'],
    ['indented', 'So:\n\n    /claude hold'],
    ['in an HTML comment', '<!--\n/claude hold\n-->'],
    ['in an HTML quote', '<blockquote>\n/claude hold\n</blockquote>'],
    ['in preformatted text', '<pre>\n/claude hold\n</pre>'],
    ['below a signature', 'Hello\n-- \n/claude hold'],
    ['in a mail before', 'On Sat, 28 Nov 2026 at 10:00, Dev <dev@example.org> wrote:\n/claude hold'],
  ])('%s text commands nothing', (_, text) => {
    expect(verbs(text)).toEqual([]);
  });

  test('say takes the rest of the comment, code and quotes too, up to the next command', () => {
    const text = '/claude say Try it so:\n```\nnpm test\n```\n\n> as ada wrote\n/claude cost';
    expect(commandsIn(text)).toEqual({
      commands: [
        { verb: 'say', word: 'say', argument: 'Try it so:\n```\nnpm test\n```\n\n> as ada wrote' },
        { verb: 'cost', word: 'cost', argument: '' },
      ],
      saysMore: false,
    });
  });

  test('what is said besides is for the flows', () => {
    expect(commandsIn('/claude hold until Monday').commands[0]!.argument).toBe('until Monday');
    expect(commandsIn('/claude hold\n\n').saysMore).toBe(false);
    expect(commandsIn('Fix the typo.\n/claude fresh').saysMore).toBe(true);
    expect(commandsIn('Fix the typo.')).toEqual({ commands: [], saysMore: true });
  });

  test('no more than five count', () => {
    expect(verbs('/claude cost\n'.repeat(9))).toHaveLength(5);
  });
});
