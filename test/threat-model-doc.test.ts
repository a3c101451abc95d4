import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** A wall that names a test which is not there would be worse than none. */
test('every test and page that docs/threat-model.md names is there', () => {
  const root = new URL('../', import.meta.url);
  const text = readFileSync(new URL('docs/threat-model.md', root), 'utf8');
  const named = [
    ...[...text.matchAll(/`((?:src|test)\/[\w./-]*)`/g)].map((m) => m[1]!),
    ...[...text.matchAll(/\]\(([\w./-]+\.md)\)/g)].map((m) => `docs/${m[1]!}`),
  ];
  expect(named.length).toBeGreaterThan(25);
  expect(named.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
});
