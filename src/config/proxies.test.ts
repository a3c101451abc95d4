import { expect, test } from 'vitest';
import { proxyFor } from './proxies.ts';

const PROXIES = { http: 'http://plain.test:1', https: 'http://tls.test:2' };
const through = (address: string, ...noProxy: string[]) =>
  proxyFor({ proxies: PROXIES, noProxy, authorities: [] }, address);

test('the scheme of what is asked for decides', () => {
  expect(through('http://forge.test/x')).toBe('http://plain.test:1');
  expect(through('https://forge.test/x')).toBe('http://tls.test:2');
  expect(
    proxyFor({ proxies: { http: null, https: null }, noProxy: [], authorities: [] }, 'https://a.test'),
  ).toBe(null);
});

test('this machine is never reached through a proxy, whatever is configured', () => {
  for (const host of [
    'localhost',
    'LOCALHOST',
    'x.localhost',
    '127.0.0.1',
    '127.8.9.10',
    '[::1]',
    '[::ffff:127.0.0.1]',
  ])
    expect(through(`http://${host}:3000/`), host).toBe(null);
  expect(through('http://localhost.example.org/')).not.toBe(null);
  expect(through('http://128.0.0.1/')).not.toBe(null);
});

test.each([
  ['forge.test', 'https://forge.test/', true],
  ['forge.test', 'https://git.forge.test/', true],
  ['.forge.test', 'https://forge.test/', true],
  ['*.forge.test', 'https://git.forge.test/', true],
  ['FORGE.test', 'https://Forge.Test./', true],
  ['forge.test', 'https://notforge.test/', false],
  ['forge.test:8443', 'https://forge.test:8443/', true],
  ['forge.test:443', 'https://forge.test/', true],
  ['forge.test:8443', 'https://forge.test/', false],
  ['10.0.0.0/8', 'https://10.20.30.40/', true],
  ['10.0.0.0/8', 'https://11.0.0.1/', false],
  ['fd00::/8', 'http://[fd12::1]/', true],
  ['10.1.2.3', 'http://10.1.2.3:3000/', true],
  ['2.3', 'http://10.1.2.3/', false],
  ['10.0.0.0/99', 'https://10.20.30.40/', false],
  ['*', 'https://anything.test/', true],
])('no_proxy %s: %s is reached directly: %s', (entry, address, direct) => {
  expect(through(address, 'other.test', entry) === null).toBe(direct);
});
