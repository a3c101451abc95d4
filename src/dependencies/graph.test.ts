import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cycleThrough } from './graph.ts';

const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges));

test('a shortest way back, or none', () => {
  expect(cycleThrough('a', graph({ a: ['a'] }))).toEqual(['a']);
  expect(cycleThrough('a', graph({ a: ['b', 'c'], b: ['d'], d: ['a'], c: ['a'] }))).toEqual(['a', 'c']);
  expect(cycleThrough('a', graph({ a: ['b'], b: ['c'], c: ['b'] }))).toBeNull();
  expect(cycleThrough('a', graph({}))).toBeNull();
});

/** Reachability by brute force: the transitive closure, Warshall's way. */
function reachesItself(start: number, edges: readonly (readonly number[])[]): boolean {
  const reach = edges.map((next) => edges.map((_, to) => next.includes(to)));
  for (const k of edges.keys())
    for (const i of edges.keys())
      for (const j of edges.keys()) if (reach[i]![k]! && reach[k]![j]!) reach[i]![j] = true;
  return reach[start]![start]!;
}

test('it finds a cycle exactly where there is one, and what it names is one', () => {
  const size = 7;
  const node = fc.integer({ min: 0, max: size - 1 });
  const lists = fc.array(fc.array(node, { maxLength: 3 }), { minLength: size, maxLength: size });
  fc.assert(
    fc.property(lists, (edges) => {
      const named = new Map(edges.map((next, from) => [String(from), next.map(String)]));
      for (const start of edges.keys()) {
        const cycle = cycleThrough(String(start), named);
        expect(cycle !== null).toBe(reachesItself(start, edges));
        if (cycle === null) continue;
        expect(cycle[0]).toBe(String(start));
        expect(new Set(cycle).size).toBe(cycle.length);
        for (const [at, from] of cycle.entries()) {
          expect(named.get(from)).toContain(cycle[(at + 1) % cycle.length]);
        }
      }
    }),
    { numRuns: 300 },
  );
});
