/**
 * Where the sockets are. A socket is a capability: each one is alone in a folder that only the service's user can
 * enter. Inside, every user may open it, because the container's user may be another.
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOCKET_NAME = 'm.sock';
/** Linux takes 107 bytes, other systems 103. */
const MOST_PATH_BYTES = 100;
/** Suffix of a folder whose socket does not listen yet. */
const YOUNG_MS = 60_000;

export interface SocketFolders {
  /** makes an empty folder for one socket; answers the socket's path */
  open(): Promise<string>;
  remove(socketPath: string): Promise<void>;
}

/**
 * Below `folder`, or in the system's temporary folder where the path would be too long for a socket. Removes what dead
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

/**
 * The name of a folder in the temporary folder says which installation it belongs to: only that one sweeps it.
 */
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

/**
 * A process id would not tell: two containers may share the folder without seeing each other's processes. A connection
 * does.
 */
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
