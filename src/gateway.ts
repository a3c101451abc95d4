/** The gateway, see `gateway/port.ts`: one unix socket per dispatch, and behind it the one way to the model. */

import { openSocketFolders } from './container/sockets.ts';
import type { Database } from './database/database.ts';
import { CredentialSource } from './gateway/credential.ts';
import { openDoor } from './gateway/door.ts';
import type { RunAtGateway } from './gateway/exchange.ts';
import { Ledger, usageOf } from './gateway/ledger.ts';
import type { Gateway, GatewayReport, GatewayRun, OpenGateway, Spending } from './gateway/port.ts';
import type { PriceTable } from './gateway/prices.ts';
import { RefusalMemory } from './gateway/refusal-memory.ts';
import { type Carried, Tally } from './gateway/tally.ts';
import { type ProxyFor, type Upstream, UpstreamLine } from './gateway/upstream.ts';
import type { Log } from './log.ts';

export interface GatewayDeps {
  /** for the sockets; made if missing. Where its path is too long for a socket, the system's temporary folder serves */
  folder: string;
  /** asked at each request, so that a new credential counts at once; throws nothing */
  upstream: () => Upstream;
  /** reads the credential again where it comes from; called when upstream has answered 401 */
  refreshCredential: () => Promise<void> | void;
  prices: PriceTable;
  /** not given = nothing is limited beyond the run */
  spending?: Spending;
  /** not given = upstream is reached directly */
  proxyFor?: ProxyFor;
  database: Database;
  log: Log;
  now: () => number;
}

/** Refusals are always counted, but only the first of a run become audit rows. */
const MOST_AUDITED = 100;

/** Also removes the sockets that a dead process has left in `folder`. */
export async function createGateway(deps: GatewayDeps): Promise<Gateway> {
  const folders = await openSocketFolders(deps.folder);
  const line = new UpstreamLine(deps.proxyFor ?? (() => null));
  const ledger = new Ledger(deps);
  const credentials = new CredentialSource({ ...deps, refresh: deps.refreshCredential });
  const open = new Set<OpenGateway>();
  const spending = deps.spending ?? null;
  const shared = { spending, ledger, line, credentials, prices: deps.prices, log: deps.log, now: deps.now };
  return {
    open: async (run) => {
      await spending?.opened(run.dispatchId);
      const carried = await usedBefore(deps.database, run);
      const tally = new Tally({ caps: run.caps, prices: deps.prices, carried });
      const socketPath = await folders.open();
      const memory = new RefusalMemory();
      const door = await openDoor(socketPath, atGateway(shared, run, { tally, memory }));
      let closing: Promise<GatewayReport> | null = null;
      const close = async () => {
        await door.close();
        await folders.remove(socketPath);
        await ledger.settled();
        open.delete(opened);
        return tally.report();
      };
      const opened: OpenGateway = {
        socketPath,
        report: () => tally.report(),
        close: () => {
          closing ??= close();
          return closing;
        },
      };
      open.add(opened);
      return opened;
    },
    close: async () => {
      await Promise.all([...open].map((one) => one.close()));
      line.close();
    },
  };
}

/**
 * Caps hold over all attempts of a dispatch, so an attempt that was cut off still counts. Requests that a provider's
 * limit refused do not count: a dispatch that was parked for a day must not come back to a used-up cap.
 */
async function usedBefore(database: Database, { dispatchId }: GatewayRun): Promise<Carried> {
  const used = await usageOf(database.rows, { dispatchId });
  return {
    requests: used.answered,
    tokens: used.inputTokens + used.outputTokens + used.cacheWriteTokens,
    microUsd: used.microUsd,
  };
}

function atGateway(
  shared: Omit<RunAtGateway, 'run' | 'tally' | 'memory' | 'refused'>,
  run: GatewayRun,
  { tally, memory }: Pick<RunAtGateway, 'tally' | 'memory'>,
): RunAtGateway {
  const refused: RunAtGateway['refused'] = ({ action, reason }) => {
    if (tally.refuse() > MOST_AUDITED) return;
    shared.ledger.audit({
      dispatchId: run.dispatchId,
      conversationId: run.conversationId,
      agent: run.agent,
      door: 'model',
      action,
      decision: 'denied',
      reason,
      detail: {},
      now: shared.now(),
    });
  };
  return { ...shared, run, tally, memory, refused };
}
