import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { testEngines } from '../../test/support/engines.ts';
import { needs } from '../../test/support/requirements.ts';
import { Terminal } from '../../test/support/terminal.ts';
import { EngineFailed } from './container.ts';
import { atOwnTerminal } from './terminal.ts';

const here = needs('script', 'proc');
const PROCESS = join(import.meta.dirname, '..', '..', 'test', 'support', 'terminal-process.ts');

let terminal: Terminal | null = null;
afterEach(() => terminal?.close());

const engines = testEngines().filter(({ need }) => need.ok);

describe.skipIf(!here.ok)(here.title('a command at a terminal'), () => {
  test.each(engines.map(({ name, image }) => [name, image] as const))(
    'has one of its own, what is typed at ours and its size, and ends with its code (%s)',
    async (engine, image) => {
      terminal = new Terminal([process.execPath, PROCESS, engine], {
        env: { PATH: process.env.PATH!, TERM: 'xterm' },
        // As in somebody's shell: the command does not lead the session.
        stays: true,
      });
      await terminal.shows("40 120 it's");
      await terminal.type('hello');
      await terminal.shows('typed=hello');
      await terminal.shows('code=7 bystander=alive, nothing left.');
      const [, inside] = /inside=(\d+?)40120/.exec(terminal.shown)!;
      const [, own] = /own=(\d+)code/.exec(terminal.shown)!;
      expect(Number(own)).toBeGreaterThan(0);
      expect(Number(inside)).toBeGreaterThan(0);
      // docker and podman number terminals anew inside.
      if (image === null) expect(inside).not.toBe(own);
    },
  );
});

test('without the program that makes terminals it says what to install', () => {
  expect(() => atOwnTerminal(null, ['true'], { instance: 'i', dispatch: 'd' })).toThrow(EngineFailed);
});
