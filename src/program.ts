/**
 * Runs a program of this machine to its end: without a shell, with a time limit for it and its children, and with a
 * limit on what it may write. Whatever the program does, nothing here throws.
 *
 * execa would make an error message of everything a failed program wrote, and escape it character by character, which
 * blocks the event loop for a second for each megabyte of control characters. So execa collects nothing, and we write
 * the messages.
 */
import { execa } from 'execa';
import { BoundedEnds, BoundedWhole } from './program/bounded-output.ts';
import { endGroup, withTimeLimit } from './program/process-group.ts';

export interface ProgramCall {
  program: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** `env` is added to this process's own environment; otherwise it is the whole environment */
  inherits?: boolean;
  cwd?: string;
  /** what the program reads; nothing when not given */
  input?: { file: string } | { text: string };
  timeoutMs: number;
  /** a program that writes more is ended; `LONGEST_ANSWER` when not given */
  maxBytes?: number;
}

export interface ProgramAnswer {
  /** null: it was not started, or it was ended */
  exitCode: number | null;
  /** unchanged; at most `maxBytes` */
  stdout: Buffer;
  /** the beginning and the end of what it wrote, at most `KEPT_OF_STDERR` bytes */
  stderr: string;
  /** null: it ended by itself, with whatever exit code */
  cutShort: null | { how: 'not-started' | 'timed-out' | 'too-long' | 'killed'; why: string };
}

/** Enough for a list of a million files, which is 100 MB. */
const LONGEST_ANSWER = 100_000_000;

export async function runProgram(call: ProgramCall): Promise<ProgramAnswer> {
  const maxBytes = call.maxBytes ?? LONGEST_ANSWER;
  const child = execa(call.program, [...call.args], {
    ...(call.cwd === undefined ? {} : { cwd: call.cwd }),
    env: { ...call.env },
    extendEnv: call.inherits ?? false,
    ...inputOf(call),
    // guard: the output of a failed program is not made into a message
    buffer: false,
    reject: false,
    detached: true,
  });
  const stdout = new BoundedWhole(maxBytes, () => endGroup(child));
  const stderr = new BoundedEnds();
  child.stdout?.on('data', (data: Buffer) => stdout.add(data));
  child.stderr?.on('data', (data: Buffer) => stderr.add(data));
  const timedOut = await withTimeLimit(child, call.timeoutMs);
  const result = await child;
  const cutShort = (): ProgramAnswer['cutShort'] => {
    if (timedOut) return { how: 'timed-out', why: `timed out after ${call.timeoutMs / 1000} s` };
    if (stdout.isOver) return { how: 'too-long', why: `it wrote more than ${maxBytes} bytes` };
    if (result.exitCode !== undefined) return null;
    if (result.signal !== undefined) return { how: 'killed', why: `it was ended by ${result.signal}` };
    return { how: 'not-started', why: result.originalMessage ?? 'it could not be started' };
  };
  return {
    exitCode: result.exitCode ?? null,
    stdout: stdout.bytes(),
    stderr: stderr.text(),
    cutShort: cutShort(),
  };
}

/** Removes one line end at the end of a text: the program adds it to its answer. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/** The end of what a program said, in one line and short enough for a sentence. */
export function lastWords(stderr: string): string {
  return stderr.trim().split('\n').slice(-4).join(' | ').slice(-600);
}

function inputOf({ input }: ProgramCall): { stdin: 'ignore' } | { inputFile: string } | { input: string } {
  if (input === undefined) return { stdin: 'ignore' };
  return 'file' in input ? { inputFile: input.file } : { input: input.text };
}
