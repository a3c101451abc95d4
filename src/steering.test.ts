import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { closeCliFolder } from './steering/cli-folder.ts';
import { importsOf, type Root, steers } from './steering/paths.ts';
import { forgetNews, keepSteering, putSteeringBack, readNews } from './steering.ts';

function setUp() {
  const base = mkdtempSync(join(tmpdir(), 'claude-hooks-steering-'));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const roots = { checkout: join(base, 'checkout'), cli: join(base, 'cli'), home: join(base, 'home') };
  for (const folder of Object.values(roots)) mkdirSync(folder);
  const places = Object.entries(roots).map(([root, folder]) => ({ root: root as Root, folder }));
  const steering = { folder: join(base, 'kept') };
  const at = (path: string) => join(base, path);
  return {
    at,
    steering,
    write(path: string, text: string) {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), text);
    },
    read: (path: string) => readFileSync(at(path), 'utf8'),
    keep: () => keepSteering(steering, places),
    back: async (onForge: string[] = []) =>
      (await putSteeringBack(steering, async () => new Set(onForge))).map(
        ({ root, path }) => `${root}/${path}`,
      ),
  };
}

test('what a marked run changed, made and deleted goes back; what it made is kept beside', async () => {
  const s = setUp();
  s.write('checkout/CLAUDE.md', 'ours');
  s.write('checkout/sub/CLAUDE.md', 'ours, below');
  s.write('checkout/src/a.js', 'code');
  s.write('cli/projects/conversation/memory/MEMORY.md', 'remembered before');
  await s.keep();
  s.write('checkout/CLAUDE.md', 'theirs');
  rmSync(s.at('checkout/sub'), { recursive: true });
  s.write('checkout/deep/er/.claude/settings.json', 'theirs');
  s.write('checkout/node_modules/x/CLAUDE.md', 'theirs');
  s.write('checkout/.git/hooks/pre-commit', 'theirs');
  s.write('checkout/src/a.js', 'changed code');
  s.write('cli/projects/conversation/memory/MEMORY.md', 'theirs');
  s.write('cli/projects/conversation/x.jsonl', 'history');
  s.write('home/.bashrc', 'theirs');
  expect((await s.back()).toSorted()).toEqual([
    'checkout/.git/hooks/pre-commit',
    'checkout/CLAUDE.md',
    'checkout/deep/er/.claude/settings.json',
    'checkout/node_modules/x/CLAUDE.md',
    'checkout/sub/CLAUDE.md',
    'cli/projects/conversation/memory/MEMORY.md',
    'home/.bashrc',
  ]);
  expect(s.read('checkout/CLAUDE.md')).toBe('ours');
  expect(s.read('checkout/sub/CLAUDE.md')).toBe('ours, below');
  expect(s.read('cli/projects/conversation/memory/MEMORY.md')).toBe('remembered before');
  expect(existsSync(s.at('checkout/deep/er/.claude/settings.json'))).toBe(false);
  expect(s.read('checkout/src/a.js')).toBe('changed code');
  expect(s.read('cli/projects/conversation/x.jsonl')).toBe('history');
  expect(s.read('kept/aside/checkout/CLAUDE.md')).toBe('theirs');
  expect(await s.back()).toEqual([]);
  expect((await readNews(s.steering.folder)).length).toBe(7);
  await forgetNews(s.steering.folder);
  expect(await readNews(s.steering.folder)).toEqual([]);
});

test('what a run wrote before it was marked stays, and a second mark does not move that moment', async () => {
  const s = setUp();
  s.write('checkout/CLAUDE.md', 'by an unmarked run');
  await s.keep();
  s.write('checkout/CLAUDE.md', 'theirs');
  await s.keep();
  expect(await s.back()).toEqual(['checkout/CLAUDE.md']);
  expect(s.read('checkout/CLAUDE.md')).toBe('by an unmarked run');
});

test('nothing was kept: nothing is touched', async () => {
  const s = setUp();
  s.write('checkout/CLAUDE.md', 'by an unmarked run');
  expect(await s.back()).toEqual([]);
  expect(s.read('checkout/CLAUDE.md')).toBe('by an unmarked run');
});

test('what a branch of the forge has so came from there, as with a merge', async () => {
  const s = setUp();
  s.write('checkout/CLAUDE.md', 'old');
  await s.keep();
  s.write('checkout/CLAUDE.md', 'new, as on main');
  expect(await s.back(['CLAUDE.md'])).toEqual([]);
  expect(s.read('checkout/CLAUDE.md')).toBe('new, as on main');
});

test('what instructions import and link to counts, also where it is missing', async () => {
  const s = setUp();
  s.write('checkout/CLAUDE.md', 'See @docs/rules.md#style and @docs/missing.md, (@more\\ rules.md)');
  s.write('checkout/docs/rules.md', 'Rules. @deep.md');
  s.write('checkout/docs/deep.md', 'Deep.');
  s.write('checkout/agents/x.md', 'An agent.');
  mkdirSync(s.at('checkout/.claude'));
  symlinkSync('../agents', s.at('checkout/.claude/agents'));
  await s.keep();
  for (const name of [
    'docs/rules.md',
    'docs/deep.md',
    'docs/missing.md',
    'more rules.md',
    'agents/x.md',
    'agents/y.md',
  ])
    s.write(`checkout/${name}`, 'theirs');
  s.write('checkout/docs/other.md', 'theirs, and nobody reads it');
  expect((await s.back()).toSorted()).toEqual([
    'checkout/agents/x.md',
    'checkout/agents/y.md',
    'checkout/docs/deep.md',
    'checkout/docs/missing.md',
    'checkout/docs/rules.md',
    'checkout/more rules.md',
  ]);
  expect(s.read('checkout/docs/deep.md')).toBe('Deep.');
});

test('links of a marked run are not followed and do not stay', async () => {
  const s = setUp();
  s.write('checkout/CLAUDE.md', 'ours');
  s.write('outside/CLAUDE.md', 'elsewhere');
  await s.keep();
  rmSync(s.at('checkout/CLAUDE.md'));
  symlinkSync(s.at('outside/CLAUDE.md'), s.at('checkout/CLAUDE.md'));
  symlinkSync(s.at('outside'), s.at('checkout/lib'));
  symlinkSync('/usr/lib', s.at('checkout/system'));
  symlinkSync(s.at('outside'), s.at('checkout/.claude'));
  expect((await s.back()).toSorted()).toEqual(['checkout/.claude', 'checkout/CLAUDE.md', 'checkout/lib']);
  expect(s.read('checkout/CLAUDE.md')).toBe('ours');
  expect(lstatSync(s.at('checkout/CLAUDE.md')).isSymbolicLink()).toBe(false);
  expect(readlinkSync(s.at('checkout/system'))).toBe('/usr/lib');
  expect(s.read('outside/CLAUDE.md')).toBe('elsewhere');
});

test('folders and files in each other’s places', async () => {
  const s = setUp();
  s.write('checkout/.claude/settings.json', 'ours');
  s.write('checkout/CLAUDE.md', 'ours');
  await s.keep();
  rmSync(s.at('checkout/.claude'), { recursive: true });
  s.write('checkout/.claude', 'a file');
  rmSync(s.at('checkout/CLAUDE.md'));
  s.write('checkout/CLAUDE.md/x', 'a folder');
  await s.back();
  expect(s.read('checkout/.claude/settings.json')).toBe('ours');
  expect(s.read('checkout/CLAUDE.md')).toBe('ours');
});

test.each([
  ['checkout', 'a/b/claude.LOCAL.md', true],
  ['checkout', '.claude/skills/x/SKILL.md', true],
  ['checkout', '.mcp.json', true],
  ['checkout', '.git/config', true],
  ['checkout', '.git/index', false],
  ['checkout', 'src/claude.ts', false],
  ['cli', 'settings.local.json', true],
  ['cli', 'projects/conversation/memory/a/b.md', true],
  ['cli', 'projects/conversation/0f.jsonl', false],
  ['cli', '.claude.json', false],
  ['home', '.gitconfig', true],
  ['home', '.cache/x', false],
] as const)('%s: %s steers later runs: %s', (root, path, does) => {
  expect(steers(root, path)).toBe(does);
});

test('imports are read widely', () => {
  expect(importsOf('@a.md, `@b.md` @c\\ d.md @e.md#x')).toEqual(
    expect.arrayContaining(['a.md', 'b.md', 'c d.md', 'e.md']),
  );
});

test('the CLI’s folder is made ready: what is missing is made, a link in its place is moved', async () => {
  const s = setUp();
  s.write('outside/x', 'x');
  symlinkSync(s.at('outside'), s.at('cli/rules'));
  s.write('cli/CLAUDE.md', 'before');
  const closed = await closeCliFolder(s.at('cli'));
  for (const path of closed) expect(lstatSync(s.at(`cli/${path}`)).isSymbolicLink()).toBe(false);
  expect(closed).toContain('projects/conversation/memory');
  expect(s.read('cli/CLAUDE.md')).toBe('before');
  expect(s.read('cli/settings.json')).toBe('{}\n');
});
