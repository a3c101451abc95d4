/** Reads the operator's files and remembers what it read, so that a watcher knows where to look and whether anything changed. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';

export class Sources {
  readonly folders = new Set<string>();
  readonly #hash = createHash('sha256');

  /** The text without a byte-order mark; null when it cannot be read. */
  text(path: string): string | null {
    this.folders.add(dirname(path));
    const text = readOrNull(path);
    this.#hash.update(JSON.stringify([path, text]));
    return text?.replace(/^\uFEFF/, '') ?? null;
  }

  /** Files of a folder with one of the extensions, by name; null when there is no such folder. */
  list(folder: string, extensions: readonly string[]): string[] | null {
    this.folders.add(folder);
    const names = listOrNull(folder);
    const files = names?.filter(
      (name) => extensions.includes(extname(name)) && !basename(name).startsWith('.'),
    );
    this.#hash.update(JSON.stringify([folder, files ?? null]));
    return files?.sort().map((name) => join(folder, name)) ?? null;
  }

  /** One digest over everything read so far. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function listOrNull(folder: string): string[] | null {
  try {
    return statSync(folder).isDirectory() ? readdirSync(folder) : null;
  } catch {
    return null;
  }
}
