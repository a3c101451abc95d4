/** The state folder is moved, or copied and restored elsewhere: nothing below it may remember where it stood. */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BareRepository, git, makeFolder } from '../../test/support/git-remotes.ts';
import { type CheckoutSpec, openWorkdir } from '../workdir.ts';

const CONVERSATION = '11111111-2222-3333-4444-555555555555';
let folder: ReturnType<typeof makeFolder>;
let forge: BareRepository;

beforeEach(() => {
  folder = makeFolder();
  forge = new BareRepository(join(folder.path, 'forge.git'));
});
afterEach(() => folder.remove());

function spec(): CheckoutSpec {
  return {
    conversation: CONVERSATION,
    repository: { id: '7', fullName: 'team/app' },
    remote: { url: forge.path, token: null },
    defaultBranch: 'main',
    at: { kind: 'branch', branch: 'dev/5', base: 'main' },
    identity: { name: 'Dev Agent', email: 'dev@example.test' },
    // As in a container: what the agent sees does not depend on where the state folder is.
    relay: { root: '/relay', origin: '/mirror' },
    configurationFromBase: false,
    sign: false,
  };
}

function commit(path: string, file: string): string {
  writeFileSync(join(path, file), `${file}\n`);
  git(path, 'add', '--', file);
  git(path, 'commit', '--quiet', '-m', `agent writes ${file}`);
  return git(path, 'rev-parse', 'HEAD');
}

/** Files and links below that hold this text. */
function holding(root: string, text: string): string[] {
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
    .filter(({ entry, path }) =>
      entry.isSymbolicLink()
        ? readlinkSync(path).includes(text)
        : entry.isFile() && readFileSync(path).includes(text),
    )
    .map(({ path }) => path.slice(root.length + 1));
}

describe.each([
  ['moved', (from: string, to: string) => renameSync(from, to)],
  ['copied', (from: string, to: string) => cpSync(from, to, { recursive: true, verbatimSymlinks: true })],
])('a work folder that was %s', (_, relocate) => {
  test('goes on with the same commits, and pushes them', async () => {
    const first = join(folder.path, 'first', 'work');
    const second = join(folder.path, 'elsewhere', 'deep', 'work');
    mkdirSync(join(folder.path, 'first'));
    mkdirSync(join(folder.path, 'elsewhere', 'deep'), { recursive: true });
    const before = await openWorkdir({ folder: first }).prepare(spec());
    const own = commit(before.path, 'work.txt');
    relocate(first, second);

    const workdir = openWorkdir({ folder: second });
    const after = await workdir.prepare(spec());
    expect(after).toMatchObject({ created: false, headSha: own, notes: [], branch: 'dev/5' });
    expect(after.path.startsWith(`${second}/`)).toBe(true);
    const pushed = await workdir.push(after, { remote: { url: forge.path, token: null }, branch: 'dev/5' });
    expect(pushed).toEqual({ kind: 'pushed', sha: own });
    await workdir.remove(CONVERSATION);
    expect(readdirSync(join(second, 'checkouts'))).toEqual([]);
  });

  test('holds its own path nowhere', async () => {
    const work = join(folder.path, 'work');
    const checkout = await openWorkdir({ folder: work }).prepare(spec());
    commit(checkout.path, 'work.txt');
    expect(holding(work, work)).toEqual([]);
  });
});

test('a record with absolute paths, as it was written once, is understood', async () => {
  const work = join(folder.path, 'work');
  const before = await openWorkdir({ folder: work }).prepare(spec());
  const own = commit(before.path, 'work.txt');
  const file = join(work, 'control', CONVERSATION, 'record.json');
  const record = JSON.parse(readFileSync(file, 'utf8')) as { folder: string; mirror: string };
  const old = { path: `/gone/checkouts/${CONVERSATION}/${record.folder}`, mirror: `/gone/${record.mirror}` };
  writeFileSync(file, JSON.stringify({ ...old, detachedAt: null }));
  const after = await openWorkdir({ folder: work }).prepare(spec());
  expect(after).toMatchObject({ created: false, headSha: own, path: before.path });
});
