import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { readLimit, readParts, readPort, readRepository, readSince, readWords } from './option-values.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');

describe('taken', () => {
  test.each([
    ['90s', '2026-03-01T11:58:30Z'],
    ['30m', '2026-03-01T11:30:00Z'],
    ['2h', '2026-03-01T10:00:00Z'],
    ['7d', '2026-02-22T12:00:00Z'],
    ['1w', '2026-02-22T12:00:00Z'],
    ['2026-02-28', '2026-02-28T00:00:00Z'],
    ['2026-02-28 13:05Z', '2026-02-28T13:05:00Z'],
    // As every command prints it.
    ['2026-02-28 13:05:09Z', '2026-02-28T13:05:09Z'],
    ['2026-02-28T13:05:09.250+02:00', '2026-02-28T11:05:09.25Z'],
    ['2026-02-28T13:05', '2026-02-28T13:05:00Z'],
  ])('--since %s', (text, time) => {
    expect(readSince(text, NOW)).toBe(Date.parse(time));
  });

  test('numbers, ports, repositories, words', () => {
    expect([readLimit('1'), readLimit('10000'), readPort('0'), readPort('65535')]).toEqual([
      1, 10_000, 0, 65_535,
    ]);
    expect(readRepository('ada/greeter')).toEqual({ forge: null, repository: 'ada/greeter' });
    expect(readRepository('home:ada/greeter')).toEqual({ forge: 'home', repository: 'ada/greeter' });
    expect(readWords(' ada ')).toBe('ada');
    expect([readParts('worker'), readParts('router, web,web')]).toEqual([['worker'], ['web', 'router']]);
  });
});

describe('refused in words', () => {
  const since = (text: string) => readSince(text, NOW);
  test.each([
    ...['x', '0', '-3', '1.5', '1e3', '0x10', ' 5', '', '10001', '99999999999999999999'].map(
      (text) => [text, readLimit, 'Give a whole number from 1 to 10000.'] as const,
    ),
    ...['x', '-1', '65536', '80.5', ''].map(
      (text) => [text, readPort, 'Give a whole number from 0 to 65535'] as const,
    ),
    ...[
      'x',
      '',
      '0',
      'yesterday',
      '2026-02-31',
      '2026-13-01',
      '2026-2-3',
      '2026-02-28 25:00Z',
      '12',
      '-2h',
      '2 h',
    ].map((text) => [text, since, 'Give how long ago, as 90s'] as const),
    ['2026-03-02', since, 'in the future'] as const,
    ...['greeter', 'ada/greeter/x', 'ada/greeter#1', '/greeter', ''].map(
      (text) => [text, readRepository, 'Give a repository as owner/name'] as const,
    ),
    ...['', '  '].map((text) => [text, readWords, 'Give a text that is not empty.'] as const),
  ])('"%s"', (text, read, says) => {
    expect(() => read(text)).toThrow(InvalidArgumentError);
    expect(() => read(text)).toThrow(says);
  });
});
