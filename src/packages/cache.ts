/**
 * Files of packages on disk, by their content, shared by all dispatches.
 *
 * - `blobs/<2 digits>/<sha256>`: a file. It gets its name by a rename when it is whole and its hash is known.
 * - `refs/<sha256 of the key>.json`: which file a package is, written after the file.
 * - `tmp/<process>-<random>`: being fetched. What a dead process left there is removed at the start.
 *
 * Nothing is flushed to the disk. Instead a file is hashed again before its first use in each process, so what a crash of
 * the machine damaged is never used.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { faultPoint } from '../faults.ts';
import type { Log } from '../log.ts';
import { Digests, sha256Of } from './digests.ts';
import { readPieces } from './file-bytes.ts';
import { pieceIsDone } from './piece-memory.ts';
import { PackageRefused } from './refused.ts';

export interface Stored {
  size: number;
  /** the usual kinds, and those that the ecosystem has of its own */
  digests: readonly string[];
}

/** Open to read; whoever gets it closes it. It stays whole when the file is swept meanwhile. */
export interface Cached extends Stored {
  handle: FileHandle;
}

export interface CacheOptions {
  folder: string;
  maxBytes: number;
  log: Log;
}

/** First two digits of hashes; the folders are made at the start and not for each file. */
const PARTS = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));
/** What is left after a sweep, so that the next file does not sweep again. */
const KEPT_PART = 0.9;

export class PackageCache {
  readonly #options: CacheOptions;
  readonly #verified = new Set<string>();
  #bytes = 0;
  #sweeping: Promise<void> | null = null;

  private constructor(options: CacheOptions) {
    this.#options = options;
  }

  static async open(options: CacheOptions): Promise<PackageCache> {
    const cache = new PackageCache(options);
    const folders = ['refs', 'tmp', ...PARTS.map((part) => `blobs/${part}`)];
    for (const part of folders) await mkdir(join(options.folder, part), { recursive: true, mode: 0o700 });
    await cache.#removeLeftOver();
    cache.#bytes = (await cache.#list()).reduce((sum, { size }) => sum + size, 0);
    return cache;
  }

  /** null = it is not here, or was damaged and is here no longer. */
  async find(key: string): Promise<Cached | null> {
    const stored = await this.#readRef(key);
    if (stored === null) return null;
    const path = this.#blob(stored.digests);
    const handle = await open(path, 'r').catch(() => null);
    if (handle === null) return null;
    if (await this.#isWhole(path, handle, stored)) {
      const now = new Date();
      await utimes(path, now, now).catch(() => {});
      return { ...stored, handle };
    }
    await handle.close();
    await this.forget(key);
    await rm(path, { force: true });
    this.#options.log.warn('a file of the package cache was damaged; it is fetched again', { key });
    return null;
  }

  /** The package is fetched again when it is asked for. */
  async forget(key: string): Promise<void> {
    await rm(this.#ref(key), { force: true });
  }

  /** `body` is read to its end. What `digestsOf` says of the whole file is stored with it. */
  async store(
    key: string,
    body: AsyncIterable<Uint8Array>,
    digestsOf: (path: string) => Promise<readonly string[]>,
  ): Promise<Cached> {
    const fresh = join(this.#options.folder, 'tmp', `${process.pid}-${randomUUID()}`);
    let handle: FileHandle | null = null;
    try {
      handle = await open(fresh, 'wx+', 0o600);
      const digests = await writeAll(handle, body);
      faultPoint('package.fetched');
      const more = await digestsOf(fresh);
      const stored = { size: digests.bytes, digests: [...digests.take(), ...more] };
      await this.#commit(key, fresh, stored);
      return { ...stored, handle };
    } catch (error) {
      await handle?.close();
      await rm(fresh, { force: true });
      throw (error as NodeJS.ErrnoException).code === 'ENOSPC' ? diskFull() : error;
    }
  }

  async #commit(key: string, fresh: string, stored: Stored): Promise<void> {
    const path = this.#blob(stored.digests);
    const before = await stat(path).catch(() => null);
    await rename(fresh, path);
    this.#verified.add(path);
    faultPoint('package.stored');
    // A crash can leave this file incomplete. It is no valid JSON then, and the package is fetched again.
    await writeFile(this.#ref(key), JSON.stringify({ key, ...stored }), { mode: 0o600 });
    faultPoint('package.committed');
    this.#bytes += stored.size - (before?.size ?? 0);
    if (this.#bytes > this.#options.maxBytes) await this.#sweep();
  }

  async #isWhole(path: string, handle: FileHandle, stored: Stored): Promise<boolean> {
    if (this.#verified.has(path)) return true;
    if ((await handle.stat()).size !== stored.size) return false;
    const hash = createHash('sha256');
    const name = sha256Of(stored.digests);
    await readPieces({ handle, size: stored.size }, (piece) => void hash.update(piece));
    // guard: packages: a damaged file is not used
    if (hash.digest('hex') !== name) return false;
    this.#verified.add(path);
    return true;
  }

  async #readRef(key: string): Promise<Stored | null> {
    const text = await readFile(this.#ref(key), 'utf8').catch(() => null);
    if (text === null) return null;
    try {
      const found = JSON.parse(text) as { key: string } & Stored;
      return found.key === key ? { size: found.size, digests: found.digests } : null;
    } catch {
      return null;
    }
  }

  #ref(key: string): string {
    const name = createHash('sha256').update(key).digest('hex');
    return join(this.#options.folder, 'refs', `${name}.json`);
  }

  #blob(digests: readonly string[]): string {
    const name = sha256Of(digests);
    return join(this.#options.folder, 'blobs', name.slice(0, 2), name);
  }

  /** Removes what was used longest ago, once at a time. */
  async #sweep(): Promise<void> {
    this.#sweeping ??= this.#removeOldest().finally(() => {
      this.#sweeping = null;
    });
    await this.#sweeping;
  }

  async #removeOldest(): Promise<void> {
    const { maxBytes, log } = this.#options;
    const files = (await this.#list()).sort((a, b) => a.usedAt - b.usedAt);
    let bytes = files.reduce((sum, { size }) => sum + size, 0);
    let removed = 0;
    for (const { path, size } of files) {
      if (bytes <= maxBytes * KEPT_PART) break;
      await rm(path, { force: true });
      this.#verified.delete(path);
      bytes -= size;
      removed += 1;
    }
    this.#bytes = bytes;
    await this.#removeStaleRefs();
    log.info(`the package cache was full: ${removed} files that were used longest ago are gone`, { bytes });
  }

  async #removeStaleRefs(): Promise<void> {
    const folder = join(this.#options.folder, 'refs');
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      try {
        const { digests } = JSON.parse(await readFile(path, 'utf8')) as Stored;
        await stat(this.#blob(digests));
      } catch {
        await rm(path, { force: true });
      }
    }
  }

  async #list(): Promise<{ path: string; size: number; usedAt: number }[]> {
    const blobs = join(this.#options.folder, 'blobs');
    const found = [];
    for (const part of await readdir(blobs)) {
      for (const name of await readdir(join(blobs, part))) {
        const path = join(blobs, part, name);
        const facts = await stat(path).catch(() => null);
        if (facts !== null) found.push({ path, size: facts.size, usedAt: facts.mtimeMs });
      }
    }
    return found;
  }

  /** Another process, such as a smoke check, may be fetching into the same folder. */
  async #removeLeftOver(): Promise<void> {
    const folder = join(this.#options.folder, 'tmp');
    for (const name of await readdir(folder)) {
      const pid = Number(name.split('-')[0]);
      if (pid === process.pid || !isAlive(pid)) await rm(join(folder, name), { force: true });
    }
  }
}

async function writeAll(handle: FileHandle, body: AsyncIterable<Uint8Array>): Promise<Digests> {
  const digests = new Digests();
  for await (const chunk of body) {
    digests.add(chunk);
    await handle.writeFile(chunk);
    pieceIsDone(chunk.byteLength);
    faultPoint('package.fetching');
  }
  return digests;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function diskFull(): PackageRefused {
  return new PackageRefused(
    507,
    'disk-full',
    'The disk of the service is full, so this file could not be fetched. A person must make room there; what is cached already is served.',
  );
}
