/**
 * How HTTP leaves this machine: through which proxy and with which authorities, the same for the service's own calls
 * and for git. Containers need none of this: they reach only the gateway and the broker.
 */
import http from 'node:http';
import type { LoadedConfig, NetworkSettings } from './config/config.ts';
import { proxyFor, shownProxy } from './config/proxies.ts';
import { trustedCertificates, trustInThisProcess } from './network/authorities.ts';

export interface Network {
  fetch: typeof fetch;
  /** the proxy's address with user and password; null = no proxy */
  proxyFor(address: string): string | null;
  /** certificates in PEM form that git is to trust; '' = git uses the system's */
  authorities: string;
}

/** For all addresses that a service with this configuration may ask. */
export function networkOf(config: LoadedConfig): Network {
  const forges = Object.values(config.forges).flatMap(({ url, cloneUrl }) => [url, cloneUrl]);
  const own = config.server.publicUrl === null ? [] : [config.server.publicUrl];
  const isPackageDoorOpen = [...config.agents.values()].some((agent) => agent.container.packages !== 'off');
  const registries = isPackageDoorOpen ? Object.values(config.packages.registries).map(({ url }) => url) : [];
  const servers = Object.values(config.mcpServers).flatMap(({ way }) =>
    way.kind === 'http' ? [way.url] : [],
  );
  const addresses = [
    config.model.upstream,
    config.database.url,
    ...forges,
    ...own,
    ...registries,
    ...servers,
  ];
  return openNetwork(config.network, addresses);
}

/**
 * `addresses`: all that may be asked. Where none of them uses TLS, the authorities are not read, because reading takes
 * a tenth of a second.
 */
export function openNetwork(settings: NetworkSettings, addresses: readonly string[]): Network {
  const proxies = Object.values(settings.proxies).filter((proxy) => proxy !== null);
  const isTls = [...addresses, ...proxies].some((address) => /^https:|^postgres.*[?&]ssl/.test(address));
  requireNode({ isProxied: proxies.length > 0, hasOwn: settings.authorities.length > 0 });
  const certificates = isTls ? trustedCertificates(settings.authorities) : [];
  // guard: network: authorities of the process
  if (isTls) trustInThisProcess(certificates);
  return {
    fetch: throughProxies(settings),
    proxyFor: (address) => proxyFor(settings, address),
    authorities: certificates.join('\n'),
  };
}

/** An older Node would silently ignore the proxy. */
function requireNode({ isProxied, hasOwn }: { isProxied: boolean; hasOwn: boolean }): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if ((!isProxied && !hasOwn) || major > 24 || minor >= 5) return;
  const why = isProxied ? 'behind a proxy' : 'for authorities of your own';
  throw new Error(
    `claude-hooks needs Node 24.5 or newer ${why}, and this is ${process.versions.node}. Update Node.`,
  );
}

/**
 * For a process that was started with NODE_USE_ENV_PROXY or --use-env-proxy. Node would send even requests to this
 * machine itself to the proxy, and reads no_proxy in its own way; the requests of the service go only by `openNetwork`.
 */
export function ignoreNodesOwnProxy(): void {
  // Node ignores the call when no proxy is named; this one is named, and excepted for every host.
  const nobody = 'http://127.0.0.1:9';
  http.setGlobalProxyFromEnv?.({ http_proxy: nobody, https_proxy: nobody, no_proxy: '*' });
}

const CONNECT_MS = 15_000;

function throughProxies(settings: NetworkSettings): typeof fetch {
  const dispatchers = new Map<string, Dispatcher>();
  return async (input, init) => {
    const address = input instanceof Request ? input.url : String(input);
    const proxy = proxyFor(settings, address);
    if (proxy === null) return await fetch(input, init);
    // Imported only behind a proxy, because it takes megabytes.
    const undici = await import('undici');
    const dispatcher =
      dispatchers.get(proxy) ?? new undici.ProxyAgent({ uri: proxy, connectTimeout: CONNECT_MS });
    dispatchers.set(proxy, dispatcher);
    try {
      const asked = { ...init, dispatcher } as Parameters<typeof undici.fetch>[1];
      return (await undici.fetch(address, asked)) as unknown as Response;
    } catch (error) {
      throw new Error(`through the proxy ${shownProxy(proxy)}: ${wordsOf(error)}`);
    }
  };
}

type Dispatcher = InstanceType<typeof import('undici').ProxyAgent>;

/** "fetch failed" says nothing; its cause does. */
function wordsOf(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return 'no answer in time';
  return cause instanceof Error ? wordsOf(cause) : message;
}
