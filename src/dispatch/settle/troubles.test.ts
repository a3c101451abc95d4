import { expect, test } from 'vitest';
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../../errors.ts';
import { failureKind, GitCommandFailed } from '../../workdir/failure.ts';
import { troubleOf } from './troubles.ts';

function git(stderr: string): GitCommandFailed {
  return new GitCommandFailed('git fetch', failureKind(stderr, true), { exitCode: 128, stderr });
}

test.each([
  ['the forge is away', new ForgeUnavailable('could not be reached: connect ECONNREFUSED'), 'passes'],
  ['it answers 502', new ForgeUnavailable('answered 502', 502), 'passes'],
  ['git cannot reach it', git('fatal: unable to access: Failed to connect to forge port 443'), 'passes'],
  ['git meets a 503', git('error: The requested URL returned error: 503'), 'passes'],
  ['the disk is full', git('fatal: write error: No space left on device'), 'passes'],
  ['the disk is full for us', Object.assign(new Error('full'), { code: 'ENOSPC' }), 'passes'],
  ['the issue was deleted', new ForgeMissing('no issue 5'), 'stays'],
  ['the forge says no', new ForgeRefused('not offered', 422), 'stays'],
  ['a wrong certificate', new ForgeUnavailable('could not be reached: self-signed certificate'), 'stays'],
  [
    'a wrong certificate for git',
    git("fatal: unable to access 'x': SSL certificate problem: self-signed certificate"),
    'stays',
  ],
  ['a refused clone', git("fatal: Authentication failed for 'https://forge/x.git'"), 'stays'],
  ['no such repository', git("fatal: repository 'https://forge/x.git/' not found"), 'stays'],
  ['an empty repository', git("fatal: couldn't find remote ref refs/heads/main"), 'stays'],
  ['a bug of ours', new TypeError('x is undefined'), 'unknown'],
  ['a broken mirror', git('fatal: bad object HEAD'), 'unknown'],
] as const)('%s', (_what, error, trouble) => {
  expect(troubleOf(error)).toBe(trouble);
});
