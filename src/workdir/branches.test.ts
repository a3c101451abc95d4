/** A repository with so many branches that only those that matter are followed. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BareRepository, git, makeFolder } from '../../test/support/git-remotes.ts';
import { type CheckoutSpec, openWorkdir } from '../workdir.ts';

const CONVERSATION = '11111111-2222-3333-4444-555555555555';
const MANY = 3000;
let folder: ReturnType<typeof makeFolder>;
let forge: BareRepository;

beforeEach(() => {
  folder = makeFolder();
  forge = new BareRepository(join(folder.path, 'forge.git'));
  const main = forge.head('refs/heads/main');
  const lines = Array.from({ length: MANY }, (_, n) => `create refs/heads/feature/number-${n} ${main}\n`);
  execFileSync('git', ['update-ref', '--stdin'], { cwd: forge.path, input: lines.join('') });
});
afterEach(() => {
  vi.useRealTimers();
  folder.remove();
});

function spec(change: Partial<CheckoutSpec> = {}): CheckoutSpec {
  return {
    conversation: CONVERSATION,
    repository: { id: '7', fullName: 'team/app' },
    remote: { url: forge.path, token: null },
    defaultBranch: 'main',
    at: { kind: 'branch', branch: 'dev/5', base: 'main' },
    identity: { name: 'Dev Agent', email: 'dev@example.test' },
    relay: null,
    configurationFromBase: false,
    sign: false,
    ...change,
  };
}

const remotes = (path: string) =>
  git(path, 'for-each-ref', '--format=%(refname:lstrip=3)', 'refs/remotes/origin').split('\n').sort();

test('the checkout follows its base and its own branch, says so, and can fetch every other one', async () => {
  const workdir = openWorkdir({ folder: join(folder.path, 'work') });
  const checkout = await workdir.prepare(spec());
  expect(checkout.notes).toEqual([expect.stringContaining('very many branches')]);
  expect(remotes(checkout.path).filter((name) => name !== 'HEAD')).toEqual(['main']);
  const other = 'feature/number-7';
  git(checkout.path, 'fetch', '--quiet', 'origin', `${other}:refs/remotes/origin/${other}`);
  expect(remotes(checkout.path)).toContain(other);

  // What is new on the forge is there at once where the work needs it.
  const base = forge.commit('refs/heads/main', 'by-a-person.txt', 'x\n');
  const again = await workdir.prepare(spec());
  expect(again.baseSha).toBe(base);
  expect(git(checkout.path, 'rev-parse', 'refs/remotes/origin/main')).toBe(base);

  writeFileSync(join(checkout.path, 'work.txt'), 'x\n');
  git(checkout.path, 'add', 'work.txt');
  git(checkout.path, 'commit', '--quiet', '-m', 'work');
  const sha = git(checkout.path, 'rev-parse', 'HEAD');
  const remote = { url: forge.path, token: null };
  expect(await workdir.push(again, { remote, branch: 'dev/5' })).toEqual({ kind: 'pushed', sha });
  // The branch goes away on the forge: the next look must not believe the old head.
  git(forge.path, 'update-ref', '-d', 'refs/heads/dev/5');
  expect(await workdir.refresh(again, { remote, branch: 'dev/5' })).toBeNull();
});

test('a pull request’s head is fetched by name, and other branches after ten minutes', async () => {
  const workdir = openWorkdir({ folder: join(folder.path, 'work') });
  await workdir.prepare(spec());
  const head = forge.commit('refs/pull/3/head', 'x.txt', 'x\n', 'refs/heads/main');
  const at = { kind: 'pull', number: 3, ref: 'refs/pull/3/head', sha: head } as const;
  const other = '21111111-2222-3333-4444-555555555555';
  expect((await workdir.prepare(spec({ conversation: other, at }))).headSha).toBe(head);

  const moved = forge.commit('refs/heads/feature/number-9', 'y.txt', 'y\n');
  const at9 = { remote: { url: forge.path, token: null }, branch: 'feature/number-9' };
  const checkout = await workdir.prepare(spec());
  expect(await workdir.knownHead(checkout, at9)).not.toBe(moved);
  vi.useFakeTimers({ now: Date.now() + 11 * 60_000, toFake: ['Date'] });
  await workdir.prepare(spec());
  expect(await workdir.knownHead(checkout, at9)).toBe(moved);
});
