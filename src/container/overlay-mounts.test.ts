import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { testFolder } from '../../test/support/contained.ts';
import { testEngines } from '../../test/support/engines.ts';
import { overlayPrefix } from './overlay-mounts.ts';
import { tryOverlay } from './overlay-trial.ts';

const bubblewrap = testEngines().find(({ name }) => name === 'bubblewrap')!;
const PROCESS = join(import.meta.dirname, '../../test/support/overlay-process.ts');
const NOBODY = 65534;
/** A folder without a search bit for others would keep nobody from our sources. */
const mayRead =
  spawnSync('cat', [PROCESS], { uid: process.getuid!() === 0 ? NOBODY : undefined, cwd: '/' }).status === 0;

describe.skipIf(!bubblewrap.need.ok || process.getuid!() !== 0)(
  bubblewrap.need.title('overlays in bubblewrap'),
  () => {
    test('are mounted by root', async () => {
      const folder = testFolder();
      expect(await tryOverlay({ engine: bubblewrap.engine, folder, image: null, user: null })).toBe(null);
      expect(readdirSync(folder)).toEqual([]);
    });

    test.skipIf(!mayRead)('are mounted by another user, in a user namespace, and leave nothing', () => {
      const folder = testFolder();
      const own = join(folder, 'own');
      mkdirSync(own);
      chownSync(own, NOBODY, NOBODY);
      // The folders above are ours alone.
      chmodSync(folder, 0o711);
      const { stdout, stderr } = spawnSync(process.execPath, [PROCESS, own], {
        ...{ uid: NOBODY, gid: NOBODY, cwd: '/', encoding: 'utf8' },
        env: { PATH: process.env.PATH, HOME: own },
      });
      expect(stdout, stderr).toBe('null\n');
      expect(readdirSync(own)).toEqual([]);
    });
  },
);

test('without an overlay nothing comes before bwrap', () => {
  const tools = { unshare: '/usr/bin/unshare', mount: '/usr/bin/mount' };
  expect(overlayPrefix([], tools, { isRoot: false })).toEqual([]);
});
