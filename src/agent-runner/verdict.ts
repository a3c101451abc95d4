/** What a report of the CLI means: one of a closed set, each with one reaction. Pure. */
import { ENGINE_FAILED_EXIT_CODE, LOCK_HELD_EXIT_CODE } from '../container/container.ts';
import type { GatewayReport } from '../gateway/contract.ts';
import { isOverflow, isPolicy, speaksOfCredential, speaksOfModel } from '../gateway/error-words.ts';
import type { CapReason } from '../vocabulary.ts';
import type { CliReport, CliResult } from './run-cli.ts';

export type Verdict =
  /** the model came to its end */
  | { kind: 'answered'; answer: string; head: string; result: CliResult }
  /** the run ended at a cap of ours; the session can be resumed */
  | { kind: 'capped'; why: CapReason; result: CliResult }
  /** the CLI could not load the session */
  | { kind: 'resume-failed'; detail: string }
  /** the history no longer fits into the model's context */
  | { kind: 'too-long'; detail: string }
  /** the API refuses the history itself, or something in it: only another history can help */
  | { kind: 'history-refused'; detail: string }
  /**
   * The model's side took the request and will not answer it: asking again changes nothing, and neither does another
   * session. `suspectsHistory`: nothing says so, but the history may be the cause; `suspectsText`: or what was asked.
   */
  | { kind: 'rejected'; detail: string; suspectsHistory: boolean; suspectsText: boolean }
  /** the model's side will not take what was asked, by its content: the text is at fault, and never asked again */
  | { kind: 'declined'; detail: string }
  /** the model's side says "not now": no failure, wait. `model`: the only one that it holds, null = all */
  | {
      kind: 'limited';
      why: string;
      until: number | null;
      retryMs: number;
      status: number;
      model: string | null;
    }
  /** something passing: try again with the same id. `outage`: the model's side is away, for as long as it takes */
  | { kind: 'transient'; why: string; outage: boolean }
  | { kind: 'interrupted'; why: string }
  /** the CLI did not start, or ended without a turn */
  | { kind: 'no-turn'; detail: string };

export interface VerdictInput {
  report: CliReport;
  sessionId: string;
  start: 'new' | 'resume';
  aborted: string | null;
  /** what the gateway saw of this run: it knows reset times and its own caps first hand */
  gateway: Pick<GatewayReport, 'capped' | 'limit' | 'limited' | 'declined'>;
}

const LIMIT_STATUSES = new Set([401, 402, 403, 429, 529]);
/** What the CLI recognises by other signs than the status (a credit that is used up is a 400), as a status. */
const LIMIT_KINDS: Partial<Record<NonNullable<CliReport['apiErrorKind']>, number>> = {
  authentication_failed: 401,
  oauth_org_not_allowed: 403,
  account_on_hold: 403,
  verification_required: 403,
  billing_error: 402,
  cloud_credential_error: 401,
  rate_limit: 429,
  overloaded: 529,
};
/** Conflict and time-out: the API's own clients repeat these. */
const PASSING_STATUSES = new Set([408, 409]);

export function judgeReport(input: VerdictInput): Verdict {
  const { report } = input;
  const answered = answeredResult(input);
  if (answered !== null) return answered;
  if (input.aborted !== null) return { kind: 'interrupted', why: input.aborted };
  const result = report.results.at(-1);
  const { capped } = input.gateway;
  if (capped !== null) return { kind: 'capped', why: capped, result: result ?? NO_RESULT };
  if (result === undefined) return withoutResult(input);
  if (result.subtype === 'error_max_turns') return { kind: 'capped', why: 'max-turns', result };
  if (result.subtype === 'error_max_budget_usd') return { kind: 'capped', why: 'max-budget', result };
  if (TOO_LONG.has(result.terminalReason)) return { kind: 'too-long', detail: describe(result) };
  if (isApiError(report, result)) return apiError(report, result, input.gateway);
  if (isWordless(input, result)) {
    return {
      kind: 'rejected',
      detail: 'the model ended its turn without a word',
      suspectsHistory: true,
      suspectsText: false,
    };
  }
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
  // A `Stop` hook of the machine that blocks makes the model go on until it says nothing: its answer came before that.
  // guard: an answer that a hook of the machine emptied
  const answer = result.text.trim() === '' ? report.lastWords : result.text;
  return { kind: 'answered', answer, head: report.lastAnswer, result };
}

/** A cap that ended the run before the CLI could say anything. */
const NO_RESULT: CliResult = {
  subtype: 'error_during_execution',
  isError: true,
  text: '',
  errors: [],
  turns: 0,
  apiErrorStatus: null,
  terminalReason: null,
  startupFailure: null,
  usage: { costUsd: 0, models: {} },
};

/** The CLI has asked once more by then: a turn that ends well and has nothing in it, of which the transcript keeps no answer. */
function isWordless({ report, sessionId }: VerdictInput, result: CliResult): boolean {
  const endedWell = result.subtype === 'success' && !result.isError && result.turns > 0;
  return endedWell && result.text === '' && report.initId === sessionId && report.lastAnswer === null;
}

/** The second and third: the CLI itself sends nothing more, or has compacted again and again to no avail. */
const TOO_LONG = new Set<string | null>(['prompt_too_long', 'blocking_limit', 'rapid_refill_breaker']);

function isApiError(report: CliReport, result: CliResult): boolean {
  const named = result.apiErrorStatus !== null || report.limitEndsAt !== null;
  return result.isError && (named || result.terminalReason === 'api_error');
}

const NO_SUSPECT = { suspectsHistory: false, suspectsText: false };

function apiError(report: CliReport, result: CliResult, gateway: VerdictInput['gateway']): Verdict {
  const { apiErrorStatus: status } = result;
  const detail = describe(result);
  const isServers = status !== null && status >= 500;
  if (gateway.declined !== null && !isServers) return { kind: 'declined', detail: gateway.declined };
  if (report.refused) return { kind: 'declined', detail };
  if (isOverflow(detail)) return { kind: 'too-long', detail };
  const limit = limitStatus(report, status);
  if (limit !== null) return limited(report, { status: limit, detail, gateway });
  if (status === null || status >= 500 || PASSING_STATUSES.has(status))
    return { kind: 'transient', why: detail, outage: true };
  if (status === 413) return { kind: 'too-long', detail };
  if (isPolicy(detail)) return { kind: 'declined', detail };
  // A key, a bill or a model's name: no history is at fault, and no other session would fare better.
  if (speaksOfModel(detail) || speaksOfCredential(detail) !== null)
    return { kind: 'rejected', detail, ...NO_SUSPECT };
  if (refusesHistory(report, result)) return { kind: 'history-refused', detail };
  // A refusal of our own door is about the request's form, which nobody on the forge has written.
  const suspectsText = (status === 400 || status === 422) && !detail.includes('claude-hooks: ');
  return { kind: 'rejected', detail, suspectsHistory: status === 400, suspectsText };
}

/**
 * Only what the gateway saw is a limit of the credential: a refusal that came another way (a setting of the repository
 * that leads elsewhere, our own door) is this conversation's.
 */
function limited(
  report: CliReport,
  o: { status: number; detail: string; gateway: VerdictInput['gateway'] },
): Verdict {
  const { limit, limited: wasLimited } = o.gateway;
  // guard: what the gateway never saw is not the credential’s
  if (limit === null && !wasLimited) {
    const detail = `${o.detail}; the service has not seen the model's side say so`;
    return { kind: 'rejected', detail, ...NO_SUSPECT };
  }
  return {
    kind: 'limited',
    why: o.detail,
    // The CLI names a reset time only for some limits; the gateway has seen the headers of all of them.
    until: report.limitEndsAt ?? limit?.until ?? null,
    retryMs: Math.max(report.longestRetryMs, limit?.retryMs ?? 0),
    status: o.status,
    model: limit?.model ?? null,
  };
}

function limitStatus(report: CliReport, status: number | null): number | null {
  if (report.limitEndsAt !== null) return 429;
  if (status !== null && LIMIT_STATUSES.has(status)) return status;
  return (report.apiErrorKind !== null && LIMIT_KINDS[report.apiErrorKind]) || null;
}

/**
 * What the CLI knows it calls `invalid_request` (a call without its result, for one). Of the rest only the path tells,
 * with which the API begins the text: a signature that does not fit is `messages.1.content.0: …`.
 */
function refusesHistory(report: CliReport, result: CliResult): boolean {
  if (result.apiErrorStatus !== 400) return false;
  const named = report.apiErrorKind === 'invalid_request' || result.terminalReason === 'image_error';
  return named || /\bmessages\.\d+/.test(describe(result));
}

/** A shell's, a sandbox's and the loader's codes for a program that cannot be run: no session is at fault. */
// guard: a CLI that cannot start
const NOT_STARTED = new Set([126, 127]);

function withoutResult({ report, start }: VerdictInput): Verdict {
  const detail = [report.thrown, report.stderr.trim()].filter((t) => t !== null && t !== '').join(': ');
  if (report.exitCode === LOCK_HELD_EXIT_CODE) {
    return { kind: 'transient', why: 'another CLI still holds this session', outage: false };
  }
  if (report.exitCode === ENGINE_FAILED_EXIT_CODE)
    return { kind: 'transient', why: `the container failed: ${detail}`, outage: false };
  if (report.exitCode !== null && NOT_STARTED.has(report.exitCode))
    return { kind: 'transient', why: `the CLI does not start in this container: ${detail}`, outage: false };
  if (report.initId !== null)
    return {
      kind: 'transient',
      why: `the CLI ended without a result: ${detail || 'no word'}`,
      outage: false,
    };
  return start === 'resume' ? { kind: 'resume-failed', detail } : { kind: 'no-turn', detail };
}

function describe(result: CliResult): string {
  const text = result.errors.length > 0 ? result.errors.join('; ') : result.text;
  const cause = result.startupFailure ?? result.terminalReason ?? result.subtype;
  return text === '' ? cause : `${text} (${cause})`;
}
