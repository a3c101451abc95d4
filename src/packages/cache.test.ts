import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/support/gateway.ts';
import { needs, titleOf } from '../../test/support/requirements.ts';
import { PACKAGE_FAULT_POINTS } from '../faults.ts';
import { silentLog } from '../log.ts';
import { PackageCache } from './cache.ts';

const PROCESS = join(import.meta.dirname, '../../test/support/package-process.ts');

const open = (folder: string, maxBytes = 1_000_000) =>
  PackageCache.open({ folder, maxBytes, log: silentLog });

async function put(cache: PackageCache, key: string, text: string) {
  const body = (async function* () {
    yield Buffer.from(text);
  })();
  const { handle } = await cache.store(key, body, async () => ['go-h1:x']);
  await handle.close();
}

async function textOf(cache: PackageCache, key: string): Promise<string | null> {
  const found = await cache.find(key);
  if (found === null) return null;
  const text = await found.handle.readFile('utf8');
  await found.handle.close();
  return text;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('a file is found by its key, with all its digests, also by the next process', async () => {
  const folder = await temporaryFolder('pc-');
  await put(await open(folder), 'a', 'text of a');
  const again = await open(folder);
  const found = await again.find('a');
  expect(found).toMatchObject({
    size: 9,
    digests: [
      expect.stringMatching(/^sha1-/),
      expect.stringMatching(/^sha256-/),
      expect.stringMatching(/^sha512-/),
      'go-h1:x',
    ],
  });
  await found!.handle.close();
  expect(await textOf(again, 'a')).toBe('text of a');
  expect(await again.find('b')).toBe(null);
});

test('what a crash of the machine damaged is not used, and goes', async () => {
  const folder = await temporaryFolder('pc-');
  await put(await open(folder), 'a', 'text of a');
  const [blob = ''] = filesIn(join(folder, 'blobs'));
  writeFileSync(blob, '\0'.repeat(9));
  expect(await textOf(await open(folder), 'a')).toBe(null);
  expect(filesIn(folder)).toEqual([]);
});

test('what was used longest ago goes when the cache is full, and a reader keeps what it has open', async () => {
  const folder = await temporaryFolder('pc-');
  const cache = await open(folder, 250);
  await put(cache, 'old', 'o'.repeat(100));
  await put(cache, 'used', 'u'.repeat(100));
  for (const blob of filesIn(join(folder, 'blobs'))) utimesSync(blob, 1, 1);
  const reader = (await cache.find('old'))!;
  for (const blob of filesIn(join(folder, 'blobs'))) utimesSync(blob, 1, 1);
  expect(await textOf(cache, 'used')).not.toBe(null);
  await put(cache, 'new', 'n'.repeat(100));
  expect(await cache.find('old')).toBe(null);
  expect(await textOf(cache, 'used')).not.toBe(null);
  expect(await textOf(cache, 'new')).not.toBe(null);
  expect(await reader.handle.readFile('utf8')).toBe('o'.repeat(100));
  await reader.handle.close();
  expect(readdirSync(join(folder, 'refs'))).toHaveLength(2);
});

test.for(PACKAGE_FAULT_POINTS)(
  'killed at %s: the file is whole or not there, and nothing is left over',
  async (point) => {
    const folder = await temporaryFolder('pc-');
    const { signal } = spawnSync(process.execPath, [PROCESS, folder, `kill@${point}#2`, '5000', '7000']);
    expect(signal).toBe('SIGKILL');
    const cache = await open(folder);
    expect(filesIn(join(folder, 'tmp'))).toEqual([]);
    for (const size of [5000, 7000]) {
      const text = await textOf(cache, `key ${size}`);
      if (text !== null) expect(text).toBe(String.fromCharCode(97 + size / 1000).repeat(size));
      if (point === 'package.committed' || (size === 5000 && point !== 'package.fetching')) {
        expect(text).not.toBe(null);
      }
    }
    await put(cache, 'key 7000', 'again');
    expect(await textOf(cache, 'key 7000')).toBe('again');
  },
);

const namespace = needs('mount-namespace');
test.skipIf(!namespace.ok)(
  titleOf('a full disk is a clear refusal, leaves nothing, and smaller files still go in', namespace.reason),
  async () => {
    const folder = await temporaryFolder('pc-');
    const script =
      'mount -t tmpfs -o size=1m none "$0" && "$@" && find "$0" -type f -size +900k && ls "$0/tmp"';
    const args = ['-m', 'sh', '-c', script, folder, process.execPath, PROCESS, folder, ''];
    const ran = spawnSync('unshare', [...args, '5000', '3000000', '7000'], { encoding: 'utf8' });
    expect(ran.stdout, ran.stderr).toBe('stored 5000\ndisk-full 3000000\nstored 7000\n');
  },
);

test('a key of one file is never taken for another', async () => {
  const folder = await temporaryFolder('pc-');
  const cache = await open(folder);
  await put(cache, 'a', 'text of a');
  await put(cache, 'b', 'text of a');
  await cache.forget('a');
  expect([await textOf(cache, 'a'), await textOf(cache, 'b')]).toEqual([null, 'text of a']);
  const [ref = ''] = filesIn(join(folder, 'refs'));
  expect(JSON.parse(readFileSync(ref, 'utf8'))).toMatchObject({ key: 'b' });
});
