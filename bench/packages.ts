/**
 * What the package door costs: `node bench/packages.ts [packages] [megabytes]`. A cold `npm ci` with and without the door,
 * in turn, and the memory that one large file adds to the process with the door. The registry is a process of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, openDatabase } from '../src/database/database.ts';
import { silentLog } from '../src/log.ts';
import { readLockFile } from '../src/packages/lock-files.ts';
import { LockedPackages } from '../src/packages/policy.ts';
import { createPackages } from '../src/packages.ts';

const ROUNDS = 3;
const [count = '300', megabytes = '500'] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-bench-'));
const registry = spawn(process.execPath, [
  join(import.meta.dirname, 'packages-registry.ts'),
  folder,
  count,
  megabytes,
]);
const [url] = (await once(registry.stdout, 'data')).map((said) => String(said).trim());

const database = openDatabase({ url: `sqlite:${join(folder, 'rows.db')}` });
await migrate(database);
const locked = readLockFile('package-lock.json', readFileSync(join(folder, 'package-lock.json'), 'utf8'));

async function withDoor<T>(
  policy: 'lockfile' | 'registry',
  round: number,
  work: (socket: string) => Promise<T>,
) {
  const npm = { url: url!, artefactHosts: [], headers: {} };
  const packages = createPackages({
    folders: { cache: join(folder, `cache-${policy}-${round}`), sockets: join(folder, 'doors') },
    settings: () => ({
      policy,
      registries: { npm, pypi: npm, crates: npm, go: npm, maven: npm },
      cache: { maxBytes: 2 ** 33 },
      limits: { requests: 20_000, bytes: 2 ** 33, seconds: 300 },
    }),
    fetch,
    database,
    log: silentLog,
    now: Date.now,
  });
  const run = { dispatchId: null, conversationId: null, agent: 'bench', home: folder };
  const open = await packages.open({
    ...run,
    policy: () => policy,
    locked: async () => new LockedPackages(locked, ['package-lock.json']),
  });
  try {
    return await work(open.door.socket);
  } finally {
    await packages.close();
  }
}

async function install(address: string): Promise<number> {
  for (const part of ['node_modules', 'npm-cache'])
    rmSync(join(folder, part), { recursive: true, force: true });
  const began = performance.now();
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--cache', join(folder, 'npm-cache')], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      npm_config_registry: address,
      npm_config_replace_registry_host: 'always',
      npm_config_userconfig: join(folder, 'npmrc'),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(npm, 'exit');
  if (code !== 0) throw new Error(`npm ci ended with ${code}`);
  return performance.now() - began;
}

async function throughDoor(round: number): Promise<number> {
  return await withDoor('lockfile', round, async (path) => {
    const server = createServer({ allowHalfOpen: true }, (inside) => {
      const outside = connect({ path, allowHalfOpen: true });
      inside.pipe(outside).pipe(inside);
      for (const socket of [inside, outside]) socket.on('error', () => socket.destroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      return await install(`http://127.0.0.1:${(server.address() as AddressInfo).port}/npm/`);
    } finally {
      server.close();
    }
  });
}

/** Megabytes of resident memory above those before, at most. */
async function memoryOfLarge(): Promise<number> {
  return await withDoor('registry', 0, async (socket) => {
    const get = async (path: string) => {
      const curl = spawn('curl', ['-sSf', '-o', '/dev/null', '--unix-socket', socket, `http://x${path}`], {
        stdio: 'inherit',
      });
      const [code] = await once(curl, 'exit');
      if (code !== 0) throw new Error(`curl ended with ${code}`);
    };
    for (let n = 0; n < 30; n++) await get(`/npm/bench-${n}/-/bench-${n}-1.0.0.tgz`);
    const before = process.memoryUsage.rss();
    let most = before;
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 20);
    await get('/npm/large/-/large-1.0.0.tgz');
    clearInterval(timer);
    return (most - before) / 2 ** 20;
  });
}

try {
  console.log(`load of the machine: ${loadavg()[0]!.toFixed(1)}`);
  console.log(`memory added by a file of ${megabytes} MB: ${(await memoryOfLarge()).toFixed(1)} MB`);
  for (let round = 1; round <= ROUNDS; round++) {
    const direct = await install(`${url}/`);
    const door = await throughDoor(round);
    console.log(
      `npm ci of ${count} packages, cold: ${direct.toFixed(0)} ms without the door, ${door.toFixed(0)} ms through it: ${(door / direct).toFixed(2)} ×`,
    );
  }
} finally {
  registry.kill();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
}
