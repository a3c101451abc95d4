import { expect, test } from 'vitest';
import { limitOf } from './limits.ts';

const NOW = Date.parse('2026-11-25T12:00:00Z');
const seconds = (s: number) => NOW + s * 1000;
const unix = (s: number) => String(seconds(s) / 1000);

function limit(status: number, headers: Record<string, string | undefined> = {}, type = '', message = '') {
  return limitOf({ status, type, message, headers, model: 'claude-opus-5-5', now: NOW });
}

test.for([401, 402, 403, 429, 529])('%d is a limit', (status) => {
  expect(limit(status)).toMatchObject({ status, until: null, retryMs: 0 });
});

test.for([400, 404, 408, 413, 500, 502, 503])('%d is none', (status) => {
  expect(limit(status, { 'retry-after': '5' })).toBe(null);
});

test('a used-up credit is a 400, and is told by its sentence', () => {
  const message = 'Your credit balance is too low to access the API.';
  expect(limit(400, {}, 'invalid_request_error', message)).toMatchObject({ status: 402 });
});

test.for([
  { headers: { 'retry-after': '30' }, until: null, retryMs: 30_000 },
  { headers: { 'retry-after-ms': '1500' }, until: null, retryMs: 1500 },
  { headers: { 'retry-after': 'Wed, 25 Nov 2026 12:01:00 GMT' }, until: null, retryMs: 60_000 },
  { headers: { 'retry-after': 'soon' }, until: null, retryMs: 0 },
  { headers: { 'anthropic-ratelimit-unified-reset': unix(3600) }, until: seconds(3600), retryMs: 0 },
  {
    headers: {
      'anthropic-ratelimit-unified-status': 'rejected',
      'anthropic-ratelimit-unified-reset': unix(3600),
      'retry-after': '10',
    },
    until: seconds(3600),
    retryMs: 10_000,
  },
  {
    headers: {
      'anthropic-ratelimit-unified-status': 'allowed',
      'anthropic-ratelimit-unified-reset': unix(3600),
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-11-25T12:00:20Z',
      'anthropic-ratelimit-tokens-remaining': '1000',
      'anthropic-ratelimit-tokens-reset': '2026-11-25T14:00:00Z',
    },
    until: seconds(20),
    retryMs: 0,
  },
  {
    headers: {
      'anthropic-ratelimit-unified-5h-status': 'rejected',
      'anthropic-ratelimit-unified-5h-reset': unix(600),
      'anthropic-ratelimit-unified-7d-status': 'allowed',
      'anthropic-ratelimit-unified-7d-reset': unix(86_400),
    },
    until: seconds(600),
    retryMs: 0,
  },
])('429 with $headers', ({ headers, until, retryMs }) => {
  expect(limit(429, headers)).toMatchObject({ until, retryMs });
});

test('the windows of another answer say nothing', () => {
  expect(limit(401, { 'anthropic-ratelimit-unified-reset': unix(3600) })).toMatchObject({ until: null });
});

test('inside a stream the type tells', () => {
  expect(limit(200, {}, 'overloaded_error', 'Overloaded')).toMatchObject({ status: 529 });
  expect(limit(200, {}, 'api_error', 'Internal')).toBe(null);
});
