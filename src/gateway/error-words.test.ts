import { describe, expect, test } from 'vitest';
import {
  familyOf,
  isOverflow,
  isPolicy,
  limitsModel,
  speaksOfCredential,
  speaksOfForm,
  speaksOfModel,
} from './error-words.ts';

/** Vendor or proxy, and its words for a request that is larger than the window. */
const OVERFLOWS: [string, string][] = [
  ['Anthropic', 'prompt is too long: 210000 tokens > 200000 maximum'],
  [
    'Anthropic, with the answer',
    'input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease input length or `max_tokens` and try again',
  ],
  ['Bedrock', 'Input is too long for requested model.'],
  [
    'Bedrock, Converse',
    'The model returned the following errors: input length and max_tokens exceed context limit',
  ],
  [
    'Bedrock, another model',
    'Too many input tokens. Max input tokens: 200000, request input token count: 210000',
  ],
  ['Vertex', 'Prompt is too long'],
  [
    'Vertex, Gemini',
    'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
  ],
  [
    'Vertex, Gemini, another form',
    'Unable to submit request because the input token count is 300000 but model only supports up to 200000.',
  ],
  [
    'LiteLLM',
    'litellm.ContextWindowExceededError: litellm.BadRequestError: AnthropicError - prompt is too long',
  ],
  ['LiteLLM, router', 'No models have context window large enough for this call'],
  [
    'OpenRouter',
    "This endpoint's maximum context length is 200000 tokens. However, you requested about 210000 tokens. Please reduce the length of either one",
  ],
  [
    'OpenAI',
    "This model's maximum context length is 128000 tokens. Please reduce the length of the messages.",
  ],
  ['OpenAI, responses', 'Your input exceeds the context window of this model.'],
  ['OpenAI, code', 'context_length_exceeded: too large'],
  [
    'Mistral',
    'Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
  ],
  ['xAI', "This model's maximum prompt length is 131072 but the request contains 140000 tokens."],
  ['llama.cpp', 'the request exceeds the available context size, try increasing it'],
  ['llama.cpp, code', 'exceed_context_size_error: too large'],
  ['Moonshot', 'Your request exceeded model token limit: 131072'],
  ['Z.ai', 'Prompt exceeds max length'],
  ['Cohere', 'too many tokens: total number of tokens in the prompt cannot exceed 4081'],
];

describe('a context overflow is known in the words of', () => {
  test.each(OVERFLOWS)('%s', (_vendor, words) => {
    expect(isOverflow(words)).toBe(true);
    expect(speaksOfCredential(words)).toBe(null);
    expect(isPolicy(words)).toBe(false);
  });

  test.each([
    'Request too large for model in organization org-1 on tokens per min (TPM): Limit 30000, Requested 40000. Please reduce the length of the messages or completion.',
    "This request would exceed your organization's rate limit of 40,000 input tokens per minute",
    'Overloaded',
    'temperature is too warm',
    'max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens',
    'messages.1.content.0: Invalid `signature` in `thinking` block',
  ])('… and nothing else is one: %s', (words) => {
    expect(isOverflow(words)).toBe(false);
  });
});

test.each([
  ['Output blocked by content filtering policy', true],
  ['litellm.ContentPolicyViolationError: ContentPolicyViolation', true],
  ["The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", true],
  ['content_filter', true],
  ['Violated guardrail policy', true],
  ['Blocked by the web application firewall', true],
  ['Invalid API key', false],
  ['temperature is too warm', false],
])('a refusal of the text: %s', (words, is) => {
  expect(isPolicy(words)).toBe(is);
});

test.each([
  ['no_db_connection: No connected db.', 401],
  ['auth_error: Authentication Error, Invalid proxy server token passed', 401],
  ['invalid_request_error: Incorrect API key provided: sk-1', 401],
  ['UnrecognizedClientException: The security token included in the request is invalid.', 401],
  ['budget_exceeded: Budget has been exceeded! Current cost: 5', 402],
  ['insufficient_quota: You exceeded your current quota, please check your plan and billing details', 402],
  ['invalid_request_error: Your credit balance is too low to access the Anthropic API.', 402],
  ['invalid_request_error: temperature is too warm', null],
  ['invalid_request_error: max_tokens must be at least 1', null],
  ['invalid_request_error: messages.1.content.0: Invalid `signature` in `thinking` block', null],
])('a 400 of the key or the bill: %s', (words, status) => {
  expect(speaksOfCredential(words)).toBe(status);
});

test.each([
  ['Invalid model name passed in model=claude-x. Call `/v1/models` to view available models', true],
  ['model: claude-x not found', true],
  ['The model `x` does not exist or you do not have access to it.', true],
  ['Invocation of model ID x with on-demand throughput isn’t supported', true],
  ['x is not a valid model ID', true],
  ['temperature is too warm', false],
])('a 400 of the model’s name: %s', (words, is) => {
  expect(speaksOfModel(words)).toBe(is);
});

test('words about the form of a request are those after which the CLI asks in another form', () => {
  expect(speaksOfForm('Unexpected value(s) `x` for the `anthropic-beta` header')).toBe(true);
  expect(speaksOfForm('context_management: Extra inputs are not permitted')).toBe(true);
  expect(speaksOfForm('temperature is too warm')).toBe(false);
});

describe('a limit is one model’s', () => {
  const opus = 'claude-opus-5-5';
  test.each([
    { words: "You've hit your weekly limit for Opus.", windows: [] },
    { words: 'rate limited', windows: ['seven_day_opus'] },
    { words: 'rate limited', windows: ['unified-7d_opus'] },
    { words: `rate limit of 40,000 tokens per minute (org: x, model: ${opus})`, windows: [] },
  ])('$words $windows', (said) => {
    expect(limitsModel(opus, said)).toBe(true);
    expect(limitsModel('claude-haiku-4-5', said)).toBe(false);
  });

  test.each([
    { words: "You've hit your weekly limit.", windows: [] },
    { words: 'rate limited', windows: ['seven_day'] },
    { words: 'rate limited', windows: ['unified-7d', 'unified-7d_opus'] },
  ])('… and this is everybody’s: $words $windows', (said) => {
    expect(limitsModel(opus, said)).toBe(false);
  });

  test('by its family, or by its name where it has none', () => {
    expect(familyOf(opus)).toBe('opus');
    expect(familyOf('my-router/large')).toBe('my-router/large');
  });
});
