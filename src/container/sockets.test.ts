import { once } from 'node:events';
import { chmod, link, mkdir, readdir, stat, utimes } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/support/gateway.ts';
import { openSocketFolders } from './sockets.ts';

async function listenAt(path: string) {
  const server = createServer().listen(path);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return server;
}

test('what a dead process left is swept; what is in use, or just being made, stays', async () => {
  const folder = join(await temporaryFolder('gw-sockets-'), 'run');
  const earlier = await openSocketFolders(folder);
  const [dead, alive, young, old] = [
    await earlier.open(),
    await earlier.open(),
    await earlier.open(),
    await earlier.open(),
  ];
  // A socket outlives a process that is killed; a server that closes removes it, so a second name keeps this one.
  const server = createServer().listen(join(dirname(dead), 'name'));
  await once(server, 'listening');
  await link(join(dirname(dead), 'name'), dead);
  server.close();
  await once(server, 'close');
  await listenAt(alive);
  await utimes(dirname(old), 0, 0);
  await mkdir(join(folder, 'of-somebody-else'));

  await openSocketFolders(folder);
  const left = await readdir(folder);
  const names = [alive, young].map((path) => dirname(path).slice(folder.length + 1));
  expect(left.sort()).toEqual([...names, 'of-somebody-else'].sort());
});

test('the folder of sockets is closed to others, even when it was there and open', async () => {
  const folder = await temporaryFolder('gw-sockets-');
  await chmod(folder, 0o755);
  const folders = await openSocketFolders(folder);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  const socket = await folders.open();
  await folders.remove(socket);
  await folders.remove(socket);
  expect(await readdir(folder)).toEqual([]);
});

test('a path too long for a socket gives way to the temporary folder, and is swept there, too', async () => {
  const folder = join(await temporaryFolder('gw-sockets-'), 'deep/'.repeat(20));
  const folders = await openSocketFolders(folder);
  const socket = await folders.open();
  onTestFinished(() => folders.remove(socket));
  expect(dirname(dirname(socket))).toBe(tmpdir());
  expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(100);
  expect((await stat(dirname(socket))).mode & 0o777).toBe(0o700);
  await listenAt(socket);

  const another = await (await openSocketFolders(join(folder, 'another'))).open();
  await utimes(dirname(another), 0, 0);
  await openSocketFolders(folder);
  expect((await stat(dirname(another))).isDirectory()).toBe(true);
  expect((await stat(socket)).isSocket()).toBe(true);
  await openSocketFolders(join(folder, 'another'));
  await expect(stat(dirname(another))).rejects.toThrow('ENOENT');
});
