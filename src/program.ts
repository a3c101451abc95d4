/**
 * A program of this machine, run to its end: without a shell, with a time limit for it and its children, and with a
 * bound on what it may say. Nothing here throws for what the program did.
 *
 * execa would make an error message of everything a failed program wrote, and escape it character by character: a
 * second of the event loop for each megabyte of control characters. It is told to collect nothing, and the words are ours.
 */
import { execa } from 'execa';
import { BoundedEnds, BoundedWhole } from './program/bounded-output.ts';
import { endGroup, withTimeLimit } from './program/process-group.ts';

export interface ProgramCall {
  program: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** `env` comes on top of this process's own environment; else it is the whole */
  inherits?: boolean;
  cwd?: string;
  /** what it reads; nothing when not given */
  input?: { file: string } | { text: string };
  timeoutMs: number;
  /** a program whose answer is longer is ended; `LONGEST_ANSWER` when not given */
  maxBytes?: number;
}

export interface ProgramAnswer {
  /** null: it was not started, or it did not end by itself */
  exitCode: number | null;
  /** untouched; at most `maxBytes` */
  stdout: Buffer;
  /** its beginning and its end, at most `KEPT_OF_STDERR` bytes of it */
  stderr: string;
  /** null: it ended by itself, whatever its exit code */
  cutShort: null | { how: 'not-started' | 'timed-out' | 'too-long' | 'killed'; why: string };
}

/** A list of a million files is 100 MB. */
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

/** One line end at the end of a text is the program's, not the answer's. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/** The end of what it said, in one line and short enough for a sentence. */
export function lastWords(stderr: string): string {
  return stderr.trim().split('\n').slice(-4).join(' | ').slice(-600);
}

function inputOf({ input }: ProgramCall): { stdin: 'ignore' } | { inputFile: string } | { input: string } {
  if (input === undefined) return { stdin: 'ignore' };
  return 'file' in input ? { inputFile: input.file } : { input: input.text };
}
