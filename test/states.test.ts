import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const vocabulary = await readFile(`${root}src/vocabulary.ts`, 'utf8');
const page = await readFile(`${root}docs/states.md`, 'utf8');

/** Types are gone at run time, so the union is read from the text. */
function union(name: string): string[] {
  const declaration = new RegExp(`^export type ${name} =([^;]+);`, 'm').exec(vocabulary)?.[1];
  if (declaration === undefined) throw new Error(`src/vocabulary.ts has no type ${name}`);
  return [...declaration.matchAll(/'([^']+)'/g)].map((match) => match[1]!).sort();
}

interface Arrow {
  from: string;
  to: string;
}

function arrows(heading: string): Arrow[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const diagram = /```mermaid\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
  return [...diagram.matchAll(/^\s*(\S+) --> (\S+?)(?::.*)?$/gm)].map((match) => ({
    from: match[1]!,
    to: match[2]!,
  }));
}

describe.each([
  ['Delivery', 'DeliveryState', 'received'],
  ['Dispatch', 'DispatchState', 'queued'],
  ['Session', 'SessionState', 'proposed'],
  ['Message', 'MessageState', 'waiting'],
  ['Notice', 'NoticeState', 'planned'],
  ['Ask', 'AskState', 'open'],
  ['Timer', 'TimerState', 'waiting'],
])('%s', (heading, type, first) => {
  test('the drawing and the type name the same states', () => {
    const drawn = arrows(heading).flatMap(({ from, to }) => [from, to]);
    expect([...new Set(drawn)].filter((state) => state !== '[*]').sort()).toEqual(union(type));
  });

  test('every state can be reached from the first and left again', () => {
    const drawn = arrows(heading);
    expect(drawn.filter(({ from }) => from === '[*]').map(({ to }) => to)).toEqual([first]);
    for (const direction of ['forward', 'backward'] as const) {
      const steps = direction === 'forward' ? drawn : drawn.map(({ from, to }) => ({ from: to, to: from }));
      const reached = new Set(['[*]']);
      for (let size = 0; size !== reached.size; ) {
        size = reached.size;
        for (const { from, to } of steps) if (reached.has(from)) reached.add(to);
      }
      expect([...reached].filter((state) => state !== '[*]').sort(), direction).toEqual(union(type));
    }
  });
});
