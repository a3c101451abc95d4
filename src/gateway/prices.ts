/**
 * Published list prices of the Messages API, as of 2026-11-25. A model that is not in the table has no price: its cost
 * is null, and a cap in dollars refuses it, because the cap could not be kept.
 */
import type { Usage } from './usage.ts';

/** US dollars per million tokens, which is also millionths of a dollar per token. */
export interface Price {
  input: number;
  output: number;
  cacheRead: number;
  /** kept for five minutes */
  cacheWrite: number;
  /** kept for an hour */
  cacheWriteHour: number;
  /** prices of the whole prompt and its answer, once the prompt is longer than this */
  longPrompt?: { above: number; price: Price };
}

export type PriceTable = Readonly<Record<string, Price>>;

/**
 * A cache write costs 1.25 times the input, one for an hour twice the input. Reads differ from model to model.
 */
function price(input: number, output: number, cacheRead: number): Price {
  return { input, output, cacheRead, cacheWrite: input * 1.25, cacheWriteHour: input * 2 };
}

export const LIST_PRICES: PriceTable = {
  'claude-3-5-haiku': price(0.8, 4, 0.08),
  'claude-haiku-4-5': price(1, 5, 0.1),
  'claude-haiku-5-5': {
    ...price(0.1, 0.5, 0.01),
    longPrompt: { above: 100_000, price: price(0.5, 2.5, 0.05) },
  },
  'claude-3-5-sonnet': price(3, 15, 0.3),
  'claude-3-7-sonnet': price(3, 15, 0.3),
  'claude-sonnet-4': price(3, 15, 0.3),
  'claude-sonnet-4-0': price(3, 15, 0.3),
  'claude-sonnet-4-5': price(3, 15, 0.3),
  'claude-sonnet-4-6': price(3, 15, 0.3),
  'claude-sonnet-5': price(2, 10, 0.2),
  'claude-sonnet-5-5': price(2, 10, 0.1),
  'claude-opus-4': price(15, 75, 1.5),
  'claude-opus-4-0': price(15, 75, 1.5),
  'claude-opus-4-1': price(15, 75, 1.5),
  'claude-opus-4-5': price(5, 25, 0.5),
  'claude-opus-4-6': price(5, 25, 0.5),
  'claude-opus-4-7': price(5, 25, 0.5),
  'claude-opus-4-8': price(5, 25, 0.5),
  'claude-opus-5': price(5, 25, 0.5),
  'claude-opus-5-5': price(4, 20, 0.2),
  'claude-fable-5': price(10, 50, 1),
  'claude-fable-5-1': price(10, 50, 0.25),
  'claude-fable-5-2': price(8, 40, 0.2),
  'claude-mythos-5': price(10, 50, 1),
  'claude-mythos-5-1': price(10, 50, 0.25),
  'claude-mythos-5-2': price(8, 40, 0.2),
};

/** Millionths of a dollar for one web search by the API's own tool. */
const MICRO_USD_PER_SEARCH = 10_000;

export function priceOf(prices: PriceTable, model: string | null): Price | null {
  if (model === null) return null;
  const plain = plainName(model);
  return Object.hasOwn(prices, plain) ? prices[plain]! : null;
}

/** Millionths of a US dollar, rounded up; null where the price is not known. */
export function microUsdOf(prices: PriceTable, model: string | null, usage: Usage): number | null {
  const listed = priceOf(prices, model);
  // Fast mode has other prices, which are not in the table.
  if (listed === null || usage.isFast) return null;
  const prompt = usage.input + usage.cacheRead + usage.cacheWrite;
  const long = listed.longPrompt;
  const p = long !== undefined && prompt > long.above ? long.price : listed;
  const hour = Math.min(usage.cacheWriteHour, usage.cacheWrite);
  return Math.ceil(
    usage.input * p.input +
      usage.output * p.output +
      usage.cacheRead * p.cacheRead +
      (usage.cacheWrite - hour) * p.cacheWrite +
      hour * p.cacheWriteHour +
      usage.webSearches * MICRO_USD_PER_SEARCH,
  );
}

/** `us.anthropic.claude-opus-4-1-20250805-v1:0`, `claude-opus-4-1@20250805` and `claude-opus-4-1[1m]` are one model. */
function plainName(model: string): string {
  const name = /claude-[a-z0-9-]+/.exec(model.toLowerCase())?.[0] ?? model;
  return name.replace(/-v\d+$/, '').replace(/-\d{8}$/, '');
}
