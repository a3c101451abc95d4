import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FORGE_TOOL_NAMES } from '../broker.ts';
import { FORGE_TOOLS } from '../vocabulary.ts';

test('the document names every tool, and no other', () => {
  const page = readFileSync(new URL('../../docs/forge-tools.md', import.meta.url), 'utf8');
  const named = [...page.matchAll(/^\| `(\w+)` \|/gm)].map((row) => row[1]);
  expect(named.toSorted()).toEqual([...FORGE_TOOL_NAMES].toSorted());
});

test('the names that a configuration may use are those of the tools', () => {
  expect([...FORGE_TOOLS].toSorted()).toEqual([...FORGE_TOOL_NAMES].toSorted());
});
