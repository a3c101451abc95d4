/** Hosts that agents may reach by name are reached directly, or the address that a name leads to could not be checked. */
import { showAllowedHost } from './allowed-hosts.ts';
import type { AgentConfig, NetworkSettings } from './config.ts';
import type { Preparation } from './prepare.ts';
import { proxyFor, shownProxy } from './proxies.ts';

export function checkReachedDirectly(
  agents: ReadonlyMap<string, AgentConfig>,
  network: NetworkSettings,
  { file, problems }: Pick<Preparation, 'file' | 'problems'>,
): void {
  const told = new Set<string>();
  for (const host of [...agents.values()].flatMap(({ container }) => container.names?.allow ?? [])) {
    const shown = showAllowedHost(host);
    const proxy = proxyFor(network, `https://${shown.replace('*.', 'any.')}`);
    if (proxy === null || told.has(shown)) continue;
    told.add(shown);
    problems.push({
      file,
      path: 'container.network.allow',
      value: shown,
      problem: `is reached through the proxy ${shownProxy(proxy)}, which would resolve the name itself, so nobody could refuse a private address`,
      remedy: `Add ${shown.replace(/^\*/, '').replace(/:\d+$/, '')} to network.no_proxy if this machine reaches it directly, or take it off the list.`,
    });
  }
}
