import { describe, expect, it } from 'vitest';
import { PUBLIC_ONLY, whyForbidden } from './addresses.ts';

const at = (address: string, own: string[] = []) => whyForbidden(address, { rules: PUBLIC_ONLY, own });

describe('where a connection of an agent may go', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '198.20.0.1',
    '2606:4700::1111',
    '2a00:1450::1',
  ])('may go to %s', (address) => expect(at(address)).toBeNull());

  it.each([
    ['0.0.0.0', 'unspecified'],
    ['10.1.2.3', 'private'],
    ['100.64.0.1', "a carrier's (CGNAT)"],
    ['100.100.100.200', "a carrier's (CGNAT)"],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.0.0.192', 'reserved'],
    ['192.0.2.1', 'documentation'],
    ['192.168.1.1', 'private'],
    ['198.19.0.1', 'for benchmarks'],
    ['198.51.100.7', 'documentation'],
    ['203.0.113.7', 'documentation'],
    ['224.0.0.1', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['168.63.129.16', "a cloud's own"],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'IPv4-mapped'],
    ['::ffff:8.8.8.8', 'IPv4-mapped'],
    ['::ffff:7f00:1', 'IPv4-mapped'],
    ['::127.0.0.1', 'not global unicast'],
    ['64:ff9b::7f00:1', 'NAT64'],
    ['64:ff9b:1::a00:1', 'NAT64'],
    ['2002:7f00:1::', '6to4'],
    ['2001:0:4136:e378::1', 'Teredo'],
    ['2001:10::1', 'reserved'],
    ['2001:db8::1', 'documentation'],
    ['3fff::1', 'documentation'],
    ['fd00:ec2::254', 'private'],
    ['fe80::1', 'link-local'],
    ['ff02::1', 'multicast'],
    ['5f00::1', 'not global unicast'],
    ['fec0::1', 'not global unicast'],
    ['100::1', 'not global unicast'],
  ])('may not go to %s: %s', (address, why) => expect(at(address)).toBe(why));

  it('may not go to an address of this machine, however it is written', () => {
    expect(at('9.9.9.9', ['9.9.9.9'])).toBe("this machine's own");
    expect(at('2a00:1450::1', ['2a00:1450:0:0::1'])).toBe("this machine's own");
    expect(at('9.9.9.8', ['9.9.9.9', '2a00:1450::1'])).toBeNull();
  });

  it.each(['localhost', '', '1', '0x7f.1', '127.1', 'fe80::1%eth0', '2606:4700::1111%1'])(
    'takes nothing that is no plain address: %s',
    (address) => expect(at(address)).toBe('no plain address'),
  );

  it('opens what a value of the rules excepts, and nothing beside it', () => {
    const rules = { ...PUBLIC_ONLY, except: ['127.0.0.2/32'] };
    expect(whyForbidden('127.0.0.2', { rules, own: ['127.0.0.2'] })).toBeNull();
    expect(whyForbidden('127.0.0.1', { rules, own: [] })).toBe('loopback');
  });
});
