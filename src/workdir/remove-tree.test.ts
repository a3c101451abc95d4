import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Control } from './control.ts';
import { removeTree } from './remove-tree.ts';

const DEEP = 'chdir shift or die; for (1..700) { mkdir "deeper" and chdir "deeper" or die "$!" }';

function deepen(folder: string): void {
  execFileSync('sh', ['-c', 'exec perl -e "$1" "$0"', folder, DEEP]);
}

function setUp(): string {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-deep-'));
  onTestFinished(() => {
    execFileSync('rm', ['-rf', folder]);
  });
  return folder;
}

test('a tree deeper than a path can be long is removed, and nothing behind a link in it', async () => {
  const folder = setUp();
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  mkdirSync(join(folder, 'other'));
  writeFileSync(join(folder, 'other', 'kept'), '');
  symlinkSync(join(folder, 'other'), join(tree, 'link'));
  deepen(tree);
  await expect(rm(tree, { recursive: true, force: true })).rejects.toThrow('ENAMETOOLONG');
  await removeTree(tree);
  expect(existsSync(tree)).toBe(false);
  expect(existsSync(join(folder, 'other', 'kept'))).toBe(true);
});

test.each(['refs', 'objects'])('a checkout with such %s is broken, and no riddle', async (name) => {
  const folder = setUp();
  execFileSync('git', ['init', '-q', '-b', 'main', 'checkout'], { cwd: folder });
  deepen(join(folder, 'checkout', '.git', name));
  const control = new Control(join(folder, 'control'), join(folder, 'checkout'));
  expect(await control.adopt('sha1')).toMatchObject({ kind: 'broken' });
});
