/** What an agent's model means, for people: which one it is today, what it costs, and what of its settings does nothing. Pure. */
import { LONG_CONTEXT, meant } from './models.ts';
import { type Price, type PriceTable, priceOf } from './prices.ts';

export interface NamedModel {
  /** of the agent */
  name: string;
  model: string;
  effort: string | null;
  /** what `haiku` means, where the configuration says so */
  small: string | null;
  /** a cap in dollars */
  usd: number | null;
}

export interface ModelWords {
  /** one line */
  says: string;
  problems: { check: string; severity: 'broken' | 'risk' | 'note'; problem: string; remedy: string }[];
}

export function modelWords(agent: NamedModel, prices: PriceTable): ModelWords {
  const model = meaning(agent);
  const price = priceOf(prices, model);
  const today = agent.model.toLowerCase() === model ? model : `${agent.model}, which is ${model} today`;
  const effort = agent.effort === null ? '' : `, effort ${agent.effort}`;
  return {
    says: `${agent.name} runs on ${today}${effort}: ${price === null ? 'price not known' : priceWords(price)}`,
    problems: [
      // guard: model: its price is not known
      ...(price === null ? [unpriced(agent, model)] : []),
      ...(agent.effort !== null && !takesEffort(model) ? [effortless(agent, model)] : []),
    ],
  };
}

function meaning({ model, small }: NamedModel): string {
  const plain = model.replace(LONG_CONTEXT, '');
  // The CLI is told to use it for its short name `haiku`.
  return plain.toLowerCase() === 'haiku' && small !== null ? small : meant(plain);
}

function priceWords({ input, output, longPrompt }: Price): string {
  const list = `$${input} for a million tokens in, $${output} out`;
  return longPrompt === undefined
    ? list
    : `${list}; $${longPrompt.price.input} and $${longPrompt.price.output} once a prompt is above ${longPrompt.above} tokens`;
}

function unpriced({ name, usd }: NamedModel, model: string): ModelWords['problems'][number] {
  const cap =
    usd === null
      ? 'its runs are counted in tokens, and not in dollars'
      : `its cap in dollars (max_run_usd: ${usd}) refuses every request`;
  return {
    check: 'model-without-price',
    severity: usd === null ? 'note' : 'broken',
    problem: `the price of ${model} is not known, so ${cap}`,
    remedy: `Name a listed model in agents/${name}.md or model.default, or cap its runs with max_run_tokens.`,
  };
}

function effortless({ name, effort }: NamedModel, model: string): ModelWords['problems'][number] {
  return {
    check: 'effort-without-effect',
    severity: 'note',
    problem: `${model} takes no effort, so effort: ${effort} changes nothing`,
    remedy: `Take effort out of agents/${name}.md, or name a newer model.`,
  };
}

/**
 * The CLI (2.1.330) does not send the effort to these models. `allowed.test.ts` compares this list with what it sends.
 */
const EFFORTLESS = /^claude-(3-|haiku-4|sonnet-4(-0|-5)?(-\d{8})?$|opus-4(-0|-1)?(-\d{8})?$)/;

export function takesEffort(model: string): boolean {
  return !EFFORTLESS.test(model);
}
