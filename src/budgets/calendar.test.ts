import { describe, expect, test } from 'vitest';
import { periodOf, quietUntil } from './calendar.ts';

const at = (text: string) => Date.parse(text);
const shown = (period: { start: number; end: number }) =>
  [period.start, period.end].map((t) => new Date(t).toISOString());

describe('a period', () => {
  test.each([
    ['UTC', 'day', '2026-11-29T23:59:59.999Z', '2026-11-29T00:00:00.000Z', '2026-11-30T00:00:00.000Z'],
    ['UTC', 'month', '2026-12-31T12:00:00Z', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['Europe/Berlin', 'day', '2026-03-29T12:00:00Z', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
    ['Europe/Berlin', 'day', '2026-10-25T12:00:00Z', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
    [
      'Europe/Berlin',
      'month',
      '2026-10-31T23:30:00Z',
      '2026-10-31T23:00:00.000Z',
      '2026-11-30T23:00:00.000Z',
    ],
    ['Asia/Kathmandu', 'day', '2026-01-05T18:14:59Z', '2026-01-04T18:15:00.000Z', '2026-01-05T18:15:00.000Z'],
    [
      'America/Santiago',
      'day',
      '2026-09-06T12:00:00Z',
      '2026-09-06T04:00:00.000Z',
      '2026-09-07T03:00:00.000Z',
    ],
  ] as const)('%s, %s of %s', (zone, unit, time, start, end) => {
    expect(shown(periodOf(at(time), unit, zone))).toEqual([start, end]);
    // The first and the last millisecond of it belong to it.
    expect(shown(periodOf(at(start), unit, zone))).toEqual([start, end]);
    expect(shown(periodOf(at(end) - 1, unit, zone))).toEqual([start, end]);
    expect(periodOf(at(end), unit, zone).start).toBe(at(end));
  });
});

describe('quiet hours', () => {
  const until = (time: string, ...hours: string[]) => {
    const end = quietUntil(at(time), hours, 'Europe/Berlin');
    return end === null ? null : new Date(end).toISOString();
  };

  test('go on after midnight, on the days on which they begin', () => {
    expect(until('2026-11-30T20:59:00Z', '22:00-06:00')).toBeNull();
    expect(until('2026-11-30T21:00:30Z', '22:00-06:00')).toBe('2026-12-01T05:00:00.000Z');
    expect(until('2026-12-01T04:59:00Z', '22:00-06:00')).toBe('2026-12-01T05:00:00.000Z');
    expect(until('2026-12-01T05:00:00Z', '22:00-06:00')).toBeNull();
    // 2026-12-04 is a Friday.
    expect(until('2026-12-05T03:00:00Z', 'fri 22:00-06:00')).toBe('2026-12-05T05:00:00.000Z');
    expect(until('2026-12-06T03:00:00Z', 'fri 22:00-06:00')).toBeNull();
  });

  test('that touch are one', () => {
    const weekend = 'sat,sun 00:00-24:00';
    expect(until('2026-12-05T10:00:00Z', weekend, '22:00-06:00')).toBe('2026-12-07T05:00:00.000Z');
    expect(until('2026-12-04T22:00:00Z', weekend, '22:00-06:00')).toBe('2026-12-07T05:00:00.000Z');
    expect(until('2026-12-05T10:00:00Z')).toBeNull();
  });
});
