/**
 * The gateway: the container's only way to the model. One unix socket per dispatch.
 *
 * Contract:
 * - Order: `open` → the run → `close`. Any number may be open at once; each has a socket of its own, in a folder of its
 *   own, that is gone after `close`.
 * - Only the Messages API passes (`POST /v1/messages`, `POST /v1/messages/count_tokens`); every other path, method or
 *   host is refused, counted and audited.
 * - What a request holds is compared with a list of what the CLI sends (`allowed.ts`), and sent on as it was read. What is
 *   not on it, a model that costs more than the run's own, and a tool that its agent does not have are refused, counted
 *   and audited, too.
 * - The container's own credential headers are dropped; ours are added outside. It never learns them, also not from an
 *   error or a redirect.
 * - Answers stream through without buffering.
 * - Every request is a row (`model_requests`) with model, status, tokens, cache use, time to first byte.
 * - At a cap nothing more is sent upstream: the CLI gets an error it does not repeat, and `report().capped` says which.
 * - A body that was refused twice with the same words is answered from memory: the CLI would ask six times.
 * - A 403, or a 400 that speaks of the key, is the credential's only when the smallest question is refused as well.
 * - A refusal for the size of a request reaches the CLI in the API's own words, whatever the vendor's were.
 * - A 401, 402, 403, 429, 529 or usage limit is in `report().limit`, with the reset time where upstream names one. A
 *   credential that has changed meanwhile is taken up, and a 401 on the old one repeated once, unseen by the CLI.
 */
import type { CapReason } from '../vocabulary.ts';
import type { RunModels } from './models.ts';

export interface Credential {
  /** `x-api-key: <value>`, or `authorization: Bearer <value>` */
  kind: 'api-key' | 'bearer';
  value: string;
}

export interface GatewayCaps {
  /** requests of one run; null = no cap */
  requests: number | null;
  /** input + cache-write + output tokens of one run; cache reads are not counted */
  tokens: number | null;
  /** US dollars of one run, by the price table */
  usd: number | null;
}

/** What may be spent, asked before each request that costs something. */
export interface Spending {
  /** the run begins: what an earlier attempt of its dispatch had on its way is lost */
  opened(dispatchId: string): Promise<void>;
  permit(
    run: { dispatchId: string; conversationId: string; agent: string; caps: GatewayCaps },
    most: { tokens: number; microUsd: number | null },
  ): Promise<
    | { kind: 'free' }
    | { kind: 'reserved'; id: string }
    /** requests under way may cost too much: ask again */
    | { kind: 'busy' }
    | { kind: 'spent'; cap: 'max-usd' | 'max-tokens' | 'budget'; why: string }
  >;
}

export interface GatewayRun {
  dispatchId: string;
  conversationId: string;
  agent: string;
  models: RunModels;
  /** names of the tools that its requests may offer to the model */
  tools: readonly string[];
  caps: GatewayCaps;
}

export type CapName = Exclude<CapReason, 'max-turns' | 'max-budget' | 'max-output'>;

export interface GatewayReport {
  requests: number;
  refused: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** null when a model without a known price was used */
  usd: number | null;
  capped: CapName | null;
  /** which budget, in words, where that was the cap */
  cappedWhy: string | null;
  /**
   * the limit that the last answer from upstream was; null when it was none. `until`: unix ms at which the window that
   * refused is over; `retryMs`: the wait that was asked for, 0 = none; `model`: the family or name of the only model
   * that it holds, null = all
   */
  limit: {
    status: number;
    until: number | null;
    retryMs: number;
    why: string;
    model: string | null;
  } | null;
  /** some answer of this run was a limit, also when another came after it */
  limited: boolean;
  /** the model's side will not take what this run asked, by its content; in its words */
  declined: string | null;
}

export interface OpenGateway {
  /** absolute path, on this machine, of the socket; at most 100 bytes */
  socketPath: string;
  report(): GatewayReport;
  /** idempotent; waits for rows, not for requests, which are cut */
  close(): Promise<GatewayReport>;
}

export interface Gateway {
  open(run: GatewayRun): Promise<OpenGateway>;
  /** closes what is open, and with it every folder of a socket */
  close(): Promise<void>;
}
