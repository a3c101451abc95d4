/** The network by name, see `egress/door.ts`: one proxy for each dispatch, on a unix socket of its own. */
import { recordAudit } from './audit.ts';
import type { NameSettings } from './config/config.ts';
import { openSocketFolders } from './container/sockets.ts';
import type { Database } from './database/database.ts';
import { type AddressRules, PUBLIC_ONLY } from './egress/addresses.ts';
import { type EgressEntry, openEgressDoor } from './egress/door.ts';
import { FIXED_LIMITS } from './egress/limits.ts';
import { type Lookup, ownAddresses, systemLookup } from './egress/lookups.ts';
import { showTarget } from './egress/target.ts';
import type { DispatchKey } from './vocabulary.ts';

export interface EgressDeps {
  /** for the sockets; made if missing */
  folder: string;
  /** of the service: what it reaches through a proxy is refused */
  proxyFor: (address: string) => string | null;
  database: Database;
  /** for the metrics; every request, also those that are too many for the audit */
  passed: (entry: Pick<EgressEntry, 'verdict' | 'decision' | 'sent' | 'received'>) => void;
  now: () => number;
  /** without them: as this machine resolves names, and only public addresses */
  lookup?: Lookup;
  rules?: AddressRules;
}

export interface EgressAsked {
  key: DispatchKey;
  agent: string;
  names: NameSettings;
  /** why this run may not use the network, as of now; null = it may */
  restriction: () => string | null;
}

export interface OpenEgress {
  socketPath: string;
  /** cuts the tunnels that stand; call it when `restriction` begins to answer a text */
  shut(): void;
  /** idempotent; cuts the tunnels, and resolves when all is in the audit */
  close(): Promise<void>;
}

export interface Egress {
  open(asked: EgressAsked): Promise<OpenEgress>;
}

const LOOKUP_MS = 10_000;
const CONNECT_MS = 10_000;

export async function createEgress(deps: EgressDeps): Promise<Egress> {
  const folders = await openSocketFolders(deps.folder);
  const { lookup = systemLookup(), rules = PUBLIC_ONLY } = deps;
  return {
    open: async ({ key, agent, names, restriction }) => {
      const socketPath = await folders.open();
      const door = await openEgressDoor(socketPath, {
        allowed: names.allow,
        limits: {
          ...FIXED_LIMITS,
          sentBytes: names.maxSent,
          receivedBytes: names.maxReceived,
          connections: names.maxConnections,
        },
        restriction,
        isProxied: (target) => deps.proxyFor(`https://${showTarget(target)}`) !== null,
        reach: { lookup, rules, own: ownAddresses, lookupMs: LOOKUP_MS, connectMs: CONNECT_MS },
        passed: deps.passed,
        audit: ({ action, decision, reason, detail, verdict, sent, received }) =>
          recordAudit(deps.database.rows, {
            ...key,
            agent,
            door: 'network',
            action,
            decision,
            reason,
            detail: { verdict, sent, received, ...detail },
            now: deps.now(),
          }),
      });
      let closing: Promise<void> | null = null;
      const close = async () => {
        await door.close();
        await folders.remove(socketPath);
      };
      return {
        socketPath,
        shut: () => door.shut(),
        close: () => {
          closing ??= close();
          return closing;
        },
      };
    },
  };
}
