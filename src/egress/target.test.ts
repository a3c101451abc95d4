import { describe, expect, it } from 'vitest';
import { type AllowedHost, readAllowedHost } from '../config/allowed-hosts.ts';
import { isAllowed, readTarget, showTarget } from './target.ts';

function list(...texts: string[]): AllowedHost[] {
  return texts.map((text) => {
    const read = readAllowedHost(text);
    if (read.kind === 'not') throw new Error(read.problem);
    return read.host;
  });
}

describe('what a CONNECT asks for', () => {
  it.each([
    ['files.example.org:443', { host: 'files.example.org', port: 443 }],
    ['FILES.Example.org.:443', { host: 'files.example.org', port: 443 }],
    ['[2606:4700::1111]:853', { host: '2606:4700::1111', port: 853 }],
    ['9.9.9.9:443', { host: '9.9.9.9', port: 443 }],
  ])('is read from %s', (text, target) => expect(readTarget(text)).toEqual(target));

  it.each(['', 'files.example.org', 'files.example.org:0', 'files.example.org:65536', ':443', '.:443'])(
    'is nothing in %s',
    (text) => expect(readTarget(text)).toBeNull(),
  );

  it.each([
    'a b:443',
    'a@b:443',
    'a/b:443',
    'a:443:443',
    'http://a:443',
    'a:443 HTTP',
    '[a]:443',
    'ä.example:443',
  ])('is nothing in %s, which is written otherwise', (text) => expect(readTarget(text)).toBeNull());

  it('is shown as it is written', () => {
    expect(showTarget({ host: '2606:4700::1111', port: 443 })).toBe('[2606:4700::1111]:443');
    expect(showTarget({ host: 'a.example', port: 443 })).toBe('a.example:443');
  });
});

describe('the list of allowed hosts', () => {
  const allowed = list(
    'files.example.org:443',
    '*.cdn.example.org:443',
    '9.9.9.9:443',
    '[2606:4700::1111]:443',
  );

  it.each([
    'files.example.org:443',
    'a.cdn.example.org:443',
    'a.b.cdn.example.org:443',
    '9.9.9.9:443',
    '[2606:4700::1111]:443',
  ])('allows %s', (text) => expect(isAllowed(readTarget(text)!, allowed)).toBe(true));

  it.each([
    'files.example.org:8443',
    'files.example.org:80',
    'x.files.example.org:443',
    'example.org:443',
    'cdn.example.org:443',
    'evilcdn.example.org:443',
    'files.example.org.evil.test:443',
    '9.9.9.10:443',
    '2606:4700::1112:443',
  ])('does not allow %s', (text) => {
    const target = readTarget(text);
    expect(target !== null && isAllowed(target, allowed)).toBe(false);
  });

  it.each([
    ['files.example.org', 'has no port'],
    ['files.example.org:0', 'has no port'],
    ['files.example.org:https', 'has no port'],
    ['https://files.example.org:443', 'is no name of a host'],
    ['files.example.org/x:443', 'is no name of a host'],
    ['*:443', 'is no name of a host'],
    ['*.org:443', 'covers too much'],
    ['a.*.example.org:443', 'is no name of a host'],
    ['2606:4700::1111:443', 'is an address that needs brackets'],
    ['127.1:443', 'ends in a number and is no address'],
    ['0x7f.0x1:443', 'ends in a number and is no address'],
    ['a..example.org:443', 'is no name of a host'],
  ])('takes no entry %s', (text, problem) => expect(readAllowedHost(text)).toEqual({ kind: 'not', problem }));
});
