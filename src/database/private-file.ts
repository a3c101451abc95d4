/**
 * Only the user of the service can read and write the SQLite file, wherever it is, because it holds texts of private
 * repositories, prompts and transcripts. SQLite gives the files beside it the same mode.
 */
import { chmodSync, closeSync, openSync, statSync } from 'node:fs';

const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/**
 * Creates the file with this mode where it is missing. Answers a sentence for each file that others could read until
 * now, or still can.
 */
export function keepPrivate(file: string): string[] {
  if (file === '' || file === ':memory:' || file.startsWith('file:')) return [];
  makeWhereMissing(file);
  return [file, `${file}-wal`, `${file}-shm`, `${file}-journal`].map(tighten).filter((said) => said !== null);
}

/** An existing file is not opened: closing a file that SQLite has open would give up SQLite's locks. */
function makeWhereMissing(file: string): void {
  try {
    closeSync(openSync(file, 'wx', OWNER_ONLY));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // SQLite reports any other trouble when it opens the file.
    if (code !== 'EEXIST' && code !== 'EACCES' && code !== 'EROFS' && code !== 'ENOENT') throw error;
  }
}

function tighten(path: string): string | null {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  if (mode === undefined || (mode & OTHERS) === 0) return null;
  const was = `the mode of ${path} was ${octal(mode)}`;
  try {
    chmodSync(path, mode & 0o700);
    return `${was}, which lets other users of this machine at it; it is ${octal(mode & 0o700)} now`;
  } catch (error) {
    return `${was}, which lets other users of this machine at it, and it could not be changed (${(error as NodeJS.ErrnoException).code}). Run chmod go= on it as its owner.`;
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}
