import { lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { giveToUser, ownUser } from './ownership.ts';

const isRoot = process.getuid?.() === 0;
const USER = { uid: 4321, gid: 4322 };

function folders() {
  const base = mkdtempSync(join(tmpdir(), 'claude-hooks-owner-'));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const mine = join(base, 'mine');
  mkdirSync(join(mine, 'deep'), { recursive: true });
  writeFileSync(join(mine, 'deep', 'file'), 'x');
  writeFileSync(join(base, 'outside'), 'x');
  symlinkSync(join(base, 'outside'), join(mine, 'link'));
  return { base, mine };
}

const ownerOf = (path: string) => {
  const { uid, gid } = lstatSync(path);
  return { uid, gid };
};

const mount = (source: string, owned?: boolean) => ({
  source,
  target: '/state/x',
  access: 'write' as const,
  ...(owned === undefined ? {} : { owned }),
});

describe.skipIf(!isRoot)('what belongs to a conversation, as root', () => {
  test('belongs to the container’s user, all the way down; what a link leads to stays as it is', async () => {
    const { base, mine } = folders();
    const before = ownerOf(join(base, 'outside'));
    await giveToUser({ mounts: [mount(mine, true)] }, USER);
    for (const path of ['', 'deep', 'deep/file', 'link']) expect(ownerOf(join(mine, path))).toEqual(USER);
    expect(ownerOf(join(base, 'outside'))).toEqual(before);
    await giveToUser({ mounts: [mount(mine, true)] }, ownUser());
    expect(ownerOf(join(mine, 'deep', 'file'))).toEqual(ownUser());
  });

  test('what an operator mounts stays as it is', async () => {
    const { mine } = folders();
    await giveToUser({ mounts: [mount(mine)] }, USER);
    expect(ownerOf(mine)).toEqual(ownUser());
  });
});
