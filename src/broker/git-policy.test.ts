import { describe, expect, test } from 'vitest';
import { POLICY } from '../../test/support/git-agent.ts';
import type { PushFacts } from '../workdir.ts';
import { refuseFacts as judge, refuseRefs } from './git-policy.ts';

/** As the agent reads it. */
function refuseFacts(...asked: Parameters<typeof judge>): string | null {
  const refusal = judge(...asked);
  return refusal === null ? null : `${refusal.what} ${refusal.todo}`;
}

const SHA = 'a'.repeat(40);
const FACTS: PushFacts = {
  branch: 'claude/5',
  sha: SHA,
  remoteSha: null,
  reachable: true,
  seen: null,
  fastForward: true,
  bytes: 10,
  commits: [{ sha: SHA, committer: POLICY.identity }],
  messages: [{ sha: SHA, encoding: '', text: 'Mend it\n\nCloses #5' }],
  changedFiles: ['src/a'],
  links: [],
  submoduleUrls: [],
};

describe('names', () => {
  test.each([
    ['refs/heads/claude/5', true],
    ['refs/heads/claude/5-more', true],
    ['refs/heads/claude/5/more', false],
    ['refs/heads/claude/50', false],
    ['refs/heads/Claude/5', false],
    ['refs/heads/main', false],
    ['refs/heads/refs/heads/main', false],
    ['refs/for/main', false],
    ['refs/heads/', false],
    ['refs/pull/5/head', false],
  ])('%s', (ref, allowed) => {
    expect(refuseRefs(POLICY, [{ ref, sha: SHA }]) === null).toBe(allowed);
  });

  test("a conversation on the default branch may not push to it, nor to its item's base", () => {
    const main = { ...POLICY, branch: 'main', prefix: 'claude' };
    expect(refuseRefs(main, [{ ref: 'refs/heads/main', sha: SHA }])).toMatch(/pull requests only/);
    const release = { ...POLICY, base: 'claude/5-release' };
    expect(refuseRefs(release, [{ ref: 'refs/heads/claude/5-release', sha: SHA }])).toMatch(/pull requests/);
  });
});

test.each<[string, Partial<PushFacts>, RegExp | null]>([
  ['nothing special', {}, null],
  ['too large', { bytes: POLICY.maxBytes + 1 }, /max_push_bytes/],
  [
    'another email',
    { commits: [{ sha: SHA, committer: { name: 'Dev Agent', email: 'x' } }] },
    /not by this agent/,
  ],
  [
    'another name',
    { commits: [{ sha: SHA, committer: { ...POLICY.identity, name: 'Boss' } }] },
    /not by this agent/,
  ],
  ['a relative submodule', { submoduleUrls: ['../other.git', 'https://x/y'] }, null],
  ['an option as a submodule', { submoduleUrls: ['--upload-pack=x'] }, /run a program/],
  ['a folder that only looks like it', { changedFiles: ['docs/.github/workflows/x.yml'] }, null],
  ['forced over what was seen', { fastForward: false, remoteSha: SHA, seen: SHA }, null],
  ['forced over what is new', { fastForward: false, remoteSha: SHA, seen: null }, /git fetch/],
  ['forced, nothing known', { fastForward: false, remoteSha: SHA, seen: undefined }, /git fetch/],
  [
    'a further branch, forced',
    { branch: 'claude/5-x', fastForward: false, remoteSha: SHA, seen: SHA },
    /forced/,
  ],
])('%s', (_, change, refusal) => {
  const said = refuseFacts(POLICY, { ...FACTS, ...change });
  if (refusal === null) expect(said).toBe(null);
  else expect(said).toMatch(refusal);
});
