/**
 * For commands that are called beside a service, or before the first one: the database is usable, or one sentence says
 * why not.
 */
import { accessSync, constants } from 'node:fs';
import { sql } from 'kysely';
import { DatabaseUnusable } from '../errors.ts';
import { type Database, openDatabase, requireMigrated } from './database.ts';

/**
 * Creates nothing. Throws DatabaseUnusable where there is no database or it does not answer, NotFound where it is not
 * of this release, and Node's own EACCES with the path where this user may not read or write it.
 */
export async function openExisting(o: { url: string; readOnly: boolean }): Promise<Database> {
  // guard: first hour: commands before the first start make nothing
  seeFile(o);
  const database = openDatabase(o);
  try {
    await requireUsable(database, o.url);
    await requireMigrated(database);
    return database;
  } catch (error) {
    await database.close().catch(() => {});
    throw error;
  }
}

function seeFile({ url, readOnly }: { url: string; readOnly: boolean }): void {
  const file = fileOf(url);
  if (file === null) return;
  try {
    accessSync(file, readOnly ? constants.R_OK : constants.R_OK | constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    throw new DatabaseUnusable(
      `There is no database at ${file}: the service was not started with this configuration yet. Start it with \`claude-hooks serve\`, or name the configuration of the one that runs with -c.`,
    );
  }
}

/** Null for PostgreSQL, and for URLs that SQLite does not keep in a file of that name. */
function fileOf(url: string): string | null {
  const file = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : '';
  return file === '' || file === ':memory:' || file.startsWith('file:') ? null : file;
}

/** Asks the database one question. Throws DatabaseUnusable with its address, without the password. */
export async function requireUsable(database: Database, url: string): Promise<void> {
  try {
    // SQLite reads nothing of the file until it is asked about a table.
    if (database.dialect === 'sqlite') await sql`select count(*) from sqlite_master`.execute(database.rows);
    else await sql`select 1`.execute(database.rows);
  } catch (error) {
    throw new DatabaseUnusable(
      database.dialect === 'sqlite'
        ? sqliteSentence(url.slice('sqlite:'.length), error as Error & { errcode?: number })
        : `The database ${addressOf(url)} cannot be used: ${wordsOf(error)}. See that PostgreSQL runs there, and that database.url has the right host, port, name, user and password.`,
    );
  }
}

const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

function sqliteSentence(file: string, error: Error & { errcode?: number }): string {
  const said = `The database ${file} cannot be used: ${error.message}.`;
  // The low byte is the kind of the error; the bytes above it are the detail.
  const errcode = (error.errcode ?? 0) & 0xff;
  if (errcode === SQLITE_NOTADB || errcode === SQLITE_CORRUPT) {
    return `${said} Restore a backup of it, or correct state or database.url.`;
  }
  if (errcode === SQLITE_CANTOPEN || errcode === SQLITE_READONLY) {
    return `${said} SQLite also writes beside it, so run this as the user of the service.`;
  }
  return `${said} Try again; if it stays, see that the disk is whole and not full.`;
}

function addressOf(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname}`;
  } catch {
    return 'of database.url';
  }
}

/**
 * A host name with two addresses fails with one error for each address; the error around them has no message.
 */
function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(wordsOf).join('; ');
  return (error as Error).message;
}
