/** Is an address one that a forge refuses to call by default? */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

const PRIVATE = new BlockList();
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  PRIVATE.addSubnet(net, bits, 'ipv4');
}
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('0.0.0.0', 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
LOOPBACK.addAddress('::', 'ipv6');

/** As far as an administrator of a forge allows it to call such addresses. */
export type Reach = 'loopback' | 'private' | 'external' | 'unknown';

export async function reachOf(url: string): Promise<{ reach: Reach; address: string }> {
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
  if (isIP(host) !== 0) return { reach: reachOfAddress(host), address: host };
  try {
    const { address } = await lookup(host);
    return { reach: reachOfAddress(address), address };
  } catch {
    // The forge may know the name although this machine does not: a container's name, for one.
    return { reach: 'unknown', address: host };
  }
}

export function reachOfAddress(address: string): Exclude<Reach, 'unknown'> {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (LOOPBACK.check(address, family)) return 'loopback';
  return PRIVATE.check(address, family) ? 'private' : 'external';
}
