/**
 * Where the sockets stand. A socket is a capability: each is alone in a folder that only the service's user can enter,
 * and open to every user inside, because the one in a container may be another.
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOCKET_NAME = 'm.sock';
/** The kernel takes 107, other systems 103. */
const MOST_PATH_BYTES = 100;
/** Of one that is being made, before its socket listens. */
const YOUNG_MS = 60_000;

export interface SocketFolders {
  /** an empty folder of its own for one socket; answers the path of the socket */
  open(): Promise<string>;
  remove(socketPath: string): Promise<void>;
}

/**
 * Below `folder`, or in the system's temporary folder where that path is too long for a socket. Removes what dead
 * processes left there; another process may use the same `folder` at the same time.
 */
export async function openSocketFolders(folder: string): Promise<SocketFolders> {
  const { parent, prefix } = await parentOf(folder);
  await sweep(parent, prefix);
  return {
    open: async () => join(await mkdtemp(join(parent, prefix)), SOCKET_NAME),
    remove: (socketPath) => rm(join(socketPath, '..'), { recursive: true, force: true }),
  };
}

/** The name of one in the temporary folder tells whose it is: only that installation sweeps it. */
async function parentOf(folder: string): Promise<{ parent: string; prefix: string }> {
  const short = join(folder, 'm-XXXXXX', SOCKET_NAME);
  if (Buffer.byteLength(short) <= MOST_PATH_BYTES) {
    await mkdir(folder, { recursive: true });
    // guard: folder of a socket
    await chmod(folder, 0o700);
    return { parent: folder, prefix: 'm-' };
  }
  const whose = createHash('sha256').update(folder).digest('hex').slice(0, 10);
  const prefix = `claude-hooks-m-${whose}-`;
  const longest = join(tmpdir(), `${prefix}XXXXXX`, SOCKET_NAME);
  if (Buffer.byteLength(longest) > MOST_PATH_BYTES) {
    throw new Error(
      `No path short enough for a socket: neither ${folder} nor ${tmpdir()} leaves room for it in ${MOST_PATH_BYTES} bytes. Set TMPDIR to a short path.`,
    );
  }
  return { parent: tmpdir(), prefix };
}

async function sweep(parent: string, prefix: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    const folder = join(parent, name);
    if (await isStale(folder)) await rm(folder, { recursive: true, force: true });
  }
}

/** A connection tells it where a process id would not: two containers may share the folder and not the processes. */
async function isStale(folder: string): Promise<boolean> {
  const socket = join(folder, SOCKET_NAME);
  const [made, isSocketThere] = await Promise.all([
    stat(folder).catch(() => null),
    stat(socket).then(
      () => true,
      () => false,
    ),
  ]);
  if (made === null || (process.getuid !== undefined && made.uid !== process.getuid())) return false;
  if (!isSocketThere) return Date.now() - made.mtimeMs > YOUNG_MS;
  return await new Promise((resolve) => {
    const probe = createConnection(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', () => resolve(true));
  });
}
