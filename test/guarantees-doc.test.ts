import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** A page of promises that names a test which is not there would be worse than none. */
test('every test and file that docs/guarantees.md names is there', () => {
  const root = new URL('../', import.meta.url);
  const text = readFileSync(new URL('docs/guarantees.md', root), 'utf8');
  const named = [...text.matchAll(/`((?:src|test|scripts|docs|bench)\/[\w./-]*)`/g)].map((m) => m[1]!);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
});
