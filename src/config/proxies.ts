/** Whether an address is reached through a proxy: the same answer for the service and for git. Pure. */
import { BlockList, isIP } from 'node:net';
import type { NetworkSettings } from './config.ts';

/** The proxy's address with user and password; null = no proxy. */
export function proxyFor({ proxies, noProxy }: NetworkSettings, address: string | URL): string | null {
  const url = new URL(address);
  const proxy = url.protocol === 'https:' ? proxies.https : url.protocol === 'http:' ? proxies.http : null;
  if (proxy === null) return null;
  const host = nameIn(url.hostname);
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  // guard: network: this machine
  if (isThisMachine(host) || noProxy.some((entry) => covers(entry, { host, port }))) return null;
  return proxy;
}

/** The address without user and password, for messages. */
export function shownProxy(proxy: string): string {
  return new URL(proxy).origin;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || isIn(LOOPBACK, host);
}

/**
 * An entry is read as curl reads it: a name also covers all names below it. Also accepted are `host:port` and `*.name`,
 * as in Node.
 */
function covers(entry: string, at: { host: string; port: string }): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInNetwork(entry, at.host);
  const withPort = /^(.*[^:]|\[.*\]):(\d+)$/.exec(entry);
  const named = withPort !== null && isIP(entry) === 0 ? withPort[1]! : entry;
  if (named !== entry && withPort![2] !== at.port) return false;
  const name = nameIn(named.replace(/^\*?\./, ''));
  if (name === '') return false;
  // guard: network: names below
  return at.host === name || (isIP(at.host) === 0 && at.host.endsWith(`.${name}`));
}

function isInNetwork(entry: string, host: string): boolean {
  const [address = '', bits = ''] = entry.split('/');
  const family = isIP(nameIn(address)) === 6 ? 'ipv6' : 'ipv4';
  try {
    const list = new BlockList();
    list.addSubnet(nameIn(address), Number(bits), family);
    return isIn(list, host);
  } catch {
    return false;
  }
}

function isIn(list: BlockList, host: string): boolean {
  const version = isIP(host);
  return version !== 0 && list.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

function nameIn(host: string): string {
  return host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}
