/** What a run has used so far, and which cap it has reached. In memory; the rows are the ledger's. */
import type { CapName, GatewayCaps, GatewayReport } from './port.ts';
import { type PriceTable, priceOf } from './prices.ts';
import type { Usage } from './usage.ts';

/** What earlier attempts of the same dispatch have used: a run that is resumed does not start at zero. */
export interface Carried {
  requests: number;
  /** input, cache writes and output */
  tokens: number;
  /** null when the price of a part is not known */
  microUsd: number | null;
}

export class Tally {
  readonly #caps: GatewayCaps;
  readonly #prices: PriceTable;
  readonly #carried: Carried;
  #microUsd: number | null;
  readonly #report: Omit<GatewayReport, 'usd'>;
  /** the words in which an answer of this run was refused */
  #refusal: string | null = null;

  constructor(of: { caps: GatewayCaps; prices: PriceTable; carried: Carried }) {
    this.#caps = of.caps;
    this.#prices = of.prices;
    this.#carried = of.carried;
    this.#microUsd = 0;
    this.#report = {
      requests: 0,
      refused: 0,
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      capped: null,
      cappedWhy: null,
      limit: null,
      limited: false,
      declined: null,
    };
  }

  /**
   * Counts a request that is about to be sent, or names the cap that forbids it. Tokens and dollars are known only
   * after the answer, so requests that are under way at the same time may exceed a cap by what they cost.
   */
  begin(model: string | null): CapName | null {
    const capped = this.#report.capped ?? this.#reached(model);
    if (capped === null) this.#report.requests++;
    else this.#report.capped = capped;
    return capped;
  }

  /** a budget beyond the run, or one of its caps with what is under way */
  cap(name: CapName, why: string): void {
    this.#report.requests--;
    this.#report.capped = name;
    this.#report.cappedWhy = why;
  }

  #reached(model: string | null): CapName | null {
    const { requests, tokens, usd } = this.#caps;
    const { requests: sent, inputTokens, outputTokens, cacheWriteTokens } = this.#report;
    // guard: cap of requests
    if (requests !== null && this.#carried.requests + sent >= requests) return 'max-requests';
    // guard: caps over attempts
    const used = this.#carried.tokens + inputTokens + outputTokens + cacheWriteTokens;
    if (tokens !== null && used >= tokens) return 'max-tokens';
    if (usd === null) return null;
    const spent = this.spentMicroUsd();
    // guard: cap without a price
    const isPriced = spent !== null && priceOf(this.#prices, model) !== null;
    return isPriced && spent < usd * 1_000_000 ? null : 'max-usd';
  }

  /** null when a model without a known price was used */
  spentMicroUsd(): number | null {
    if (this.#microUsd === null || this.#carried.microUsd === null) return null;
    return this.#carried.microUsd + this.#microUsd;
  }

  add(usage: Usage, microUsd: number | null): void {
    this.#report.inputTokens += usage.input;
    this.#report.outputTokens += usage.output;
    this.#report.cacheReadTokens += usage.cacheRead;
    this.#report.cacheWriteTokens += usage.cacheWrite;
    this.#microUsd = this.#microUsd === null || microUsd === null ? null : this.#microUsd + microUsd;
  }

  refuse(): number {
    return ++this.#report.refused;
  }

  /** from the last answer; null lifts it */
  limit(limit: GatewayReport['limit']): void {
    this.#report.limit = limit;
    if (limit !== null) this.#report.limited = true;
  }

  noteRefusal(words: string): void {
    this.#refusal = words;
  }

  get refusal(): string | null {
    return this.#refusal;
  }

  decline(words: string): void {
    this.#report.declined = words;
  }

  report(): GatewayReport {
    const usd = this.#microUsd === null ? null : this.#microUsd / 1_000_000;
    return { ...this.#report, usd };
  }
}
