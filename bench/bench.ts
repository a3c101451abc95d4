/** What every part is given: how long it may take, the databases to measure on, and a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startDurablePostgres } from './postgres.ts';
import type { PartReport } from './report.ts';

export interface Bench {
  /** short runs whose figures are for nobody */
  quick: boolean;
  /** SQLite, and PostgreSQL where it runs */
  databases: BenchDatabase[];
  /** empty, removed at the end */
  folder: string;
  say(line: string): void;
  /** Runs when all parts have ended or one has failed; what is given last runs first. */
  atEnd(work: () => Promise<void>): void;
}

export interface BenchDatabase {
  name: 'SQLite' | 'PostgreSQL';
  /** URL of an empty database without a table; the name is for a person who looks */
  fresh(name: string): Promise<string>;
}

export type Part = (bench: Bench) => Promise<PartReport>;

export interface OpenBench {
  bench: Bench;
  /** version of the PostgreSQL, or why there is none */
  postgres: string;
  close(): Promise<void>;
}

export async function openBench(quick: boolean): Promise<OpenBench> {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-bench-'));
  // Also when somebody ends us in the middle.
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);
  const ends: (() => Promise<void>)[] = [];
  const server = await startDurablePostgres();
  const missing = typeof server === 'string';
  const postgres = missing ? `not measured: ${server}` : await versionOf(server.url);
  const sqlite: BenchDatabase = {
    name: 'SQLite',
    fresh: async (name) => `sqlite:${join(folder, `${name}.db`)}`,
  };
  return {
    bench: {
      quick,
      folder,
      databases: missing ? [sqlite] : [sqlite, postgresDatabase(server.url)],
      say: (line) => void process.stderr.write(`${line}\n`),
      atEnd: (work) => void ends.push(work),
    },
    postgres,
    close: async () => {
      for (const end of ends.toReversed()) await end();
      if (!missing) await server.stop();
      removeFolder();
    },
  };
}

function postgresDatabase(server: string): BenchDatabase {
  return {
    name: 'PostgreSQL',
    fresh: async (name) => {
      const database = name.replaceAll('-', '_');
      await asking(server, (client) => client.query(`create database ${database} template template0`));
      const url = new URL(server);
      url.pathname = `/${database}`;
      return url.href;
    },
  };
}

async function versionOf(url: string): Promise<string> {
  const { rows } = await asking(url, (client) =>
    client.query(
      "select current_setting('server_version') as version, current_setting('fsync') as fsync, current_setting('synchronous_commit') as sync",
    ),
  );
  const { version, fsync, sync } = rows[0] as Record<string, string>;
  return `${version} (fsync ${fsync}, synchronous_commit ${sync}, on the same machine)`;
}

async function asking<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
