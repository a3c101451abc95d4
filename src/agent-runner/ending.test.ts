import { describe, expect, test } from 'vitest';
import { type Ending, endingOf } from './ending.ts';
import type { CliReport, CliResult } from './run-cli.ts';

const ID = '11111111-2222-4333-8444-555555555555';

function result(partial: Partial<CliResult> = {}): CliResult {
  return {
    subtype: 'success',
    isError: false,
    text: 'done',
    errors: [],
    turns: 1,
    apiErrorStatus: null,
    terminalReason: 'completed',
    startupFailure: null,
    ofBackground: false,
    usage: { costUsd: 0, models: {} },
    ...partial,
  };
}

function report(partial: Partial<CliReport> = {}): CliReport {
  return {
    initId: ID,
    cliVersion: '2.1.330',
    model: null,
    lastAnswer: 'head',
    lastWords: '',
    pieces: '',
    results: [result()],
    writesLost: false,
    limitEndsAt: null,
    longestRetryMs: 0,
    apiErrorKind: null,
    refused: false,
    cut: false,
    leftBehind: [],
    exitCode: 0,
    stderr: '',
    thrown: null,
    ...partial,
  };
}

type Judged = Omit<Parameters<typeof endingOf>[0], 'report' | 'sessionId'>;
const NOTHING_SEEN: Judged['gateway'] = {
  capped: null,
  cappedWhy: null,
  limit: null,
  limited: false,
  declined: null,
};
/** Whatever the CLI calls a limit, the gateway saw one. */
const LIMIT_SEEN: Judged['gateway'] = { ...NOTHING_SEEN, limited: true };

function judge(
  r: CliReport,
  start: 'new' | 'resume' = 'resume',
  aborted: string | null = null,
  gateway = NOTHING_SEEN,
) {
  return endingOf({ report: r, sessionId: ID, start, aborted, gateway });
}

const apiError = (status: number, terminalReason = 'api_error') =>
  report({
    exitCode: 1,
    lastAnswer: null,
    results: [
      result({ isError: true, apiErrorStatus: status, terminalReason, text: `API Error: ${status}` }),
    ],
  });

describe('an answer', () => {
  test('is a good result of the session we asked for, with at least one turn', () => {
    expect(judge(report())).toMatchObject({ kind: 'answered', answer: 'done', head: 'head' });
  });

  test('that the CLI leaves empty in the end is what the model said last: a hook of the machine made it go on', () => {
    const results = [result({ text: '\n' })];
    const kept = report({ results, lastWords: 'The real answer.' });
    expect(judge(kept)).toMatchObject({ kind: 'answered', answer: 'The real answer.' });
  });

  test('of another session is none: /clear and its like name a new id', () => {
    expect(judge(report({ initId: 'other' })).kind).not.toBe('answered');
  });

  test('without a turn is none, whatever the subtype says', () => {
    expect(judge(report({ lastAnswer: null })).kind).toBe('no-turn');
    expect(judge(report({ results: [result({ turns: 0 })] })).kind).toBe('no-turn');
  });

  test('that came although the run was being stopped is kept: it is paid for', () => {
    expect(judge(report(), 'resume', 'the service was stopped').kind).toBe('answered');
  });

  test('is the last one when work in the background made a second', () => {
    const results = [result({ text: 'first' }), result({ text: 'second', ofBackground: true })];
    expect(judge(report({ results }))).toMatchObject({ answer: 'second' });
  });

  test('has the answer to each who asked, also to whoever came when the first was given', () => {
    const results = [
      result({ text: 'first' }),
      result({ text: 'asked late', turns: 2 }),
      result({ text: 'asked late, and looked', ofBackground: true }),
    ];
    const { answer, result: last } = judge(report({ results })) as Extract<Ending, { kind: 'answered' }>;
    expect(answer).toBe('first\n\nasked late, and looked');
    expect(last.turns).toBe(4);
  });

  test('followed by an error is none', () => {
    const results = [result(), result({ isError: true, apiErrorStatus: 529, terminalReason: 'api_error' })];
    expect(judge(report({ results }), 'resume', null, LIMIT_SEEN).kind).toBe('limited');
  });
});

describe('the model’s side', () => {
  test.each([401, 402, 403, 429, 529])('%i is a limit, not a failure', (status) => {
    expect(judge(apiError(status), 'resume', null, LIMIT_SEEN)).toMatchObject({
      kind: 'limited',
      status,
      until: null,
    });
  });
  test.each([401, 403, 429])('%i that the gateway never saw is not the credential’s', (status) => {
    expect(judge(apiError(status))).toMatchObject({ kind: 'rejected', suspectsHistory: false });
    const own = { ...apiError(400), apiErrorKind: 'cloud_credential_error' as const };
    expect(judge(own)).toMatchObject({ kind: 'rejected', suspectsHistory: false });
  });
  test('a usage limit names its end', () => {
    const named = { ...apiError(429), limitEndsAt: 5000 };
    expect(judge(named, 'resume', null, LIMIT_SEEN)).toMatchObject({ kind: 'limited', until: 5000 });
  });
  test.each([500, 502, 503])('%i passes, and is an outage', (status) => {
    expect(judge(apiError(status))).toMatchObject({ kind: 'transient', outage: true });
  });
  test('no connection passes', () => {
    const results = [result({ isError: true, terminalReason: 'api_error', text: 'Connection error.' })];
    expect(judge(report({ results, lastAnswer: null })).kind).toBe('transient');
  });
  test('a history that no longer fits is its own case', () => {
    expect(judge(apiError(400, 'prompt_too_long')).kind).toBe('too-long');
  });
  test.each(['blocking_limit', 'rapid_refill_breaker'])(
    '… also when the CLI says so itself: %s',
    (reason) => {
      const results = [result({ isError: true, terminalReason: reason })];
      expect(judge(report({ results })).kind).toBe('too-long');
    },
  );
  test('… and when it is too many bytes', () => {
    expect(judge(apiError(413, 'image_error')).kind).toBe('too-long');
  });
  test('a credit that is used up is a limit, although it comes as a 400', () => {
    const spent = { ...apiError(400), apiErrorKind: 'billing_error' as const };
    expect(judge(spent, 'resume', null, LIMIT_SEEN)).toMatchObject({ kind: 'limited', status: 402 });
  });
  test('a limit tells the longest wait that was asked for', () => {
    const slow = { ...apiError(529), longestRetryMs: 45_000 };
    expect(judge(slow, 'resume', null, LIMIT_SEEN)).toMatchObject({ retryMs: 45_000 });
  });
  test.each([408, 409])('%i passes', (status) => {
    expect(judge(apiError(status)).kind).toBe('transient');
  });
  test('a 400 that names the history is about the history', () => {
    const known = { ...apiError(400), apiErrorKind: 'invalid_request' as const };
    expect(judge(known).kind).toBe('history-refused');
    const text = 'API Error: 400 messages.1.content.0: Invalid `signature` in `thinking` block';
    const results = [result({ isError: true, apiErrorStatus: 400, terminalReason: 'api_error', text })];
    expect(judge(report({ results })).kind).toBe('history-refused');
    expect(judge(apiError(400, 'image_error')).kind).toBe('history-refused');
  });
  test('any other 400 may be about the history, any other 4xx is not', () => {
    expect(judge(apiError(400))).toMatchObject({ kind: 'rejected', suspectsHistory: true });
    expect(judge(apiError(404))).toMatchObject({ kind: 'rejected', suspectsHistory: false });
  });
  test.each([
    'Authentication Error, Invalid proxy server token passed',
    'No connected db.',
    '{"type":"no_db_connection"}',
    'Invalid model name passed in model=claude-x',
    'model: claude-x does not exist',
    'Budget has been exceeded! Current cost: 5, Max budget: 5',
  ])('a 400 that speaks of key, bill or model is not the history’s fault: %s', (words) => {
    const text = `API Error: 400 ${words}`;
    const results = [result({ isError: true, apiErrorStatus: 400, terminalReason: 'api_error', text })];
    const known = report({ results, apiErrorKind: 'invalid_request' });
    expect(judge(known)).toMatchObject({ kind: 'rejected', suspectsHistory: false });
  });

  test('a refusal by policy is its own ending, from the gateway, the CLI or the words', () => {
    const said = { ...NOTHING_SEEN, declined: 'against the policy' };
    expect(judge(apiError(402), 'resume', null, said)).toEqual({
      kind: 'declined',
      detail: 'against the policy',
    });
    const results = [result({ isError: true, terminalReason: 'api_error', text: 'cannot help' })];
    expect(judge(report({ results, refused: true })).kind).toBe('declined');
    const text = 'API Error: 400 Output blocked by content filtering policy';
    const filtered = [result({ isError: true, apiErrorStatus: 400, terminalReason: 'api_error', text })];
    expect(judge(report({ results: filtered })).kind).toBe('declined');
    // A server that fails after it is no refusal.
    expect(judge(apiError(503), 'resume', null, said).kind).toBe('transient');
  });

  test('a turn without a word is no failed resume', () => {
    const results = [result({ text: '', turns: 2 })];
    expect(judge(report({ results, lastAnswer: null })).kind).toBe('rejected');
    expect(judge(report({ results })).kind).toBe('answered');
  });
});

describe('a run that did not start', () => {
  test('an error result without an init, after a resume: the session could not be loaded', () => {
    const results = [
      result({
        subtype: 'error_during_execution',
        isError: true,
        turns: 0,
        errors: ['No conversation found'],
      }),
    ];
    const failed = report({ initId: null, lastAnswer: null, results, exitCode: 1 });
    expect(judge(failed)).toMatchObject({ kind: 'resume-failed' });
    expect(judge(failed, 'new').kind).toBe('no-turn');
  });
  test('the lock of another CLI', () => {
    expect(judge(report({ initId: null, results: [], exitCode: 75 })).kind).toBe('transient');
  });
  test('a container that failed', () => {
    expect(judge(report({ initId: null, results: [], exitCode: 125 })).kind).toBe('transient');
  });
  test('ended by a signal after its start: it passes, the session is looked at again', () => {
    expect(judge(report({ results: [], exitCode: null, lastAnswer: null })).kind).toBe('transient');
  });
  test('nothing at all', () => {
    const nothing = report({ initId: null, results: [], exitCode: 1, stderr: 'bad option' });
    expect(judge(nothing, 'new')).toMatchObject({ kind: 'no-turn', detail: 'bad option' });
  });
});

test('our caps are no errors', () => {
  const capped = (subtype: CliResult['subtype']) => report({ results: [result({ subtype, isError: true })] });
  expect(judge(capped('error_max_turns'))).toMatchObject({ kind: 'capped', why: 'max-turns' });
  expect(judge(capped('error_max_budget_usd'))).toMatchObject({ kind: 'capped', why: 'max-budget' });
});

test('an answer longer than the model writes at once is no outage, which would ask for it again and again', () => {
  const results = [result({ isError: true, terminalReason: 'api_error', text: 'API Error: … maximum' })];
  const long = report({ results, apiErrorKind: 'max_output_tokens' });
  expect(judge(long)).toMatchObject({ kind: 'capped', why: 'max-output' });
});

describe('what the gateway saw', () => {
  test.each(['max-requests', 'max-tokens', 'max-usd'] as const)('%s ends a run at our cap', (capped) => {
    const ending = judge(apiError(400), 'resume', null, { ...NOTHING_SEEN, capped });
    expect(ending).toMatchObject({ kind: 'capped', why: capped });
  });

  test('a cap that was reached with the last request does not take the answer back', () => {
    expect(judge(report(), 'resume', null, { ...NOTHING_SEEN, capped: 'max-tokens' }).kind).toBe('answered');
  });

  test('a cap that ended the CLI before it said anything is a cap, too', () => {
    const silent = report({ results: [], lastAnswer: null, initId: null, exitCode: 1 });
    const ending = judge(silent, 'new', null, {
      ...NOTHING_SEEN,
      capped: 'max-requests',
    });
    expect(ending).toMatchObject({ kind: 'capped', result: { turns: 0 } });
  });

  test('a reset time that only the headers named is the end of the limit', () => {
    const limit = { status: 429, until: 1_900_000_000_000, retryMs: 7000, why: 'usage limit', model: 'opus' };
    expect(judge(apiError(429), 'resume', null, { ...NOTHING_SEEN, limit })).toMatchObject({
      kind: 'limited',
      until: 1_900_000_000_000,
      retryMs: 7000,
      model: 'opus',
    });
  });
});
