/**
 * A git directory of the worker's own for each checkout, so that no git of the worker ever reads configuration that an
 * agent could have written: `config`, `HEAD`, `info` and `logs` are ours; objects, refs and index are links to the
 * checkout's. Hooks, fsmonitor, filters, drivers, includes, remotes and aliases that an agent configures do not exist
 * for us. (Rejected: running in the checkout with `-c` overrides; the agent chooses the names of filters and drivers,
 * and overrides do not reach the upload-pack of a local fetch.)
 *
 * A container keeps agents out of this folder and of the mirrors, and once it has ended no path can change between a
 * look at the checkout and its use. With the engine `process` neither is true.
 */
import { constants } from 'node:fs';
import {
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { isBranchName } from './names.ts';
import { formatConfig, type ObjectFormat } from './object-format.ts';

const LINKED = ['objects', 'refs', 'packed-refs', 'index'] as const;
const CORE = {
  bare: 'false',
  logAllRefUpdates: 'false',
  hooksPath: '/dev/null',
  fsmonitor: 'false',
  commitGraph: 'false',
  multiPackIndex: 'false',
};
const CONFIG = `[gc]
	auto = 0
[maintenance]
	auto = false
[uploadpack]
	allowAnySHA1InWant = true
`;

/** What we know about a checkout without looking at it. */
export interface CheckoutRecord {
  /**
   * name of its folder among the conversation's checkouts; not a path, because the state folder may be moved
   */
  folder: string;
  /** name of the mirror's folder */
  mirror: string;
  /** the commit at which we last detached HEAD; a detached HEAD elsewhere holds commits of the agent */
  detachedAt: string | null;
  format: ObjectFormat;
  /** files that differed from the commit right after git made the checkout: line ends, names that differ in case only */
  bornDirty: string[];
}

export type CheckoutShape =
  | { kind: 'missing' }
  | { kind: 'broken'; reason: string }
  | { kind: 'whole'; head: string };

export class Control {
  /** the git directory to pass to git */
  readonly gitDir: string;
  readonly folder: string;
  readonly checkout: string;
  readonly #recordFile: string;

  constructor(folder: string, checkout: string) {
    this.folder = folder;
    this.gitDir = join(folder, 'git');
    this.checkout = checkout;
    this.#recordFile = join(folder, 'record.json');
  }

  /** Looks at the checkout without git, and brings the git directory in line with it. */
  async adopt(format: ObjectFormat): Promise<CheckoutShape> {
    const shape = await readCheckout(this.checkout);
    if (shape.kind !== 'whole') return shape;
    await mkdir(this.gitDir, { recursive: true });
    for (const name of LINKED) await link(join(this.checkout, '.git', name), join(this.gitDir, name));
    await writeFile(join(this.gitDir, 'config'), `${formatConfig(format, CORE)}${CONFIG}`);
    await writeFile(join(this.gitDir, 'HEAD'), `${shape.head}\n`);
    return shape;
  }

  /**
   * The branch HEAD is on, null when detached. HEAD is read as a file, because what git prints for "none" is also a
   * legal branch name.
   */
  async branch(): Promise<string | null> {
    const head = await readFile(join(this.gitDir, 'HEAD'), 'utf8');
    return head.startsWith('ref: refs/heads/') ? head.slice('ref: refs/heads/'.length).trimEnd() : null;
  }

  /** Call it after a command that moved HEAD, so that the agent's git sees the move, too. */
  async returnHead(): Promise<void> {
    const head = await readFile(join(this.gitDir, 'HEAD'), 'utf8');
    const target = join(this.checkout, '.git', 'HEAD');
    const fresh = `${target}.claude-hooks`;
    await rm(fresh, { force: true });
    await writeFile(fresh, head, { flag: 'wx' });
    await rename(fresh, target);
  }

  async writeRecord(record: CheckoutRecord): Promise<void> {
    await mkdir(dirname(this.#recordFile), { recursive: true });
    await writeFile(`${this.#recordFile}.new`, JSON.stringify(record));
    await rename(`${this.#recordFile}.new`, this.#recordFile);
  }
}

/** Older records hold absolute paths, which are wrong once the state folder has been moved. */
type StoredRecord = Partial<CheckoutRecord> &
  Pick<CheckoutRecord, 'mirror' | 'detachedAt'> & { path: string };

export async function readRecord(folder: string): Promise<CheckoutRecord | null> {
  try {
    const stored = JSON.parse(await readFile(join(folder, 'record.json'), 'utf8')) as StoredRecord;
    return {
      folder: basename(stored.folder ?? stored.path),
      mirror: basename(stored.mirror),
      detachedAt: stored.detachedAt,
      format: stored.format ?? 'sha1',
      bornDirty: stored.bornDirty ?? [],
    };
  } catch {
    // Missing or torn: everything in it can be found out again.
    return null;
  }
}

/** Only real folders and files: through a link, git would read or write somewhere else on this machine. */
async function readCheckout(checkout: string): Promise<CheckoutShape> {
  const type = await typeOf(checkout);
  if (type === 'none') return { kind: 'missing' };
  const expected = [
    ['', ['folder']],
    ['.git', ['folder']],
    ['.git/HEAD', ['file']],
    ['.git/objects', ['folder']],
    ['.git/objects/info', ['folder', 'none']],
    ['.git/objects/pack', ['folder', 'none']],
    ['.git/objects/info/alternates', ['none']],
    ['.git/refs', ['folder']],
    ['.git/refs/heads', ['folder', 'none']],
    ['.git/refs/remotes', ['folder', 'none']],
    ['.git/index', ['file', 'none']],
    ['.git/packed-refs', ['file', 'none']],
    ['.git/config', ['file', 'none']],
  ] as const;
  for (const [name, allowed] of expected) {
    const found = await typeOf(join(checkout, name));
    if (!(allowed as readonly string[]).includes(found)) {
      const reason = `${name === '' ? 'the folder' : name} should be a ${allowed[0]} but is ${found}`;
      return { kind: 'broken', reason: reason.replace('a none', 'absent').replace('is none', 'is missing') };
    }
  }
  for (const name of ['.git/refs', '.git/objects']) {
    const odd = await firstOdd(join(checkout, name));
    if (odd !== null)
      return { kind: 'broken', reason: `${name}/${odd.slice(0, 200)} is neither a file nor a folder` };
  }
  const head = await readHead(join(checkout, '.git', 'HEAD'));
  return head === null ? { kind: 'broken', reason: '.git/HEAD is not readable' } : { kind: 'whole', head };
}

/**
 * Path of something inside that is neither file nor folder: git would write a ref through a link, and wait for ever at
 * a FIFO. Looking at 100,000 loose objects takes 0.1 s.
 */
async function firstOdd(folder: string): Promise<string | null> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    // Folders are nested deeper than git or we can name them.
    // guard: checkout: folders without a bottom, part 1
    if (error.code === 'ENAMETOOLONG') return null;
    throw error;
  });
  if (entries === null) return 'what is below';
  for (const entry of entries) {
    if (entry.isFile()) continue;
    // guard: checkout: links below .git
    if (!entry.isDirectory()) return entry.name;
    const below = await firstOdd(join(folder, entry.name));
    if (below !== null) return `${entry.name}/${below}`;
  }
  return null;
}

async function readHead(path: string): Promise<string | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(2048);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    const head = buffer.toString('utf8', 0, bytesRead).trimEnd();
    const branch = /^ref: refs\/heads\/(.+)$/s.exec(head)?.[1];
    return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(head) || (branch !== undefined && isBranchName(branch))
      ? head
      : null;
  } finally {
    await file.close();
  }
}

async function typeOf(path: string): Promise<'folder' | 'file' | 'link' | 'other' | 'none'> {
  try {
    const s = await lstat(path);
    if (s.isDirectory()) return 'folder';
    if (s.isFile()) return 'file';
    return s.isSymbolicLink() ? 'link' : 'other';
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return 'none';
    throw error;
  }
}

/** The link is relative, so that it still works after the state folder was moved or copied. */
async function link(absolute: string, path: string): Promise<void> {
  const target = relative(dirname(path), absolute);
  const current = await readlink(path).catch(() => null);
  if (current === target) return;
  await unlink(path).catch(() => {});
  await symlink(target, path);
}
