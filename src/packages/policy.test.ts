import { expect, test } from 'vitest';
import { isWanted } from './digests.ts';
import { judgeAsked, LockedPackages, policyOfRun } from './policy.ts';

test('a marked session has at most what lock files name', () => {
  expect(policyOfRun('registry', null)).toBe('registry');
  expect(policyOfRun('registry', 'has read eve')).toBe('lockfile');
  expect(policyOfRun('lockfile', 'has read eve')).toBe('lockfile');
  expect(policyOfRun('off', 'has read eve')).toBe('off');
});

test.each([
  [['sha512-A', 'sha1-B'], ['sha512-A'], true],
  [['sha512-A', 'sha1-B'], ['sha512-X', 'sha512-A'], true],
  [['sha512-A', 'sha1-B'], ['sha1-B', 'sha512-X'], false],
  [['sha512-A', 'sha1-B'], ['sha1-B'], true],
  [['sha512-A'], ['go-h1:Q='], false],
  [['sha512-A', 'go-h1:Q='], ['go-h1:Q='], true],
  [['sha512-A'], [], false],
])('a file with %j is one of %j: %s', (found, wanted, is) => {
  expect(isWanted(found, wanted)).toBe(is);
});

test('a package that is locked without a hash is refused, with another remedy', () => {
  const locked = new LockedPackages(
    [{ ecosystem: 'npm', name: 'a', version: '1.0.0', digests: [] }],
    ['yarn.lock'],
  );
  const asked = { kind: 'artefact', name: 'a', version: '1.0.0', file: 'a-1.0.0.tgz' } as const;
  expect(() => judgeAsked({ ecosystem: 'npm', asked, policy: 'lockfile', locked })).toThrow(
    'names it without a hash',
  );
  expect(() => judgeAsked({ ecosystem: 'npm', asked, policy: 'off', locked })).toThrow('may not install');
});
