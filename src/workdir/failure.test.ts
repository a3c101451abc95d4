/** Git's own words, as version 2.39 prints them; those that a test can provoke are provoked in the other files. */
import { expect, test } from 'vitest';
import { failureKind, GitCommandFailed } from './failure.ts';

test.each([
  ["fatal: unable to access 'https://f/x/': Could not resolve host: f", 'unreachable'],
  ['error: RPC failed; curl 56 Recv failure: Connection reset by peer\nfatal: early EOF', 'unreachable'],
  ["fatal: unable to access 'https://f/x/': The requested URL returned error: 502", 'unreachable'],
  ["remote: Unauthorized\nfatal: Authentication failed for 'https://f/x/'", 'denied'],
  ["remote: Not found.\nfatal: repository 'https://f/x/' not found", 'missing'],
  [
    "fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote repository.",
    'missing',
  ],
  ["fatal: couldn't find remote ref refs/pull/9/head", 'refused'],
  ['fatal: remote error: upload-pack: not our ref 0123', 'refused'],
  ['fatal: write error: No space left on device\nfatal: index-pack failed', 'machine'],
  ['remote: No space left on device\nfatal: early EOF', 'unreachable'],
  ['fatal: loose object 0123 (stored in objects/01/23) is corrupt', 'damaged'],
  ["fatal: not a git repository: '/state/mirrors/x.git'", 'damaged'],
] as const)('%s', (stderr, kind) => {
  expect(failureKind(stderr, true)).toBe(kind);
});

test('between two folders of ours no network is to blame', () => {
  expect(failureKind('fatal: early EOF\nfatal: the remote end hung up unexpectedly', false)).toBe('damaged');
  expect(failureKind("fatal: '/x' does not appear to be a git repository", false)).toBe('damaged');
  expect(failureKind('fatal: write error: No space left on device', false)).toBe('machine');
});

test('only an unreachable remote is transient, and every message ends with a remedy', () => {
  const detail = { exitCode: 128, stderr: 'fatal: x' };
  const down = new GitCommandFailed('git fetch', 'unreachable', detail);
  expect(down.transient).toBe(true);
  expect(down.message).toBe(
    'git fetch: fatal: x. Check that the forge is up and reachable from this machine; the dispatch can be repeated.',
  );
  expect(new GitCommandFailed('git fetch', 'machine', detail).transient).toBe(false);
});
