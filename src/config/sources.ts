/** Reads the operator's files and remembers what it read, so that a watcher knows where to look and whether anything changed. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';

export class Sources {
  readonly folders = new Set<string>();
  /** what was asked for, with what was found; to be asked again */
  readonly #found: { ask: () => string; answer: string }[] = [];

  /** The text without a byte-order mark; null when it cannot be read. */
  text(path: string): string | null {
    this.folders.add(dirname(path));
    const text = this.#ask(() => readOrNull(path));
    return text?.replace(/^\uFEFF/, '') ?? null;
  }

  /** Files of a folder with one of the extensions, by name; null when there is no such folder. */
  list(folder: string, extensions: readonly string[]): string[] | null {
    this.folders.add(folder);
    const files = this.#ask(() => filesOrNull(folder, extensions));
    return files?.map((name) => join(folder, name)) ?? null;
  }

  /** Whether the files still say what was read. Nothing is parsed, so it costs little. */
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
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function filesOrNull(folder: string, extensions: readonly string[]): string[] | null {
  const names = listOrNull(folder);
  if (names === null) return null;
  return names.filter((name) => extensions.includes(extname(name)) && !basename(name).startsWith('.')).sort();
}

function listOrNull(folder: string): string[] | null {
  try {
    return statSync(folder).isDirectory() ? readdirSync(folder) : null;
  } catch {
    return null;
  }
}
