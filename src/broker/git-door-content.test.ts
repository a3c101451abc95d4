/** What is in a push: files that run code elsewhere, and commits that would close issues. Real git on both sides. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentGit, agentSpec, openDoor, POLICY, run } from '../../test/support/git-agent.ts';
import {
  BareRepository,
  type GitHttpServer,
  git,
  makeFolder,
  serveGit,
} from '../../test/support/git-remotes.ts';
import { type Checkout, openWorkdir, type Remote, type Workdir } from '../workdir.ts';
import { checkOf } from './git-policy.ts';

const TOKEN = 'tok3n-of-the-agent-4711';
let folder: ReturnType<typeof makeFolder>;
let forge: BareRepository;
let server: GitHttpServer;
let workdir: Workdir;
let remote: Remote;
let checkout: Checkout;
let open: Awaited<ReturnType<typeof openDoor>>[];

beforeEach(async () => {
  folder = makeFolder();
  forge = new BareRepository(join(folder.path, 'forge', 'app.git'));
  server = await serveGit(join(folder.path, 'forge'), TOKEN);
  workdir = openWorkdir({ folder: join(folder.path, 'work') });
  remote = { url: `${server.url}/app.git`, token: TOKEN };
  checkout = await workdir.prepare(agentSpec('', { remote }));
  open = [];
});
afterEach(async () => {
  for (const door of open) await door.close();
  await server.close();
  folder.remove();
});

async function door(change: Parameters<typeof openDoor>[1] = {}) {
  const opened = await openDoor({ workdir, checkout, remote: () => remote }, change);
  open.push(opened);
  return opened;
}

const agent = async (...args: string[]) => await agentGit(checkout.path, ...args);

async function commit(file: string, content = 'x'): Promise<void> {
  const path = join(checkout.path, file);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  git(checkout.path, 'add', '-A');
  const done = await agent('commit', '--quiet', '-m', `write ${file}`);
  expect(done.stderr).toBe('');
}

/** At the door, and after the run. */
async function expectRefused(words: string): Promise<void> {
  const pushed = await agent('push');
  expect(pushed.code).toBe(1);
  expect(pushed.stderr).toContain(words);
  const check = checkOf(POLICY);
  expect(await workdir.push(checkout, { remote, branch: 'claude/5', check })).toMatchObject({
    kind: 'rejected',
    reason: expect.stringContaining(words),
  });
  expect(forge.head('refs/heads/claude/5')).toBe(null);
}

describe('a push', () => {
  test('of a protected file is refused however it comes to its place', async () => {
    await door();
    await commit('harmless.yml', 'on: push');
    mkdirSync(join(checkout.path, '.github/workflows'), { recursive: true });
    await agent('mv', 'harmless.yml', '.github/workflows/ci.yml');
    await agent('commit', '-q', '-m', 'renamed');
    await expectRefused('is a workflow file');

    await agent('reset', '-q', '--hard', 'origin/main');
    symlinkSync('elsewhere', join(checkout.path, '.forgejo'));
    await agent('add', '.');
    await agent('commit', '-q', '-m', 'a link in the place of the folder');
    await expectRefused('".forgejo" is a workflow file');

    await agent('reset', '-q', '--hard', 'origin/main');
    const head = git(checkout.path, 'rev-parse', 'HEAD');
    await agent('update-index', '--add', '--cacheinfo', `160000,${head},.github/workflows`);
    await agent('commit', '-q', '-m', 'a submodule in the place of the folder');
    await expectRefused('is a workflow file');
  });

  test('of what a protected link in the base leads to is refused', async () => {
    forge.commit('refs/heads/main', '.pre-commit-config.yaml', 'tools/./hooks.yaml', 'refs/heads/main', {
      mode: '120000',
    });
    checkout = await workdir.prepare(agentSpec('', { remote }));
    await door();
    await commit('tools/hooks.yaml', 'repos: []');
    await expectRefused('"tools/hooks.yaml" is what ".pre-commit-config.yaml" links to, and that is a hook');
  });

  test('of commits that would close another issue is refused, and the remedy works', async () => {
    await door();
    await commit('one');
    await agent('commit', '-q', '--amend', '-m', 'Mend it\n\nThis also\ncloses #2.');
    await commit('two');
    await expectRefused('says "closes #2.", by which the forge would close or reopen another issue');
    const env = { GIT_SEQUENCE_EDITOR: "sed -i '1s/pick/reword/'", GIT_EDITOR: "sed -i 's/closes/see/'" };
    await run(['git', 'rebase', '-q', '-i', 'origin/main'], { cwd: checkout.path, env });
    expect(await agent('push')).toMatchObject({ code: 0 });
  });

  test("of a stranger's commit that the forge has in a pull request only is refused for its words, too", async () => {
    const theirs = forge.commit('refs/pull/7/head', 'theirs', 'x', 'refs/heads/main', {
      message: 'Fixes #2',
    });
    const spec = agentSpec('', {
      remote,
      at: { kind: 'pull', number: 7, ref: 'refs/pull/7/head', sha: theirs, base: 'main' },
    });
    await workdir.prepare({ ...spec, conversation: checkout.conversation.replace('1', '3') });
    checkout = await workdir.prepare(agentSpec('', { remote }));
    await door();
    // By its id: heads of pull requests are shown to the conversations that are about them.
    expect(await agent('fetch', '-q', 'origin', theirs)).toMatchObject({ code: 0 });
    expect(await agent('merge', '-q', '--no-ff', '-m', 'Take it over', 'FETCH_HEAD')).toMatchObject({
      code: 0,
    });
    await expectRefused('Fixes #2');
  });

  test('of a message that is read differently elsewhere, or is endless, is refused', async () => {
    await door();
    await commit('one');
    await agent('-c', 'i18n.commitEncoding=IBM037', 'commit', '-q', '--allow-empty', '-m', 'Mend it');
    await expectRefused('is in the encoding');
    await agent('reset', '-q', '--hard', 'HEAD~1');
    await agent('commit', '-q', '--amend', '-m', `Mend it ${'x'.repeat(70_000)}`);
    await expectRefused('is too long');
  });
});
