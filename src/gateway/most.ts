/** The most that a request may cost, before it is sent. Pure. */
import { type PriceTable, priceOf } from './prices.ts';

/** The largest context there is: no prompt is billed for more. */
const LARGEST_PROMPT = 1_000_000;
/** Tokens of the largest picture. A small file may hold one. */
const PICTURE = 5000;
/** Of a request that names no most output; the API refuses it. */
const LARGEST_OUTPUT = 128_000;

export interface MostCost {
  tokens: number;
  /** null = the model has no known price */
  microUsd: number | null;
}

/** A token is a byte or more, so the body's length is an upper bound; a PDF can be longer than its file. */
export function mostOf(
  prices: PriceTable,
  request: { model: string; body: Buffer; maxTokens: number | null },
): MostCost {
  const { body, model } = request;
  const output = request.maxTokens ?? LARGEST_OUTPUT;
  const isUnbounded = body.includes('"type":"document"');
  const pictures = countOf(body, '"type":"image"');
  const input = isUnbounded ? LARGEST_PROMPT : Math.min(body.length + pictures * PICTURE, LARGEST_PROMPT);
  return {
    tokens: input + output,
    microUsd: priced(prices, { model, input, output, anHour: body.includes('"1h"') }),
  };
}

function priced(
  prices: PriceTable,
  o: { model: string; input: number; output: number; anHour: boolean },
): number | null {
  const listed = priceOf(prices, o.model);
  if (listed === null) return null;
  const long = listed.longPrompt;
  const forms = [listed, ...(long !== undefined && o.input > long.above ? [long.price] : [])];
  const costs = forms.map((p) => {
    const written = o.anHour ? p.cacheWriteHour : p.cacheWrite;
    return o.input * Math.max(p.input, written) + o.output * p.output;
  });
  return Math.ceil(Math.max(...costs));
}

function countOf(body: Buffer, text: string): number {
  let found = 0;
  for (let at = body.indexOf(text); at >= 0; at = body.indexOf(text, at + text.length)) found++;
  return found;
}
