import { expect, test } from 'vitest';
import { POLICY } from '../../test/support/git-agent.ts';
import type { PushFacts } from '../workdir.ts';
import { refuseFacts as judge } from './git-policy.ts';

/** As the agent reads it. */
function refuseFacts(...asked: Parameters<typeof judge>): string | null {
  const refusal = judge(...asked);
  return refusal === null ? null : `${refusal.what} ${refusal.todo}`;
}

const SHA = 'b'.repeat(40);
const facts = (changedFiles: string[]): PushFacts => ({
  branch: 'claude/5',
  sha: SHA,
  remoteSha: null,
  reachable: true,
  seen: null,
  fastForward: true,
  bytes: 10,
  commits: [{ sha: SHA, committer: POLICY.identity }],
  changedFiles,
  submoduleUrls: [],
  messages: [],
  links: [],
});
const marked = { ...POLICY, marked: () => 'it has read text by eve' };

test.each(['CLAUDE.md', 'a/b/claude.local.md', 'AGENTS.md', '.claude/rules/x.md', 'sub/.claude/agents/y.md'])(
  'a marked session does not push %s; another may',
  (file) => {
    expect(refuseFacts(marked, facts(['src/a', file]))).toMatch(
      /instructs agents.*text by eve.*git checkout origin\/main/,
    );
    const unmarked = refuseFacts(POLICY, facts(['src/a', file]));
    expect(unmarked ?? '').not.toContain('text by');
  },
);

test('a marked session pushes its work', () => {
  expect(refuseFacts(marked, facts(['src/a', 'docs/claude-notes.md', 'src/claude.ts']))).toBeNull();
});

test('a marked session does not push what instructions link to', () => {
  const links = [{ path: '.claude/agents', target: '../agents' }];
  expect(refuseFacts(marked, { ...facts(['agents/x.md']), links })).toMatch(
    /"agents\/x.md" instructs agents/,
  );
  expect(refuseFacts(POLICY, { ...facts(['agents/x.md']), links })).toBeNull();
});

test('it is asked at each push: the session may have been marked since the last one', () => {
  let restriction: string | null = null;
  const policy = { ...POLICY, marked: () => restriction };
  expect(refuseFacts(policy, facts(['CLAUDE.md']))).toBeNull();
  restriction = 'it has read text by eve';
  expect(refuseFacts(policy, facts(['CLAUDE.md']))).not.toBeNull();
});
