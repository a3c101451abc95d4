/**
 * Which addresses a connection of an agent may not go to: everything that is not the public internet, and this machine.
 * Pure; `AddressRules` is a value, so that a test can open one loopback address and keep the others shut.
 */
import { BlockList, isIP } from 'node:net';

export interface AddressRules {
  /** network and the word for it; the first that holds the address counts */
  forbidden: readonly (readonly [network: string, is: string])[];
  /** networks that are allowed in spite of `forbidden` */
  except: readonly string[];
}

/**
 * The special-purpose registries of IANA (RFC 6890, as of 2025), and what clouds keep for themselves. For IPv6 all is
 * forbidden that is not global unicast (2000::/3); so IPv4-mapped, NAT64, unique local and link-local addresses are, too.
 */
export const PUBLIC_ONLY: AddressRules = {
  forbidden: [
    ['0.0.0.0/8', 'unspecified'],
    ['10.0.0.0/8', 'private'],
    ['100.64.0.0/10', "a carrier's (CGNAT)"],
    ['127.0.0.0/8', 'loopback'],
    ['169.254.0.0/16', 'link-local'],
    ['172.16.0.0/12', 'private'],
    ['192.0.0.0/24', 'reserved'],
    ['192.0.2.0/24', 'documentation'],
    ['192.88.99.0/24', '6to4'],
    ['192.168.0.0/16', 'private'],
    ['198.18.0.0/15', 'for benchmarks'],
    ['198.51.100.0/24', 'documentation'],
    ['203.0.113.0/24', 'documentation'],
    ['224.0.0.0/4', 'multicast'],
    ['240.0.0.0/4', 'reserved'],
    // Azure answers here with data of the machine, although the address is a public one.
    ['168.63.129.16/32', "a cloud's own"],
    ['::/128', 'unspecified'],
    ['::1/128', 'loopback'],
    ['::ffff:0:0/96', 'IPv4-mapped'],
    ['64:ff9b::/96', 'NAT64'],
    ['64:ff9b:1::/48', 'NAT64'],
    ['fc00::/7', 'private'],
    ['fe80::/10', 'link-local'],
    ['ff00::/8', 'multicast'],
    ['2001::/32', 'Teredo'],
    ['2001::/23', 'reserved'],
    ['2001:db8::/32', 'documentation'],
    ['2002::/16', '6to4'],
    ['3fff::/20', 'documentation'],
    ['::/3', 'not global unicast'],
    ['4000::/2', 'not global unicast'],
    ['8000::/1', 'not global unicast'],
  ],
  except: [],
};

/** A clause that says why no connection may go there; null = it may. `own`: this machine's addresses now. */
export function whyForbidden(
  address: string,
  { rules, own }: { rules: AddressRules; own: readonly string[] },
): string | null {
  const version = isIP(address);
  // An address with a zone (fe80::1%eth0) is link-local.
  if (version === 0 || address.includes('%')) return 'no plain address';
  if (rules.except.some((network) => isIn(network, address))) return null;
  if (own.some((one) => isIP(one) === version && isIn(`${one}/${version === 6 ? 128 : 32}`, address))) {
    return "this machine's own";
  }
  return rules.forbidden.find(([network]) => isIn(network, address))?.[1] ?? null;
}

const lists = new Map<string, { list: BlockList; version: number }>();

/** `BlockList` also finds an IPv4-mapped address in networks of IPv4; here each version is compared with its own. */
function isIn(network: string, address: string): boolean {
  const known = lists.get(network) ?? listOf(network);
  lists.set(network, known);
  return known.version === isIP(address) && known.list.check(address, known.version === 6 ? 'ipv6' : 'ipv4');
}

function listOf(network: string): { list: BlockList; version: number } {
  const [base = '', bits = ''] = network.split('/');
  const version = isIP(base);
  const list = new BlockList();
  list.addSubnet(base, Number(bits), version === 6 ? 'ipv6' : 'ipv4');
  return { list, version };
}
