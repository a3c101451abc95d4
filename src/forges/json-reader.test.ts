import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LONGEST_TEXT } from '../text-limits.ts';
import { JsonReader, LET_GO } from './json-reader.ts';

function read(text: string, piece = text.length): unknown {
  const reader = new JsonReader();
  for (let at = 0; at < text.length; at += piece) reader.write(text.slice(at, at + piece));
  return reader.end();
}

test('it makes of JSON what JSON.parse makes of it, in pieces of any size', () => {
  fc.assert(
    fc.property(fc.json(), fc.integer({ min: 1, max: 20 }), fc.boolean(), (json, piece, spaced) => {
      const text = spaced ? JSON.stringify(JSON.parse(json), null, 2) : json;
      expect(read(text, piece)).toEqual(JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

test('no piece of text makes it fail, and what is no JSON is undefined', () => {
  const token = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    ':',
    ',',
    '1',
    '-',
    'null',
    'tru',
    '\\u12',
    'a',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 30 }), (tokens) => {
      const text = tokens.join('');
      const read1 = read(text, 3);
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        return;
      }
      expect(read1).toEqual(parsed);
    }),
    { numRuns: 2000 },
  );
  for (const text of ['', '{', '[1', '"a', '{"a"}', '[1}', '<html>', '1 2', '{"a":1,"b"}', '"\\x"']) {
    expect(read(text)).toBeUndefined();
  }
});

describe('a long answer', () => {
  test('keeps the beginning of a string, and what follows it', () => {
    const long = `{"body":"${'ab\\n'.repeat(LONGEST_TEXT)}","id":7}`;
    const { body, id } = read(long, 65_536) as { body: string; id: number };
    expect(body).toBe('ab\n'.repeat(LONGEST_TEXT).slice(0, LONGEST_TEXT));
    expect(id).toBe(7);
  });

  test('lets go of the first texts of a list that is too long together, and keeps the newest', () => {
    const members = Array.from({ length: 40 }, (_, id) => ({ id, body: 'x'.repeat(LONGEST_TEXT) }));
    const found = read(JSON.stringify(members), 65_536) as { id: number; body: string }[];
    expect(found).toHaveLength(40);
    expect(found[0]).toEqual({ id: 0, body: LET_GO });
    expect(found[39]!.body).toHaveLength(LONGEST_TEXT);
  });

  test('is deep: it is no JSON of ours, and nothing overflows', () => {
    expect(read('['.repeat(1_000_000), 65_536)).toBeUndefined();
    expect(read('{"a":'.repeat(1_000_000), 65_536)).toBeUndefined();
  });

  test('that ends too early answers its complete members', () => {
    const reader = new JsonReader();
    reader.write('[{"id":1,"a":{}},{"id":2,"bo');
    expect(reader.members).toBe(2);
    expect(reader.cutShort(false)).toEqual([{ id: 1, a: {} }]);
    const field = new JsonReader();
    field.write('{"total":9,"runs":[{"id":1},{"id":2}');
    expect(field.members).toBe(2);
    expect(field.cutShort(false)).toEqual({ total: 9, runs: [{ id: 1 }, { id: 2 }] });
    const unfinished = new JsonReader();
    unfinished.write('[{"id":1},{"id":2,"body":"xxx');
    expect(unfinished.cutShort(true)).toEqual([{ id: 1 }, { id: 2 }]);
  });
});
