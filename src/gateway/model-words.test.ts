import { expect, test } from 'vitest';
import { modelWords, type NamedModel } from './model-words.ts';
import { SHORT_NAMES } from './models.ts';
import { LIST_PRICES } from './prices.ts';

const say = (o: Partial<NamedModel>) =>
  modelWords({ name: 'dev', model: 'sonnet', effort: null, small: null, usd: null, ...o }, LIST_PRICES);

test.for<[string, Partial<NamedModel>, string]>([
  [
    'a short name',
    {},
    'dev runs on sonnet, which is claude-sonnet-5-5 today: $2 for a million tokens in, $10 out',
  ],
  [
    'an effort',
    { effort: 'high' },
    'dev runs on sonnet, which is claude-sonnet-5-5 today, effort high: $2 for a million tokens in, $10 out',
  ],
  [
    'a full name',
    { model: 'claude-opus-4-8' },
    'dev runs on claude-opus-4-8: $5 for a million tokens in, $25 out',
  ],
  [
    'prices by length',
    { model: 'haiku' },
    'dev runs on haiku, which is claude-haiku-5-5 today: $0.1 for a million tokens in, $0.5 out; $0.5 and $2.5 once a prompt is above 100000 tokens',
  ],
  [
    'the small model of the configuration',
    { model: 'haiku', small: 'claude-haiku-4-5' },
    'dev runs on haiku, which is claude-haiku-4-5 today: $1 for a million tokens in, $5 out',
  ],
])('%s', ([, given, says]) => {
  expect(say(given)).toEqual({ says, problems: [] });
});

test('a model without a price is said, and is worse where a cap in dollars refuses it', () => {
  const { says, problems } = say({ model: 'claude-sonnet-9' });
  expect(says).toBe('dev runs on claude-sonnet-9: price not known');
  expect(problems).toMatchObject([{ check: 'model-without-price', severity: 'note' }]);
  expect(say({ model: 'claude-sonnet-9', usd: 5 }).problems).toMatchObject([
    { check: 'model-without-price', severity: 'broken', problem: expect.stringContaining('max_run_usd: 5') },
  ]);
});

test('an effort that the model does not take is said', () => {
  expect(say({ model: 'claude-sonnet-4-5', effort: 'max' }).problems).toMatchObject([
    { check: 'effort-without-effect', problem: expect.stringContaining('claude-sonnet-4-5 takes no effort') },
  ]);
});

test('every short name of the CLI has a price', () => {
  const unpriced = Object.keys(SHORT_NAMES).filter((model) => say({ model }).problems.length > 0);
  expect(unpriced, 'Put what it means into LIST_PRICES in src/gateway/prices.ts.').toEqual([]);
});
