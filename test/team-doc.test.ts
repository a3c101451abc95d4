/** docs/team.md shows the table as the code has it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TABLE } from '../src/team/table.ts';

test('docs/team.md has every row, in order', () => {
  const page = readFileSync(new URL('../docs/team.md', import.meta.url), 'utf8');
  const rows = TABLE.map(({ name, when, act }) => {
    const held = when.length === 0 ? 'no row above' : when.map(([text]) => text).join(', ');
    return `| ${name} | ${held} | ${act} |`;
  });
  const shown = page.split('\n').filter((line) => TABLE.some(({ name }) => line.startsWith(`| ${name} |`)));
  expect(shown).toEqual(rows);
});
