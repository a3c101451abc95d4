/** Heads of pull requests are anybody's commits: what another conversation looks at is not to be fetched by accident. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { agentGit, agentSpec } from '../../test/support/git-agent.ts';
import { BareRepository, makeFolder } from '../../test/support/git-remotes.ts';
import { openWorkdir } from '../workdir.ts';

test('a conversation has the head of its own pull request, and no other conversation sees it', async () => {
  const folder = makeFolder();
  onTestFinished(() => folder.remove());
  const forge = new BareRepository(join(folder.path, 'forge.git'));
  const workdir = openWorkdir({ folder: join(folder.path, 'work') });
  const sha = forge.commit('refs/pull/3/head', 'strange', 'x', 'refs/heads/main');
  const pull = { kind: 'pull' as const, number: 3, ref: 'refs/pull/3/head', sha, base: 'main' };
  const theirs = await workdir.prepare(
    agentSpec(forge.path, { conversation: '22222222-2222-3333-4444-555555555555', at: pull }),
  );
  expect((await agentGit(theirs.path, 'rev-parse', 'refs/pull/3/head')).stdout.trim()).toBe(sha);
  const ours = await workdir.prepare(agentSpec(forge.path));
  const listed = await agentGit(ours.path, 'ls-remote', ours.relay.origin);
  expect(listed.stdout).toContain('refs/heads/main');
  expect(listed.stdout).not.toContain(sha);
  for (const ref of ['refs/pull/3/head', 'refs/claude-hooks/pull/3/head']) {
    expect((await agentGit(ours.path, 'fetch', ours.relay.origin, ref)).code).not.toBe(0);
  }
  expect((await agentGit(ours.path, 'log', '--all', '--format=%H')).stdout).not.toContain(sha);
  // The next look at it finds it where it is kept.
  const again = await workdir.prepare(
    agentSpec(forge.path, { conversation: '22222222-2222-3333-4444-555555555555', at: pull }),
  );
  expect(again.headSha).toBe(sha);
});

test('what a branch of the forge has is known by its content', async () => {
  const folder = makeFolder();
  onTestFinished(() => folder.remove());
  const forge = new BareRepository(join(folder.path, 'forge.git'));
  const workdir = openWorkdir({ folder: join(folder.path, 'work') });
  forge.commit('refs/heads/main', 'CLAUDE.md', 'ours', 'refs/heads/main');
  const { conversation, path } = await workdir.prepare(agentSpec(forge.path));
  const blob = (await agentGit(path, 'rev-parse', 'origin/main:CLAUDE.md')).stdout.trim();
  const other = 'a'.repeat(40);
  const ask = async (files: { path: string; blob: string }[]) => [
    ...(await workdir.onForge(conversation, files)),
  ];
  expect(await ask([{ path: 'CLAUDE.md', blob }])).toEqual(['CLAUDE.md']);
  expect(await ask([{ path: 'CLAUDE.md', blob: other }])).toEqual([]);
  expect(await ask([{ path: '*', blob }])).toEqual([]);
});
