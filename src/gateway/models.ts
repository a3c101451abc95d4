/** Which models a run may name: its agent's, the small one, and any that costs no more. Pure. */
import { type PriceTable, priceOf } from './prices.ts';

export interface RunModels {
  /** as the agent's file names it; may be one of the CLI's short names */
  agent: string;
  /** for side tasks of the CLI, where the configuration names one */
  small: string | null;
}

/** What the CLI's short names stand for. `allowed.test.ts` compares them with the real CLI. */
export const SHORT_NAMES: Readonly<Record<string, string>> = {
  haiku: 'claude-haiku-5-5',
  sonnet: 'claude-sonnet-5-5',
  opus: 'claude-opus-5-5',
  best: 'claude-opus-5-5',
  default: 'claude-opus-5-5',
  fable: 'claude-fable-5-2',
  /** Sonnet, and Opus for planning */
  opusplan: 'claude-opus-5-5',
};

/** With this suffix the CLI asks for a context of a million tokens. The API does not know the suffix. */
export const LONG_CONTEXT = /\[1m\]$/i;

export function wantsLongContext({ agent, small }: RunModels): boolean {
  return LONG_CONTEXT.test(agent) || (small !== null && LONG_CONTEXT.test(small));
}

/**
 * A subagent may run on another model than its parent, and a repository may bring its own subagents, so the price
 * limits which models they may name. A model without a known price is allowed only if the configuration names it, or if
 * it is a newer one of the family that a short name stands for.
 */
export function mayName(model: string, run: RunModels, prices: PriceTable): boolean {
  const named = [run.agent, ...(run.small === null ? [] : [run.small])].map((name) =>
    name.replace(LONG_CONTEXT, ''),
  );
  if (named.includes(model)) return true;
  const price = priceOf(prices, model);
  if (price === null) return named.some((name) => isOfFamily(model, name));
  return named.some((name) => {
    const most = priceOf(prices, meant(name));
    return most !== null && price.input <= most.input && price.output <= most.output;
  });
}

export function meant(name: string): string {
  const short = name.toLowerCase();
  return Object.hasOwn(SHORT_NAMES, short) ? SHORT_NAMES[short]! : name;
}

/** `claude-sonnet-6` where `sonnet` is configured: a newer CLI knows models that our price list lacks. */
function isOfFamily(model: string, name: string): boolean {
  const family = /^claude-([a-z]+)-/.exec(meant(name))?.[1];
  return (
    meant(name) !== name && family !== undefined && new RegExp(`^claude-${family}-[0-9-]{1,20}$`).test(model)
  );
}
