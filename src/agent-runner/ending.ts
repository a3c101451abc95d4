/** How a run of the CLI ended, read from its report: one of a closed set, each with one reaction. Pure. */
import { ENGINE_FAILED_EXIT_CODE, LOCK_HELD_EXIT_CODE } from '../container/container.ts';
import { isOverflow, isPolicy, speaksOfCredential, speaksOfModel } from '../gateway/error-words.ts';
import type { GatewayReport } from '../gateway/port.ts';
import type { CapReason } from '../vocabulary.ts';
import type { CliReport, CliResult } from './run-cli.ts';
import type { BackgroundTask } from './turns.ts';

export type Ending =
  /** the model came to its end. `leftBehind`: what still ran in the background, and was cut */
  | {
      kind: 'answered';
      answer: string;
      head: string;
      leftBehind: readonly BackgroundTask[];
      result: CliResult;
    }
  /** the run ended at a cap of ours; the session can be resumed */
  | { kind: 'capped'; why: CapReason; result: CliResult }
  /** the CLI could not load the session */
  | { kind: 'resume-failed'; detail: string }
  /** the history no longer fits into the model's context */
  | { kind: 'too-long'; detail: string }
  /** the API refuses the history: only another history can help */
  | { kind: 'history-refused'; detail: string }
  /**
   * The model's side refuses to answer the request. Asking again changes nothing, and neither does another session.
   * `suspectsHistory`: the history may be the cause; `suspectsText`: the texts that were asked may be.
   */
  | { kind: 'rejected'; detail: string; suspectsHistory: boolean; suspectsText: boolean }
  /** the model's side refuses the text for its content: the text is never asked again */
  | { kind: 'declined'; detail: string }
  /** a limit of the model's side: no failure, wait. `model`: the only model that is limited, null = all */
  | {
      kind: 'limited';
      why: string;
      until: number | null;
      retryMs: number;
      status: number;
      model: string | null;
    }
  /** a short fault: try again with the same id. `outage`: the model's side is away; wait as long as it takes */
  | { kind: 'transient'; why: string; outage: boolean }
  /** a budget beyond the run is spent, and its scope is held: the session goes on when that ends */
  | { kind: 'out-of-budget'; why: string }
  | { kind: 'interrupted'; why: string }
  /** the CLI did not start, or ended without a turn */
  | { kind: 'no-turn'; detail: string };

export interface EndingFacts {
  report: CliReport;
  sessionId: string;
  start: 'new' | 'resume';
  aborted: string | null;
  /** what the gateway saw of this run: it knows reset times and its own caps first hand */
  gateway: Pick<GatewayReport, 'capped' | 'cappedWhy' | 'limit' | 'limited' | 'declined'>;
}

const LIMIT_STATUSES = new Set([401, 402, 403, 429, 529]);
/** The CLI recognises some limits without their usual status (used-up credit is a 400): the status to count them as. */
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
/** Time-out and conflict: the API's own clients repeat these. */
const PASSING_STATUSES = new Set([408, 409]);

export function endingOf(input: EndingFacts): Ending {
  const { report } = input;
  const answered = answeredResult(input);
  if (answered !== null) return answered;
  if (input.aborted !== null) return { kind: 'interrupted', why: input.aborted };
  const result = report.results.at(-1);
  const { capped, cappedWhy } = input.gateway;
  if (capped === 'budget') return { kind: 'out-of-budget', why: cappedWhy ?? 'a budget is spent' };
  if (capped !== null) return { kind: 'capped', why: capped, result: result ?? NO_RESULT };
  if (result === undefined) return withoutResult(input);
  if (result.subtype === 'error_max_turns') return { kind: 'capped', why: 'max-turns', result };
  if (result.subtype === 'error_max_budget_usd') return { kind: 'capped', why: 'max-budget', result };
  // The CLI has asked the model three times to go on by then. Asking again would pay for all of it again.
  // guard: an answer longer than the model writes
  if (report.apiErrorKind === 'max_output_tokens') return { kind: 'capped', why: 'max-output', result };
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
function answeredResult({ report, sessionId }: EndingFacts): Ending | null {
  const result = report.results.findLast(isGood);
  if (result === undefined || report.initId !== sessionId || report.lastAnswer === null) return null;
  if (report.results.at(-1) !== result && report.results.at(-1)!.isError) return null;
  // A blocking `Stop` hook of the machine makes the model go on until it says nothing. The answer came before that.
  // guard: an answer that a hook of the machine emptied
  const last = result.text.trim() === '' ? report.lastWords : result.text;
  const turns = report.results.reduce((sum, one) => sum + one.turns, 0);
  return {
    kind: 'answered',
    answer: [...answersBefore(report.results), last].join('\n\n'),
    head: report.lastAnswer,
    leftBehind: report.leftBehind,
    result: { ...result, turns },
  };
}

function isGood({ subtype, isError, turns }: CliResult): boolean {
  return subtype === 'success' && !isError && turns > 0;
}

/**
 * People's words that come when the model has already answered make a turn of their own, with an answer of its own: all of
 * them are posted. What work in the background makes the model say replaces the answer that it gave before.
 */
function answersBefore(results: readonly CliResult[]): string[] {
  // guard: background: the last answer is the answer
  const asked = results.filter((_, at) => results[at + 1]?.ofBackground === false);
  return asked.filter((one) => isGood(one) && one.text.trim() !== '').map(({ text }) => text);
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
  ofBackground: false,
  usage: { costUsd: 0, models: {} },
};

/** The turn ended well but is empty, and the transcript has no answer of it. The CLI has asked once more by then. */
function isWordless({ report, sessionId }: EndingFacts, result: CliResult): boolean {
  const endedWell = result.subtype === 'success' && !result.isError && result.turns > 0;
  return endedWell && result.text === '' && report.initId === sessionId && report.lastAnswer === null;
}

/** The second and third: the CLI sends nothing more by itself, or compacting did not help. */
const TOO_LONG = new Set<string | null>(['prompt_too_long', 'blocking_limit', 'rapid_refill_breaker']);

function isApiError(report: CliReport, result: CliResult): boolean {
  const named = result.apiErrorStatus !== null || report.limitEndsAt !== null;
  return result.isError && (named || result.terminalReason === 'api_error');
}

const NO_SUSPECT = { suspectsHistory: false, suspectsText: false };

function apiError(report: CliReport, result: CliResult, gateway: EndingFacts['gateway']): Ending {
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
  // A key, a bill or the name of a model: the history is not at fault, and another session would not help.
  if (speaksOfModel(detail) || speaksOfCredential(detail) !== null)
    return { kind: 'rejected', detail, ...NO_SUSPECT };
  if (refusesHistory(report, result)) return { kind: 'history-refused', detail };
  // The gateway refuses a request for its form, which nobody on the forge has written.
  const suspectsText = (status === 400 || status === 422) && !detail.includes('claude-hooks: ');
  return { kind: 'rejected', detail, suspectsHistory: status === 400, suspectsText };
}

/**
 * Only what the gateway saw is a limit of the credential. A refusal that came another way, from a server that the
 * repository's settings name or from the gateway itself, concerns this conversation alone.
 */
function limited(
  report: CliReport,
  o: { status: number; detail: string; gateway: EndingFacts['gateway'] },
): Ending {
  const { limit, limited: wasLimited } = o.gateway;
  // guard: what the gateway never saw is not the credential’s
  if (limit === null && !wasLimited) {
    const detail = `${o.detail}; the service has not seen the model's side say so`;
    return { kind: 'rejected', detail, ...NO_SUSPECT };
  }
  return {
    kind: 'limited',
    why: o.detail,
    // The CLI names a reset time only for some limits. The gateway has seen the headers of all.
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
 * The CLI calls some of these `invalid_request` (a call without its result, for example). The others are recognised by the
 * path at the beginning of the API's text: a wrong signature is `messages.1.content.0: …`.
 */
function refusesHistory(report: CliReport, result: CliResult): boolean {
  if (result.apiErrorStatus !== 400) return false;
  const named = report.apiErrorKind === 'invalid_request' || result.terminalReason === 'image_error';
  return named || /\bmessages\.\d+/.test(describe(result));
}

/** Exit codes of shells, sandboxes and loaders for a program that cannot be run: the session is not at fault. */
// guard: a CLI that cannot start
const NOT_STARTED = new Set([126, 127]);

function withoutResult({ report, start }: EndingFacts): Ending {
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
