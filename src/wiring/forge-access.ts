/** How the service reaches its forges: a client for each account, and what the forges say of people and of ourselves. */
import type { ForgeConfig } from '../config/config.ts';
import type { DispatchDeps } from '../dispatch/dispatch.ts';
import { ForgeRefused } from '../errors.ts';
import { watchAuthors } from '../forges/author-watch.ts';
import type { Forge } from '../forges/forge.ts';
import { kitOf } from '../forges/registry.ts';
import { rotatingForge } from '../forges/rotating-forge.ts';
import type { Network } from '../network.ts';
import { createTrust, type Trust } from '../trust.ts';
import type { Foundation } from './foundation.ts';

/** `network` as it was at the start: proxies and authorities count from the next one. */
type Given = Pick<Foundation, 'config' | 'log'> & {
  network: Network;
  /** reads the configuration again, now */
  refresh: () => void;
};

export interface ForgeAccess {
  network: Network;
  trust: Trust;
  forge: DispatchDeps['forge'];
}

export function forgeAccess(given: Given): ForgeAccess {
  const { config, log, network } = given;
  const client = forgeClients(given);
  const trust = createTrust({ forges: () => config().forges, client, now: () => Date.now(), log });
  return { network, trust, forge: watchedClients(client, trust) };
}

/** One client for each agent on each forge; it takes up a token that was replaced. */
function forgeClients({ config, refresh, log, network }: Given): DispatchDeps['forge'] {
  const byToken = new Map<string, Forge>();
  const current = (name: string, agent: string, fallback: ForgeConfig): Forge => {
    const forge = config().forges[name] ?? fallback;
    const { token } = forge.accounts[agent] ?? fallback.accounts[agent]!;
    const key = JSON.stringify([forge.kind, name, forge.url, agent, token]);
    const account = { name, url: forge.url, token, fetch: network.fetch };
    const client = byToken.get(key) ?? kitOf(forge.kind).client(account);
    byToken.set(key, client);
    return client;
  };
  const rotating = new Map<string, Forge>();
  return (forge, agent) => {
    const key = JSON.stringify([forge.name, forge.url, agent]);
    const client =
      rotating.get(key) ??
      rotatingForge({
        current: () => current(forge.name, agent, forge),
        refresh,
        onRotated: () => log.warn(`the token of ${agent} on ${forge.name} was replaced; the new one is used`),
      });
    rotating.set(key, client);
    return client;
  };
}

/** The author of a post shows whose token it was; after a post under another name nothing more is written. */
function watchedClients(client: DispatchDeps['forge'], trust: Trust): DispatchDeps['forge'] {
  const watched = new Map<Forge, Forge>();
  return (forge, agent) => {
    const bare = client(forge, agent);
    const known =
      watched.get(bare) ??
      watchAuthors(bare, {
        beforeWrite: () => {
          const why = trust.whyNotWrite(forge.name, agent);
          if (why !== null) throw new ForgeRefused(`Nothing is written as ${agent}: ${why}.`, 403);
        },
        posted: (author) => trust.posted(forge.name, agent, author),
        assumed: () => trust.assumed(forge, agent),
      });
    watched.set(bare, known);
    return known;
  };
}
