/** What a report of the CLI means: one of a closed set, each with one reaction. Pure. */
import { LOCK_HELD_EXIT_CODE } from '../container/container.ts';
import type { CliReport, CliResult } from './run-cli.ts';

export type Verdict =
  /** the model came to its end */
  | { kind: 'answered'; answer: string; head: string; result: CliResult }
  /** the run ended at a cap of ours; the session can be resumed */
  | { kind: 'capped'; why: 'max-turns' | 'max-budget'; result: CliResult }
  /** the CLI could not load the session */
  | { kind: 'resume-failed'; detail: string }
  /** the history no longer fits into the model's context */
  | { kind: 'too-long'; detail: string }
  /** the model's side says "not now": no failure, wait */
  | { kind: 'limited'; why: string; until: number | null; status: number }
  /** something passing: try again with the same id */
  | { kind: 'transient'; why: string }
  | { kind: 'interrupted'; why: string }
  /** the CLI did not start, or ended without a turn */
  | { kind: 'no-turn'; detail: string };

export interface VerdictInput {
  report: CliReport;
  sessionId: string;
  start: 'new' | 'resume';
  aborted: string | null;
}

const LIMIT_STATUSES = new Set([401, 403, 429, 529]);
/** docker and podman: the container itself did not start */
const ENGINE_FAILED = 125;

export function judgeReport(input: VerdictInput): Verdict {
  const { report } = input;
  const answered = answeredResult(input);
  if (answered !== null) return answered;
  if (input.aborted !== null) return { kind: 'interrupted', why: input.aborted };
  const result = report.results.at(-1);
  if (result === undefined) return withoutResult(input);
  if (result.subtype === 'error_max_turns') return { kind: 'capped', why: 'max-turns', result };
  if (result.subtype === 'error_max_budget_usd') return { kind: 'capped', why: 'max-budget', result };
  if (result.terminalReason === 'prompt_too_long') return { kind: 'too-long', detail: describe(result) };
  if (report.limitEndsAt !== null) {
    return { kind: 'limited', why: describe(result), until: report.limitEndsAt, status: 429 };
  }
  if (result.apiErrorStatus !== null) return apiError(result, result.apiErrorStatus);
  if (result.terminalReason === 'api_error') return { kind: 'transient', why: describe(result) };
  if (input.start === 'resume' && report.initId === null)
    return { kind: 'resume-failed', detail: describe(result) };
  return { kind: 'no-turn', detail: describe(result) };
}

/**
 * The last good result of the run. The subtype alone proves nothing: an API error ends in `success` with is_error, and
 * a full session has been seen to report success without a turn.
 */
function answeredResult({ report, sessionId }: VerdictInput): Verdict | null {
  const result = report.results.findLast((r) => r.subtype === 'success' && !r.isError && r.turns > 0);
  if (result === undefined || report.initId !== sessionId || report.lastAnswer === null) return null;
  if (report.results.at(-1) !== result && report.results.at(-1)!.isError) return null;
  return { kind: 'answered', answer: result.text, head: report.lastAnswer, result };
}

function apiError(result: CliResult, status: number): Verdict {
  if (LIMIT_STATUSES.has(status)) return { kind: 'limited', why: describe(result), until: null, status };
  if (status >= 500) return { kind: 'transient', why: describe(result) };
  return { kind: 'no-turn', detail: describe(result) };
}

function withoutResult({ report, start }: VerdictInput): Verdict {
  const detail = [report.thrown, report.stderr.trim()].filter((t) => t !== null && t !== '').join(': ');
  if (report.exitCode === LOCK_HELD_EXIT_CODE) {
    return { kind: 'transient', why: 'another CLI still holds this session' };
  }
  if (report.exitCode === ENGINE_FAILED) return { kind: 'transient', why: `the container failed: ${detail}` };
  if (report.initId !== null)
    return { kind: 'transient', why: `the CLI ended without a result: ${detail || 'no word'}` };
  return start === 'resume' ? { kind: 'resume-failed', detail } : { kind: 'no-turn', detail };
}

function describe(result: CliResult): string {
  const text = result.errors.length > 0 ? result.errors.join('; ') : result.text;
  const cause = result.startupFailure ?? result.terminalReason ?? result.subtype;
  return text === '' ? cause : `${text} (${cause})`;
}
