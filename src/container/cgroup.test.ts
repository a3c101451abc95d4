/** What the kernel is told, by file and value. Limits that really hold are in isolation.test.ts. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { testFolder } from '../../test/support/contained.ts';
import { findCgroups } from './cgroup.ts';

const LIMITS = { memoryBytes: 1000, cpus: 1.5, pids: 20 };

/** A folder in place of the kernel: the tests' machine may have either version, and the other one's files count, too. */
function hierarchy(files: Record<string, string>): string {
  const root = testFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const written = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

describe('control groups', () => {
  test('of version 2: one group with all limits, below one of ours that hands the controllers on', () => {
    const root = hierarchy({
      'cgroup.controllers': 'cpuset cpu io memory pids\n',
      'cgroup.subtree_control': 'cpu pids\n',
      'claude-hooks/cgroup.procs': '',
      'claude-hooks/cgroup.subtree_control': '\n',
    });
    const groups = findCgroups(root);
    expect(groups.unheld).toEqual([]);
    const group = groups.make('one', LIMITS)!;
    const folder = join(root, 'claude-hooks/one');
    expect(group.processLists).toEqual([join(folder, 'cgroup.procs')]);
    expect(written(folder)).toEqual({ 'memory.max': '1000', 'cpu.max': '150000 100000', 'pids.max': '20' });
    // The real files add; these show the last that was asked for.
    expect(readFileSync(join(root, 'cgroup.subtree_control'), 'utf8')).toBe('+pids');
    expect(readFileSync(join(root, 'claude-hooks/cgroup.subtree_control'), 'utf8')).toBe('+pids');
  });

  test('of version 1: a group for each controller that has a limit', () => {
    const root = hierarchy(
      Object.fromEntries(
        ['memory', 'cpu', 'pids'].flatMap((c) => [
          [`${c}/cgroup.procs`, ''],
          [`${c}/claude-hooks/cgroup.procs`, ''],
        ]),
      ),
    );
    const groups = findCgroups(root);
    const group = groups.make('one', { ...LIMITS, cpus: null })!;
    expect(group.processLists).toEqual([
      join(root, 'memory/claude-hooks/one/cgroup.procs'),
      join(root, 'pids/claude-hooks/one/cgroup.procs'),
    ]);
    expect(written(join(root, 'memory/claude-hooks/one'))).toEqual({ 'memory.limit_in_bytes': '1000' });
    expect(existsSync(join(root, 'cpu/claude-hooks/one'))).toBe(false);
  });

  test('that cannot be made are named as limits that are not kept', () => {
    expect(findCgroups(hierarchy({})).unheld).toEqual(['memory', 'cpus', 'pids']);
    const root = hierarchy({
      'cgroup.controllers': 'memory\n',
      'cgroup.subtree_control': 'memory\n',
      'claude-hooks/cgroup.procs': '',
      'claude-hooks/cgroup.subtree_control': 'memory\n',
    });
    expect(findCgroups(root).unheld).toEqual(['cpus', 'pids']);
  });

  test('are not made for a container without limits', () => {
    expect(findCgroups().make('none', { memoryBytes: null, cpus: null, pids: null })).toBeNull();
  });

  test('of this machine: made, found by their beginning and removed', async () => {
    const groups = findCgroups();
    const group = groups.make('claude-hooks-test-one', { memoryBytes: 2 ** 26, cpus: 1, pids: 20 });
    const folders = (group?.processLists ?? []).map((list) => join(list, '..'));
    expect(folders.filter((folder) => !existsSync(folder))).toEqual([]);
    expect(folders.length > 0).toBe(groups.unheld.length < 3);
    groups.sweep('claude-hooks-test-other');
    expect(folders.filter((folder) => !existsSync(folder))).toEqual([]);
    groups.sweep('claude-hooks-test-');
    expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
    await group?.remove();
  });
});
