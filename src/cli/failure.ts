/** What went wrong, in the two forms of an answer: a sentence with its remedy, and JSON. */
import { CommanderError } from 'commander';
import {
  AlreadyRunning,
  Ambiguous,
  type Candidate,
  ConfigError,
  type ConfigProblem,
  DatabaseUnusable,
  MissingProgram,
  NotFound,
} from '../errors.ts';
import { refusedFile } from './refused-files.ts';

export const FAILURE_KINDS = [
  'usage',
  'configuration',
  'not-found',
  'ambiguous',
  'already-running',
  'database',
  'missing-program',
  'refused-file',
  'unexpected',
] as const;
type FailureKind = (typeof FAILURE_KINDS)[number];

/** With --json this is all that stands on standard error. */
export interface Failure {
  error: {
    kind: FailureKind;
    message: string;
    /** of the configuration */
    problems?: readonly ConfigProblem[];
    /** of an ambiguous reference */
    candidates?: readonly Candidate[];
  };
}

/** A call that the command line itself refused. */
export class UsageError extends Error {
  override name = 'UsageError';
  constructor({ code, message }: CommanderError, command: string) {
    const sentence = message
      .replace(/^error: /, '')
      .replaceAll(/\s+/g, ' ')
      .trim();
    const ended = /[.?!)]$/.test(sentence) ? sentence : `${sentence}.`;
    const isSaid = code === 'commander.invalidArgument';
    super(isSaid ? upper(ended) : `${upper(ended)} \`${command} --help\` shows what it takes.`);
  }
}

function upper(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UsageError || error instanceof CommanderError)
    return { error: { kind: 'usage', message } };
  if (error instanceof ConfigError) {
    return { error: { kind: 'configuration', message, problems: error.problems } };
  }
  if (error instanceof Ambiguous) {
    return { error: { kind: 'ambiguous', message, candidates: error.candidates } };
  }
  if (error instanceof DatabaseUnusable) return { error: { kind: 'database', message } };
  if (error instanceof MissingProgram) return { error: { kind: 'missing-program', message } };
  const refused = refusedFile(error);
  if (refused !== null) return { error: { kind: 'refused-file', message: refused } };
  if (error instanceof NotFound) return { error: { kind: 'not-found', message } };
  if (error instanceof AlreadyRunning) return { error: { kind: 'already-running', message } };
  return { error: { kind: 'unexpected', message: withRemedy(error, message) } };
}

const NO_SERVER = 'Start what should answer there, or correct its address in the configuration.';
const NO_RIGHT = 'Run this as the user who owns it, or give this user the right to it.';

/** By the code that the system gave. */
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: NO_RIGHT,
  EPERM: NO_RIGHT,
  ENOENT: 'Check the path.',
  ENOTDIR: 'Check the path.',
  EISDIR: 'Name a file there, not a folder.',
  EADDRINUSE: 'Something else listens there: end it, or choose another address.',
  EADDRNOTAVAIL: 'Choose an address that this machine has.',
  ECONNREFUSED: NO_SERVER,
  ECONNRESET: NO_SERVER,
  ETIMEDOUT: NO_SERVER,
  ENOTFOUND: 'Check the name of the host.',
  EAI_AGAIN: 'Check the name of the host, and that names can be looked up here.',
};

const UNKNOWN = 'Set CLAUDE_HOOKS_DEBUG=1 to see where it happened, and report it if nothing there is wrong.';

function withRemedy(error: unknown, message: string): string {
  // A host with two addresses fails twice, in an AggregateError without a message of its own.
  const cause = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined;
  const { code } = (cause ?? error) as { code?: unknown };
  const said = message === '' ? (cause?.message ?? 'Something failed without saying why') : message;
  const remedy = typeof code === 'string' ? REMEDIES[code] : undefined;
  if (remedy !== undefined) return `${ended(said)} ${remedy}`;
  // Our own sentences end with their remedy; messages of libraries and of the system do not.
  return typeof code !== 'string' && /[.!]$/.test(said) ? said : `${ended(said)} ${UNKNOWN}`;
}

function ended(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
