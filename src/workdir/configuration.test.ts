/** Configuration from the base: what a pull request says to agents stays a text to look at. */
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentGit, agentSpec, run } from '../../test/support/git-agent.ts';
import { BareRepository, git, makeFolder } from '../../test/support/git-remotes.ts';
import { type Checkout, openWorkdir, type Workdir } from '../workdir.ts';

let folder: ReturnType<typeof makeFolder>;
let forge: BareRepository;
let workdir: Workdir;
let author: string;

beforeEach(async () => {
  folder = makeFolder();
  forge = new BareRepository(join(folder.path, 'forge.git'));
  workdir = openWorkdir({ folder: join(folder.path, 'work') });
  author = join(folder.path, 'author');
  git('/', 'clone', '-q', forge.path, author);
});
afterEach(() => folder.remove());

type Tree = Record<string, string | { link: string } | null>;

/** A commit by a person that makes the tree so; null deletes. Answers its id. */
function write(tree: Tree, ref: string): string {
  for (const [path, content] of Object.entries(tree)) {
    git(author, 'rm', '-rqf', '--ignore-unmatch', '--', path);
    const file = join(author, path);
    if (content === null) continue;
    mkdirSync(join(file, '..'), { recursive: true });
    if (typeof content === 'string') writeFileSync(file, content);
    else symlinkSync(content.link, file);
  }
  git(author, 'add', '-A');
  git(author, 'commit', '-qm', 'change');
  git(author, 'push', '-q', 'origin', `HEAD:${ref}`);
  return git(author, 'rev-parse', 'HEAD');
}

async function prepare(sha: string): Promise<Checkout> {
  const at = { kind: 'pull' as const, number: 3, ref: 'refs/pull/3/head', sha, base: 'main' };
  return await workdir.prepare(agentSpec(forge.path, { at, configurationFromBase: true }));
}

const BASE: Tree = {
  'CLAUDE.md': 'base says\n@docs/rules.md\n',
  'docs/rules.md': 'rules of the base\n',
  '.claude/settings.json': '{"base":true}',
  '.claude/skills/x/SKILL.md': 'skill of the base',
  '.mcp.json': '{}',
  'sub/CLAUDE.md': 'sub of the base',
};

async function expectClean(checkout: Checkout): Promise<void> {
  expect((await agentGit(checkout.path, 'status', '--porcelain')).stdout).toBe('');
  expect((await workdir.inspect(checkout)).dirtyFiles).toEqual([]);
}

test('what the pull request changes, adds and deletes does not stand in the checkout', async () => {
  write(BASE, 'refs/heads/main');
  const sha = write(
    {
      'CLAUDE.md': 'evil',
      'docs/rules.md': 'evil rules',
      '.claude/settings.json': '{"hooks":"evil"}',
      '.claude/agents/new.md': 'evil',
      '.claude/skills/x/SKILL.md': null,
      '.mcp.json': '{"mcpServers":{"evil":{}}}',
      'sub/CLAUDE.md': null,
      'sub/code': 'x',
      'deep/er/CLAUDE.local.md': 'evil',
      'AGENTS.md': 'evil',
      feature: 'the change',
    },
    'refs/pull/3/head',
  );
  const checkout = await prepare(sha);
  const read = (path: string) => readFileSync(join(checkout.path, path), 'utf8');
  for (const [path, content] of Object.entries(BASE)) expect(read(path), path).toBe(content);
  for (const path of ['.claude/agents/new.md', 'deep/er/CLAUDE.local.md', 'AGENTS.md']) {
    expect(existsSync(join(checkout.path, path)), path).toBe(false);
  }
  expect(read('feature')).toBe('the change');
  expect(checkout.headSha).toBe(sha);
  expect(git(checkout.path, 'show', 'HEAD:CLAUDE.md')).toBe('evil');
  expect(checkout.notes.join()).toMatch(/stand as the base branch has them: .*"CLAUDE.md".*git show HEAD/);
  await expectClean(checkout);

  // No commit carries it, not even with -a.
  writeFileSync(join(checkout.path, 'feature'), 'more');
  expect((await agentGit(checkout.path, 'commit', '-qam', 'more')).code).toBe(0);
  expect(git(checkout.path, 'diff', '--name-only', sha, 'HEAD')).toBe('feature');
});

test('the next dispatch follows the pull request and the base, and one without gives all back', async () => {
  write(BASE, 'refs/heads/main');
  const first = write({ 'CLAUDE.md': 'evil 1', feature: '1' }, 'refs/pull/3/head');
  await prepare(first);
  const second = write(
    { 'CLAUDE.md': 'evil 2', '.claude/settings.json': 'evil 2', feature: '2' },
    'refs/pull/3/head',
  );
  forge.commit('refs/heads/main', 'CLAUDE.md', 'base says more');
  const next = await prepare(second);
  expect(next).toMatchObject({ headSha: second, created: false });
  expect(readFileSync(join(next.path, 'CLAUDE.md'), 'utf8')).toBe('base says more');
  expect(readFileSync(join(next.path, '.claude/settings.json'), 'utf8')).toBe('{"base":true}');
  expect(readFileSync(join(next.path, 'feature'), 'utf8')).toBe('2');
  await expectClean(next);

  const at = { kind: 'pull' as const, number: 3, ref: 'refs/pull/3/head', sha: second, base: 'main' };
  const plain = await workdir.prepare(agentSpec(forge.path, { at }));
  expect(readFileSync(join(plain.path, 'CLAUDE.md'), 'utf8')).toBe('evil 2');
  await expectClean(plain);
  expect(
    git(plain.path, 'ls-files', '-v')
      .split('\n')
      .filter((l) => l.startsWith('S')),
  ).toEqual([]);
});

test.each<[string, Tree]>([
  ['a link to a folder', { '.claude': { link: 'evil' }, 'evil/settings.json': 'evil' }],
  ['a link out of the checkout', { '.claude': { link: '../../..' } }],
  ['a file', { '.claude': 'evil' }],
  ['a link that is CLAUDE.md', { 'CLAUDE.md': { link: 'evil.md' }, 'evil.md': 'evil' }],
  ['a link in place of a folder above', { sub: { link: 'evil' }, 'evil/CLAUDE.md': 'evil' }],
  ['a folder named CLAUDE.md', { 'CLAUDE.md/x': 'evil' }],
])('%s', async (_, tree) => {
  write(BASE, 'refs/heads/main');
  if ('CLAUDE.md/x' in tree) git(author, 'rm', '-q', 'CLAUDE.md');
  if ('sub' in tree) git(author, 'rm', '-rq', 'sub');
  const sha = write(tree, 'refs/pull/3/head');
  const checkout = await prepare(sha);
  expect(readFileSync(join(checkout.path, '.claude/settings.json'), 'utf8')).toBe('{"base":true}');
  expect(readFileSync(join(checkout.path, 'CLAUDE.md'), 'utf8')).toBe(BASE['CLAUDE.md']);
  expect(lstatSync(join(checkout.path, '.claude')).isDirectory()).toBe(true);
  expect(existsSync(join(checkout.path, 'evil/CLAUDE.md'))).toBe(false);
  await expectClean(checkout);
  const again = await prepare(sha);
  expect(again.created).toBe(false);
  await expectClean(again);
});

test('links of the base are followed within the base, and nowhere else', async () => {
  write(
    {
      'CLAUDE.md': { link: 'docs/agents.txt' },
      'docs/agents.txt': 'agents of the base',
      '.claude': { link: 'config' },
      'config/settings.json': '{"base":true}',
      'sub/CLAUDE.md': { link: '../../../../etc/passwd' },
      'other/CLAUDE.md': { link: '/etc/passwd' },
    },
    'refs/heads/main',
  );
  const sha = write({ 'docs/agents.txt': 'evil', 'config/settings.json': 'evil' }, 'refs/pull/3/head');
  const checkout = await prepare(sha);
  const read = (path: string) => readFileSync(join(checkout.path, path), 'utf8');
  expect(read('CLAUDE.md')).toBe('agents of the base');
  expect(read('.claude/settings.json')).toBe('{"base":true}');
  expect(existsSync(join(checkout.path, 'sub/CLAUDE.md'))).toBe(false);
  expect(existsSync(join(checkout.path, 'other/CLAUDE.md'))).toBe(false);
  expect(read('docs/agents.txt')).toBe('evil');
  await expectClean(checkout);
});

test('what an earlier run left untracked is set aside, not deleted and not obeyed', async () => {
  write(BASE, 'refs/heads/main');
  const sha = write({ feature: 'x', '.gitignore': '*.local.*\n' }, 'refs/pull/3/head');
  const { path } = await prepare(sha);
  mkdirSync(join(path, 'new/.claude'), { recursive: true });
  writeFileSync(join(path, 'new/.claude/settings.json'), 'evil');
  writeFileSync(join(path, '.claude/settings.local.json'), 'evil');
  writeFileSync(join(path, 'CLAUDE.local.md'), 'notes of mine');
  symlinkSync('/etc', join(path, 'feature.d'));
  const again = await prepare(sha);
  for (const name of ['new/.claude', '.claude/settings.local.json', 'CLAUDE.local.md']) {
    expect(existsSync(join(path, name)), name).toBe(false);
  }
  expect(again.created).toBe(false);
  const aside = join(path, '../.configuration');
  expect(readFileSync(join(aside, 'CLAUDE.local.md'), 'utf8')).toBe('notes of mine');
  expect(readFileSync(join(path, '.claude/settings.json'), 'utf8')).toBe('{"base":true}');
  expect((await run(['git', 'status', '--porcelain'], { cwd: path })).stdout).toBe('');
});
