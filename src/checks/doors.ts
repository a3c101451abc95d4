/** Whether the doors to packages and to hosts by name lead anywhere: one small package, one handshake, really made. */
import { type AllowedHost, showAllowedHost } from '../config/allowed-hosts.ts';
import type { AgentConfig, LoadedConfig } from '../config/config.ts';
import { PUBLIC_REGISTRIES } from '../config/package-options.ts';
import { shownProxy } from '../config/proxies.ts';
import { type Handshake, type HandshakeDeps, tryHandshake } from '../egress/probe.ts';
import type { Log } from '../log.ts';
import type { Network } from '../network.ts';
import { probeRegistry } from '../packages/probe.ts';
import { ECOSYSTEMS, type EcosystemName } from '../vocabulary.ts';
import type { Check } from './check.ts';

export type DoorCheck = 'host-by-name' | 'package-registry';

export interface DoorCheckDeps {
  network: Pick<Network, 'proxyFor' | 'fetch'>;
  reach?: HandshakeDeps['reach'];
  log: Log;
}

export async function checkDoors(
  config: Pick<LoadedConfig, 'packages'>,
  agents: readonly AgentConfig[],
  deps: DoorCheckDeps,
): Promise<Check<DoorCheck>[]> {
  const hosts = [
    ...new Map(agents.flatMap(namedHosts).map((host) => [showAllowedHost(host), host])).values(),
  ];
  const handshakes = await Promise.all(hosts.slice(0, MOST_HOSTS).map((host) => checkHost(host, deps)));
  const isOpen = agents.some(({ container }) => container.packages !== 'off');
  return [...handshakes, ...(isOpen ? await checkRegistries(config, deps) : [])];
}

const MOST_HOSTS = 10;

/** The first host of an agent stands for its list; a name with a star is no host. */
function namedHosts({ container }: AgentConfig): AllowedHost[] {
  return (container.names?.allow ?? []).filter(({ below }) => !below).slice(0, 1);
}

async function checkHost(
  host: AllowedHost,
  { network, reach }: DoorCheckDeps,
): Promise<Check<'host-by-name'>> {
  const { proxyFor } = network;
  const came = await tryHandshake(host, { proxyFor, ...(reach === undefined ? {} : { reach }) });
  const about = { check: 'host-by-name', subject: showAllowedHost(host) } as const;
  if (came.kind === 'done' && came.certificate === null) {
    return { ...about, severity: 'ok', problem: '', evidence: `TLS with ${came.address}`, remedy: '' };
  }
  if (came.kind === 'done') {
    return {
      ...about,
      severity: 'risk',
      problem: 'it is reached, and its certificate is not trusted on this machine',
      evidence: came.certificate!,
      remedy:
        'Agents use the authorities of their container: put the authority into the image, or into this machine where agents run in bubblewrap.',
    };
  }
  return {
    ...about,
    severity: 'broken',
    problem: `an agent that may reach ${about.subject} does not`,
    evidence: came.kind === 'no-tls' ? `no TLS: ${came.error}` : evidenceOf(came),
    remedy: remedyFor(came, host, proxyFor),
  };
}

function evidenceOf({ reason, detail }: Extract<Handshake, { kind: 'refused' }>): string {
  const { shut, error } = detail as { shut?: string[]; error?: string };
  return [reason, ...(shut ?? []), ...(error === undefined ? [] : [error])].join(' ');
}

function remedyFor(
  came: Exclude<Handshake, { kind: 'done' }>,
  host: AllowedHost,
  proxyFor: Network['proxyFor'],
): string {
  const shown = showAllowedHost(host);
  if (came.kind === 'no-tls') return `See what answers at ${shown}: only TLS passes.`;
  switch (came.verdict) {
    case 'unresolved':
      return `Correct the name in container.network.allow, or the resolver of this machine ("getent hosts ${host.host}").`;
    case 'forbidden-address':
      return 'Take it off container.network.allow: agents reach public addresses only. A service of your own network is reached by a forge tool or not at all.';
    case 'behind-a-proxy': {
      const proxy = proxyFor(`https://${shown}`);
      return `Name ${host.host} in network.no_proxy if this machine reaches it directly; through ${proxy === null ? 'a proxy' : shownProxy(proxy)} its address could not be checked.`;
    }
    default:
      return `See that this machine's firewall lets the service connect to ${shown}.`;
  }
}

/** A public registry that nobody set is a risk where it is not reached; one that was set, or all of them, is an error. */
async function checkRegistries(
  { packages }: Pick<LoadedConfig, 'packages'>,
  { network, log }: DoorCheckDeps,
): Promise<Check<'package-registry'>[]> {
  const checks: Check<'package-registry'>[] = [];
  for (const name of ECOSYSTEMS) {
    const came = await probeRegistry(name, { settings: packages, fetch: network.fetch, log });
    if (came === null) continue;
    checks.push(registryCheck(name, packages.registries[name].url, came));
  }
  const isAll = checks.length > 0 && checks.every(({ severity }) => severity !== 'ok');
  return isAll ? checks.map((check) => ({ ...check, severity: 'broken' })) : checks;
}

function registryCheck(
  name: EcosystemName,
  url: string,
  { action, verdict, reason }: { action: string; verdict: string; reason: string | null },
): Check<'package-registry'> {
  const about = { check: 'package-registry', subject: `${name}, ${url}` } as const;
  if (verdict === 'passed' || verdict === 'not-found') {
    const evidence = verdict === 'passed' ? action : `${url} answers, and does not have ${action}`;
    return { ...about, severity: 'ok', problem: '', evidence, remedy: '' };
  }
  const isOwn = url !== PUBLIC_REGISTRIES[name].url;
  return {
    ...about,
    severity: isOwn ? 'broken' : 'risk',
    problem: `agents get no packages of ${name}`,
    evidence: `${action}: ${reason ?? verdict}`,
    remedy:
      verdict === 'redirect'
        ? `Name the host that it leads to in packages.registries.${name}.artefact_hosts.`
        : verdict === 'disk-full'
          ? 'Make room on the disk of the state folder.'
          : `See that this machine reaches ${url} (network.proxy, firewall), and that the credential in packages.registries.${name} is right.`,
  };
}
