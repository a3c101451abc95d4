/** A demo that ends before its time: whoever kills it, or stops reading, finds nothing left of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { COMPILED } from '../../test/support/compiled.ts';
import { patience } from '../../test/support/patience.ts';
import { needs } from '../../test/support/requirements.ts';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));

const NO_WAY_OUT = { http_proxy: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9' };

/**
 * With a temporary folder of its own, by which everything of it is found; as a bare process, whose runs nothing else ends.
 * The machine is a hard one: a blank in the path, a proxy that refuses, no git identity.
 */
function startDemo() {
  const temporary = mkdtempSync(join(tmpdir(), 'a demo '));
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const env = { PATH: process.env.PATH, HOME: temporary, TMPDIR: temporary, ...COMPILED, ...NO_WAY_OUT };
  const child = spawn(process.execPath, [CLI, 'demo', '--engine', 'process'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let complaints = '';
  child.stderr.on('data', (data: Buffer) => {
    complaints += data.toString('utf8');
  });
  return { child, temporary, complaints: () => complaints };
}

async function readUntil(child: ChildProcess, words: string): Promise<void> {
  for await (const line of createInterface(child.stdout!)) if (line.includes(words)) return;
  throw new Error(`The demo ended before it said "${words}".`);
}

/** Processes that name the folder in their environment or on their command line. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) =>
      ['environ', 'cmdline'].some((file) => contentOf(`/proc/${pid}/${file}`).includes(folder)),
    )
    .map((pid) => `${pid} ${contentOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`);
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

const whole = needs('cli', 'git', 'flock', 'proc');
describe.skipIf(!whole.ok)(whole.title('a demo that ends before its time'), () => {
  test('its reader goes in mid-run: quietly, and all is gone when it has ended', async () => {
    const { child, temporary, complaints } = startDemo();
    const ended = once(child, 'exit');
    await readUntil(child, 'assigns dev-bot');
    child.stdout!.destroy();
    expect(await ended).toEqual([141, null]);
    expect({ left: readdirSync(temporary), processes: processesIn(temporary) }).toEqual({
      left: [],
      processes: [],
    });
    expect(complaints()).toBe('');
  });

  test('SIGKILL in mid-run: the service, the run and the folder go all the same', async () => {
    const { child, temporary } = startDemo();
    await readUntil(child, 'dispatch 1 runs');
    expect(processesIn(temporary).length).toBeGreaterThan(2);
    child.kill('SIGKILL');
    await vi.waitFor(
      () => {
        expect(processesIn(temporary)).toEqual([]);
        expect(readdirSync(temporary)).toEqual([]);
      },
      { timeout: patience(60_000), interval: 100 },
    );
  });
});
