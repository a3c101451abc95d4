/** Reads the operator's files and remembers what it read, so that a watcher knows where to look and whether anything changed. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';

export class Sources {
  readonly folders = new Set<string>();
  /** text of each file; null = it cannot be read */
  readonly texts = new Map<string, string | null>();
  /** everything that was read, with what was found, to be compared later */
  readonly #found: { ask: () => string; answer: string }[] = [];

  /** The text without a byte-order mark; null when it cannot be read. */
  text(path: string): string | null {
    this.folders.add(dirname(path));
    const text = this.#ask(() => readOrNull(path));
    this.texts.set(path, text);
    return text?.replace(/^\uFEFF/, '') ?? null;
  }

  /** Why `text` answers null for this path, in words that can follow the path. */
  trouble(path: string): string {
    return troubleOf(path);
  }

  /** Everything in a folder, by name; null when there is no such folder. */
  entries(folder: string): { path: string; isFolder: boolean }[] | null {
    this.folders.add(folder);
    const names = this.#ask(() => listOrNull(folder)?.sort() ?? null);
    return (
      names?.map((name) => ({ path: join(folder, name), isFolder: isFolder(join(folder, name)) })) ?? null
    );
  }

  /** Files of a folder with one of the extensions, by name; null when there is no such folder. */
  list(folder: string, extensions: readonly string[]): string[] | null {
    this.folders.add(folder);
    const files = this.#ask(() => filesOrNull(folder, extensions));
    return files?.map((name) => join(folder, name)) ?? null;
  }

  /** Whether reading again finds the same. This is cheap, because nothing is parsed. */
  isCurrent(): boolean {
    return this.#found.every(({ ask, answer }) => ask() === answer);
  }

  #ask<T>(ask: () => T): T {
    const found = ask();
    this.#found.push({ ask: () => JSON.stringify(ask()), answer: JSON.stringify(found) });
    return found;
  }
}

function readOrNull(path: string): string | null {
  try {
    const bytes = readFileSync(path);
    return bytes.includes(0) ? null : bytes.toString('utf8');
  } catch {
    return null;
  }
}

function troubleOf(path: string): string {
  try {
    return readFileSync(path).includes(0) ? 'is not a text in UTF-8' : 'could not be read a moment ago';
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ENOENT':
        return 'is not there';
      case 'EISDIR':
        return 'is a folder, not a file';
      case 'EACCES':
      case 'EPERM':
        return 'may not be read by this user';
      default:
        return `cannot be read (${(error as NodeJS.ErrnoException).code})`;
    }
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function filesOrNull(folder: string, extensions: readonly string[]): string[] | null {
  const names = listOrNull(folder);
  if (names === null) return null;
  const meant = names.filter((name) => extensions.includes(extname(name)) && !basename(name).startsWith('.'));
  return meant.filter((name) => !isFolder(join(folder, name))).sort();
}

function listOrNull(folder: string): string[] | null {
  try {
    return statSync(folder).isDirectory() ? readdirSync(folder) : null;
  } catch {
    return null;
  }
}
