import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { KEPT_OF_STDERR } from './program/bounded-output.ts';
import { lastWords, type ProgramCall, runProgram } from './program.ts';

const PATH = '/usr/local/bin:/usr/bin:/bin';
const shell = (script: string, more: Partial<ProgramCall> = {}) =>
  runProgram({ program: 'sh', args: ['-c', script], env: { PATH }, timeoutMs: 60_000, ...more });

describe('a program', () => {
  test('answers with its own exit code and its bytes as they are', async () => {
    const answer = await shell(String.raw`cat; printf '\377\n'; echo why >&2; exit 3`, {
      input: { text: 'in ' },
    });
    expect(answer).toEqual({
      exitCode: 3,
      stdout: Buffer.from([0x69, 0x6e, 0x20, 0xff, 0x0a]),
      stderr: 'why\n',
      cutShort: null,
    });
  });

  test('sees nothing of our environment but what it is given', async () => {
    const answer = await shell('env', { env: { PATH, GIVEN: 'yes' } });
    const names = answer.stdout
      .toString()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names.filter((name) => !['PWD', 'SHLVL', '_', ''].includes(name!))).toEqual(['PATH', 'GIVEN']);
  });

  test('that is not there, or is killed, is an answer with a reason', async () => {
    const missing = await runProgram({
      program: 'no-such-program',
      args: [],
      env: { PATH },
      timeoutMs: 1000,
    });
    expect(missing).toMatchObject({ exitCode: null, cutShort: { how: 'not-started' } });
    expect(missing.cutShort!.why).toContain('spawn no-such-program ENOENT');
    expect(await shell('kill -9 $$')).toMatchObject({
      exitCode: null,
      cutShort: { how: 'killed', why: 'it was ended by SIGKILL' },
    });
  });

  test('that takes too long is ended, with its children', async () => {
    const answer = await shell('sleep 600 & echo $!; wait', { timeoutMs: 300 });
    expect(answer).toMatchObject({ exitCode: null, cutShort: { how: 'timed-out' } });
    await vi.waitFor(() => expect(isAlive(Number(answer.stdout.toString()))).toBe(false), 10_000);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('what a program says has a bound', () => {
  test('an endless answer ends the program and is not kept', async () => {
    const answer = await shell('exec yes', { maxBytes: 1_000_000, timeoutMs: 5000 });
    expect(answer.cutShort).toEqual({ how: 'too-long', why: 'it wrote more than 1000000 bytes' });
    expect(answer).toMatchObject({ exitCode: null, stdout: Buffer.alloc(0) });
  });

  test('of a flood on the error output beginning and end are kept, and no half of a word', async () => {
    const flood = String.raw`printf secret- >&2; head -c 20000000 /dev/zero | tr '\0' x >&2`;
    const { exitCode, stderr } = await shell(
      `echo fatal: first >&2; ${flood}; echo ' fatal: last' >&2; exit 128`,
    );
    expect(exitCode).toBe(128);
    expect(stderr.length).toBeLessThan(KEPT_OF_STDERR + 100);
    expect(stderr).toMatch(/^fatal: first\n\[200\d+ bytes were left out\]\nfatal: last\n$/);
    expect(lastWords(stderr)).toMatch(/fatal: last$/);
  });

  test('the control characters of a failed program are not escaped one by one', async () => {
    const escaped = vi.spyOn(String.prototype, 'replaceAll');
    try {
      const noise = String.raw`head -c 2000000 /dev/zero | tr '\0' '\001'`;
      const answer = await shell(`${noise}; ${noise} >&2; echo ' fatal: the end' >&2; exit 128`);
      expect(answer).toMatchObject({ exitCode: 128, cutShort: null });
      expect(answer.stdout.length).toBe(2_000_000);
      expect(answer.stderr).toMatch(/fatal: the end\n$/);
      const looked = escaped.mock.contexts.reduce<number>((sum, text) => sum + String(text).length, 0);
      expect(looked).toBeLessThan(100_000);
    } finally {
      escaped.mockRestore();
    }
  });

  test('a text of the file is read, and a folder is its place', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-program-'));
    try {
      expect((await shell('pwd -P', { cwd: folder })).stdout.toString().trim()).toContain(
        'claude-hooks-program-',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
