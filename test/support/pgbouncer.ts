/** A real pgbouncer in front of the tests' PostgreSQL, with a folder and a port of its own; ended with the test. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { freePort } from './free-port.ts';

export interface Pooling {
  /** when a server's connection goes to the next client */
  mode: 'session' | 'transaction' | 'statement';
  /** connections to the server; 1 shows at once what waits for a second one */
  size?: number;
  /** more lines of its configuration */
  settings?: string[];
}

/** Answers the address of the same database through a pooler. */
export async function throughPgbouncer(
  url: string,
  { mode, size = 1, settings = [] }: Pooling,
): Promise<string> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const folder = await mkdtemp(join(tmpdir(), 'claude-hooks-pgbouncer-'));
  const own = await freePort();
  const file = join(folder, 'pgbouncer.ini');
  const lines = [
    '[databases]',
    `* = host=${hostname} port=${port} user=${username} password=${password}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${own}`,
    'unix_socket_dir =',
    'auth_type = any',
    `pool_mode = ${mode}`,
    `default_pool_size = ${size}`,
    ...settings,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  // It refuses root, and then reads its file as the other account.
  const asRoot = process.getuid?.() === 0;
  if (asRoot) {
    await promisify(execFile)('chown', ['-R', 'nobody', folder]);
    await chmod(folder, 0o700);
  }
  const child = spawn('pgbouncer', [...(asRoot ? ['-u', 'nobody'] : []), file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  let said = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (data) => {
      said += String(data);
      if (said.includes('process up')) resolve();
    });
    ended.then(() => reject(new Error(`pgbouncer ended: ${said}`)), reject);
  });
  await ready;
  return `postgres://${username}:${password}@127.0.0.1:${own}${pathname}`;
}
