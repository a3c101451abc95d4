/**
 * Files below a CLI folder, which an agent writes while the service reads and writes there. Nothing on the way is
 * followed through a link, and only plain files are read: a link may lead to another conversation or to this machine's
 * own files, and a FIFO or a device has no end.
 *
 * Each folder is opened by itself and the next one looked up in it (`/proc/self/fd`), so that none can be exchanged
 * between a look and its use. Where there is no such /proc, names are looked at and then used.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY, O_CREAT, O_EXCL } = constants;

/** Bytes. A long transcript has 50 MB; a larger file would only use up our memory. */
export const LARGEST_FILE = 256 * 1024 * 1024;
/** A usual folder has some dozens, two levels deep. */
const MOST_NAMES = 20_000;
const DEEPEST = 16;

/** Something is there, but it is no plain file, or it is too large. */
export class NotPlain extends Error {
  override name = 'NotPlain';
  readonly code: 'ELOOP' | 'EFBIG' | 'EISDIR';

  constructor(code: NotPlain['code']) {
    super(code === 'EFBIG' ? `it is larger than ${LARGEST_FILE} bytes` : 'it is no plain file');
    this.code = code;
  }
}

/** Throws what open(2) says, ENOENT included, and NotPlain. `path` is relative to `root`. */
export async function openPlain(root: string, path: string, flags = O_RDONLY): Promise<FileHandle> {
  return await inFolderOf(root, path, { make: false }, async (folder, name) => {
    const handle = await open(within(folder, name), flags | O_NOFOLLOW | O_NONBLOCK);
    const found = await handle.stat();
    // guard: CLI folder: devices and pipes
    if (found.isFile()) return handle;
    await handle.close();
    throw new NotPlain(found.isDirectory() ? 'EISDIR' : 'ELOOP');
  });
}

export async function readPlain(root: string, path: string): Promise<Buffer> {
  const handle = await openPlain(root, path);
  try {
    if ((await handle.stat()).size > LARGEST_FILE) throw new NotPlain('EFBIG');
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/**
 * Through a temporary file and fdatasync: the file is whole or absent, also after a power cut. What stands in the way
 * and is no folder is moved aside; folders are made.
 */
export async function writeWhole(root: string, path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  await inFolderOf(root, path, { make: true }, async (folder, name) => {
    const temporary = within(folder, `${name}.tmp`);
    // guard: CLI folder: links in the way of a write, part 1
    await moveAside(folder, `${name}.tmp`, (path) => unlink(path));
    // guard: CLI folder: links in the way of a write, part 2
    const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporary, within(folder, name)).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EISDIR') throw error;
      await moveAside(folder, name);
      await rename(temporary, within(folder, name));
    });
  });
}

export interface PlainFile {
  /** relative to the root */
  path: string;
  /** open as long as the loop is at this file */
  handle: FileHandle;
}

/** Every plain file below `root/folder`. What cannot be read is left out, as is the rest of a flooded folder. */
export async function* plainFiles(root: string, folder: string): AsyncGenerator<PlainFile> {
  const count = { names: 0 };
  const top = await enter(root, folder).catch(() => null);
  if (top !== null) yield* below(top, folder, { count, depth: 0 });
}

interface Walk {
  count: { names: number };
  depth: number;
}

async function* below(folder: Folder, path: string, walk: Walk): AsyncGenerator<PlainFile> {
  try {
    for (const entry of await readdir(within(folder, '.'), { withFileTypes: true }).catch(() => [])) {
      walk.count.names += 1;
      if (walk.count.names > MOST_NAMES) return;
      const at = join(path, entry.name);
      if (entry.isDirectory() && walk.depth < DEEPEST) {
        const inner = await enterIn(folder, entry.name).catch(() => null);
        if (inner !== null) yield* below(inner, at, { ...walk, depth: walk.depth + 1 });
      } else if (entry.isFile()) {
        const handle = await openIn(folder, entry.name);
        if (handle === null) continue;
        try {
          yield { path: at, handle };
        } finally {
          await handle.close();
        }
      }
    }
  } finally {
    await folder.handle.close();
  }
}

/** Names of the real folders in `root/folder`. */
export async function realFolders(root: string, folder: string): Promise<string[]> {
  const opened = await enter(root, folder).catch(() => null);
  if (opened === null) return [];
  try {
    const entries = await readdir(within(opened, '.'), { withFileTypes: true });
    return entries.filter((e) => e.isDirectory()).map((e) => e.name);
  } finally {
    await opened.handle.close();
  }
}

interface Folder {
  handle: FileHandle;
  path: string;
}

function within(folder: Folder, name: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${folder.handle.fd}/${name}` : join(folder.path, name);
}

async function enterIn(folder: Folder, name: string): Promise<Folder> {
  // guard: CLI folder: folders that are links
  const handle = await open(within(folder, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  return { handle, path: join(folder.path, name) };
}

/** Null where it is gone, or no plain file any more, or not to be read. */
async function openIn(folder: Folder, name: string): Promise<FileHandle | null> {
  const handle = await open(within(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => null);
  if (handle === null || (await handle.stat()).isFile()) return handle;
  await handle.close();
  return null;
}

async function enter(root: string, path: string, make = false): Promise<Folder> {
  // The root is ours, and may stand behind a link of the operator's.
  let folder: Folder = { handle: await open(root, O_RDONLY | O_DIRECTORY), path: root };
  for (const name of path.split('/').filter((part) => part !== '.' && part !== '')) {
    const outer = folder;
    try {
      folder = await (make ? enterOrMake(outer, name) : enterIn(outer, name));
    } finally {
      await outer.handle.close();
    }
  }
  return folder;
}

async function enterOrMake(folder: Folder, name: string): Promise<Folder> {
  try {
    return await enterIn(folder, name);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
    if (code !== 'ENOENT') await moveAside(folder, name);
    await mkdir(within(folder, name), { mode: 0o700 });
    return await enterIn(folder, name);
  }
}

async function inFolderOf<T>(
  root: string,
  path: string,
  { make }: { make: boolean },
  use: (folder: Folder, name: string) => Promise<T>,
): Promise<T> {
  const at = path.lastIndexOf('/');
  const folder = await enter(root, path.slice(0, Math.max(at, 0)), make);
  try {
    return await use(folder, path.slice(at + 1));
  } finally {
    await folder.handle.close();
  }
}

/** `first` is tried before the rename. Links are not followed; if nothing is there, nothing happens. */
async function moveAside(
  folder: Folder,
  name: string,
  first: (path: string) => Promise<void> = () => Promise.reject(new Error('not tried')),
): Promise<void> {
  const path = within(folder, name);
  await first(path).catch(async () => {
    await rename(path, within(folder, `${name}.odd-${randomUUID()}`)).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      },
    );
  });
}
