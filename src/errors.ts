/**
 * There is one class for each reaction, not one for each place that throws. Code that catches decides by class and
 * field, never by text. Every message ends with the remedy.
 */

/** Wrong configuration: refuse to start, or keep the last good version. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describeProblem).join('\n'));
    this.problems = problems;
  }
}

export interface ConfigProblem {
  file: string;
  /** where there is one */
  line?: number;
  /** dotted path inside the file, '' for the file itself */
  path: string;
  /** the offending value, already redacted where it may be a secret */
  value: string | null;
  problem: string;
  remedy: string;
}

function describeProblem(p: ConfigProblem): string {
  const file = p.line === undefined ? p.file : `${p.file}:${p.line}`;
  const where = p.path === '' ? file : `${file}: ${p.path}`;
  const value = p.value === null ? '' : ` (value: ${p.value})`;
  return `${where}${value}: ${p.problem}. ${p.remedy}`;
}

/** An HTTP request that we refuse: `server.ts` answers with this status and this sentence. */
export class RequestRefused extends Error {
  override name = 'RequestRefused';
  readonly status: 400 | 401 | 404 | 405 | 408 | 411 | 413 | 415 | 422 | 429 | 503 | 507;
  readonly code: string;
  constructor(status: RequestRefused['status'], code: string, sentence: string) {
    super(sentence);
    this.status = status;
    this.code = code;
  }
}

/** The forge did not answer, or said "later": the same call may succeed another time. */
export class ForgeUnavailable extends Error {
  override name = 'ForgeUnavailable';
  readonly status: number | null;
  readonly retryAfterSeconds: number | null;
  constructor(message: string, status: number | null = null, retryAfterSeconds: number | null = null) {
    super(message);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The forge understood and refused: repeating the call changes nothing. */
export class ForgeRefused extends Error {
  override name = 'ForgeRefused';
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** 404 (forges also answer it for private things the token may not see). */
export class ForgeMissing extends Error {
  override name = 'ForgeMissing';
}

/** The forge refused, did not answer, or does not have it: one of the three above, and not our fault. */
export function isForgesAnswer(error: unknown): error is ForgeUnavailable | ForgeRefused | ForgeMissing {
  return error instanceof ForgeUnavailable || error instanceof ForgeRefused || error instanceof ForgeMissing;
}

/** git failed. `transient` = the remote could not be reached, so later may work. */
export class GitFailed extends Error {
  override name = 'GitFailed';
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly transient: boolean;
  constructor(message: string, detail: { exitCode: number | null; stderr: string; transient: boolean }) {
    super(message);
    this.exitCode = detail.exitCode;
    this.stderr = detail.stderr;
    this.transient = detail.transient;
  }
}

/** Somebody else holds the conversation now: stop at once and write nothing. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';
}

/** Another process owns this state folder. */
export class AlreadyRunning extends Error {
  override name = 'AlreadyRunning';
}

/** A question about something that does not exist. */
export class NotFound extends Error {
  override name = 'NotFound';
}

/** An MCP server that the agent needs is not there, or lacks a tool. `transient`: later may work. */
export class ToolsUnavailable extends Error {
  override name = 'ToolsUnavailable';
  readonly transient: boolean;
  constructor(message: string, { transient }: { transient: boolean }) {
    super(message);
    this.transient = transient;
  }
}

/** An error whose problem and remedy can also be shown apart, as in a table of findings. */
export class WithRemedy extends Error {
  readonly problem: string;
  readonly remedy: string;

  /** whole sentences */
  constructor(problem: string, remedy: string) {
    super(`${problem} ${remedy}`);
    this.problem = problem;
    this.remedy = remedy;
  }
}

/** A program that we need on this machine is not installed, or is too old: nothing works without it. */
export class MissingProgram extends WithRemedy {
  override name = 'MissingProgram';
}

/** There is no database, or what is there is not one, or it does not answer. */
export class DatabaseUnusable extends Error {
  override name = 'DatabaseUnusable';
}

/** A question that fits several things where one was meant. */
export class Ambiguous extends NotFound {
  override name = 'Ambiguous';
  readonly candidates: readonly Candidate[];
  constructor(message: string, candidates: readonly Candidate[]) {
    super(message);
    this.candidates = candidates;
  }
}

export interface Candidate {
  /** ask with this to mean this one */
  id: string;
  /** what it is, such as `dev on home:owner/name#12` */
  is: string;
}
