import { describe, expect, test } from 'vitest';
import type { SetupSettings } from '../config/config.ts';
import { isKeptPath } from '../config/kept-paths.ts';
import { readSetupFile } from '../config/setup-file.ts';
import { setUpPlaceOf } from '../container/place.ts';
import { layerKey } from './key.ts';
import { plainLines } from './output.ts';
import { wantedOf } from './recipe.ts';
import { waitAfter } from './rows.ts';
import { layersToRemove } from './sweep.ts';

const SETTINGS: SetupSettings = {
  commands: ['npm ci'],
  lockFiles: ['package-lock.json'],
  keep: ['node_modules'],
  timeoutMs: 600_000,
  memoryBytes: 1000,
  maxBytes: 5000,
  repositoryFile: true,
};

describe('the recipe', () => {
  test('is the configuration’s, and the repository’s where it has a file; limits only fall', () => {
    expect(wantedOf({ ...SETTINGS, commands: [] }, null)).toEqual({ kind: 'nothing' });
    expect(wantedOf(SETTINGS, null)).toMatchObject({
      recipe: { source: 'configuration', commands: ['npm ci'], limits: { timeoutMs: 600_000 } },
    });
    const file = readSetupFile(
      'commands: [make]\nkeep: [target, "~/.cargo/registry"]\ntimeout_minutes: 1\nmemory: 4g\nmax_bytes: 1k\n',
    );
    expect(wantedOf(SETTINGS, file)).toMatchObject({
      recipe: {
        source: 'repository',
        commands: ['make'],
        lockFiles: [],
        keep: [
          { root: 'checkout', path: 'target' },
          { root: 'home', path: '.cargo/registry' },
        ],
        limits: { timeoutMs: 60_000, memoryBytes: 1000, maxBytes: 1024 },
      },
    });
    expect(wantedOf(SETTINGS, readSetupFile('commands: []\n'))).toEqual({ kind: 'nothing' });
  });

  test.each([
    '',
    '/abs',
    '../up',
    'a/../b',
    'a//b',
    './a',
    '.git',
    'a/.GIT/hooks',
    '~',
    '~/',
    '~/../x',
    '-x',
    'a\nb',
    '~user/x',
  ])('a path %j is not kept', (path) => {
    expect(isKeptPath(path)).toBe(false);
    expect(readSetupFile(`commands: [x]\nkeep: [${JSON.stringify(path)}]\n`).kind).toBe('problem');
  });

  test.each(['node_modules', '.venv', 'packages/a/node_modules', '~/.cargo', '~/go/pkg'])(
    '%s may be kept',
    (path) => {
      expect(isKeptPath(path)).toBe(true);
      expect(wantedOf({ ...SETTINGS, keep: [path] }, null).kind).toBe('recipe');
    },
  );

  test.each([
    [['.claude'], 'obeys'],
    [['sub/.claude/rules'], 'obeys'],
    [['CLAUDE.md'], 'obeys'],
    [['~/.bashrc'], 'obeys'],
    [['~/.config/git'], 'obeys'],
    [['~/.config'], 'obeys'],
    [['a', 'a/b'], 'keeps a/b and also a'],
    [['a', 'a'], 'keeps a and also a'],
    [[], 'keeps nothing'],
  ])('%j is refused with a sentence', (keep, words) => {
    expect(wantedOf({ ...SETTINGS, keep }, null)).toMatchObject({ problem: expect.stringContaining(words) });
  });

  test('a file with a mistake is told with its line', () => {
    expect(readSetupFile('commands: [a\n')).toMatchObject({
      problem: expect.stringContaining('.claude-hooks/setup.yaml:'),
    });
    expect(readSetupFile('comands: [a]\n')).toMatchObject({ problem: expect.stringContaining('commands') });
  });
});

describe('the key', () => {
  const recipe = { commands: ['a'], keep: [{ root: 'checkout' as const, path: 'k' }], lockFiles: ['l'] };
  const parts = {
    repository: { forge: 'home', id: '7' },
    checkoutName: 'app',
    engine: 'podman',
    system: 'sha256:1',
    user: null,
    recipe,
    locks: new Map([['l', '1']]),
    setupFile: null,
  };

  test.each([
    { repository: { forge: 'home', id: '8' } },
    { checkoutName: 'other' },
    { engine: 'bubblewrap' },
    { system: 'sha256:2' },
    { user: { uid: 1, gid: 1 } },
    { recipe: { ...recipe, commands: ['b'] } },
    { recipe: { ...recipe, keep: [{ root: 'home' as const, path: 'k' }] } },
    { locks: new Map([['l', '2']]) },
    { locks: new Map<string, string>() },
    { setupFile: 'blob' },
  ])('changes with %j', (change) => {
    expect(layerKey({ ...parts, ...change })).not.toBe(layerKey(parts));
  });
});

test('the set-up run has no network, no cache and no mount that an agent can write', () => {
  const mounts = [
    { source: '/tools', target: '/tools', access: 'read' as const },
    { source: '/shared', target: '/shared', access: 'write' as const },
  ];
  const { spec } = setUpPlaceOf(
    { name: 'bubblewrap' },
    {
      ...{ checkout: '/s/checkout', checkoutName: 'app', home: '/s/home', temporary: '/s/tmp', doors: null },
      memoryBytes: 5,
      settings: { image: null, memoryBytes: 9, cpus: null, pids: 1, user: null, network: 'host', mounts },
    },
  );
  expect(spec).toMatchObject({ network: 'none', limits: { memoryBytes: 5 } });
  expect(spec.mounts.map(({ target }) => target)).toEqual([
    '/state/home',
    '/state/tmp',
    '/work/app',
    '/tools',
  ]);
});

test('a failed set-up waits longer each time, a day at most', () => {
  expect([1, 2, 3, 9].map((n) => waitAfter(n) / 60_000)).toEqual([10, 30, 90, 1440]);
});

test('what a terminal would obey is no part of a log', () => {
  expect(plainLines('a\u001b[2Jb\u001b]0;title\u0007\r\n10%\r100%\u0000\n\u202eend')).toBe('ab\n100%\nend');
});

describe('what is removed', () => {
  const day = 86_400_000;
  const now = 100 * day;
  const row = (
    key: string,
    used: number,
    bytes = 10,
    state: 'ready' | 'failed' | 'unwanted' | 'building' = 'ready',
  ) => ({
    ...{ key, state, used_at: now - used * day, created_at: 0, bytes, retry_at: null },
  });
  const limits = { unusedDays: 14, maxBytes: 1000, isUsed: (key: string) => key === 'used', now };

  test('unwanted ones, old ones, and the oldest beyond the limit; none that is in use', () => {
    const rows = [
      row('a', 1),
      row('old', 15),
      row('used', 30),
      row('bad', 1, 0, 'unwanted'),
      row('now', 90, 0, 'building'),
    ];
    expect(layersToRemove(rows, limits)).toEqual(['old', 'bad']);
    const large = [row('a', 3, 600), row('b', 2, 600), row('used', 9, 600)];
    expect(layersToRemove(large, limits)).toEqual(['a', 'b']);
    expect(layersToRemove(large.slice(0, 2), limits)).toEqual(['a']);
  });
});
