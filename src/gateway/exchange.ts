/** A request on its way through the gateway, and what it shares with the others of its run. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../log.ts';
import type { CredentialSource } from './credential.ts';
import type { Ledger } from './ledger.ts';
import type { GatewayRun, Spending } from './port.ts';
import type { PriceTable } from './prices.ts';
import type { RefusalMemory } from './refusal-memory.ts';
import type { Tally } from './tally.ts';
import type { UpstreamLine } from './upstream.ts';

/** What the requests of one run share. */
export interface RunAtGateway {
  run: GatewayRun;
  tally: Tally;
  memory: RefusalMemory;
  /** null = nothing is limited beyond the run */
  spending: Spending | null;
  ledger: Ledger;
  line: UpstreamLine;
  credentials: CredentialSource;
  prices: PriceTable;
  log: Log;
  now: () => number;
  /** counts a refusal, and records it while there are not too many */
  refused(what: { action: string; reason: string }): void;
}

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  /** as it goes on */
  body: Buffer;
  /** the name in the request; the price goes by the name in the answer */
  model: string;
  /** the most output it asks for; null = it names none */
  maxTokens: number | null;
  /** names what is asked last */
  question: string;
  at: RunAtGateway;
}
