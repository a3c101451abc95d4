/**
 * Starts one real PostgreSQL for the whole run. Suites reach it through `inject('postgres')`; `databases.ts` makes each
 * test its own database in it. Where it cannot run, that is said once here, and again in the names of what is skipped.
 */
import { globSync, readFileSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { migrate, openDatabase } from '../../src/database/database.ts';
import { asAdministrator, urlOf } from './administrator.ts';
import { startPostgres } from './postgres.ts';

export interface PostgresForTests {
  /** of the server's own `postgres` database, with a superuser's name and password */
  url: string;
  /** a migrated database to copy */
  template: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    postgres: PostgresForTests | { missing: string };
  }
}

const TEMPLATE = 'migrated';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  if (server.kind === 'missing') {
    process.stderr.write(
      `\nPostgreSQL does not run here: ${server.why}\n` +
        `Only the SQLite half of these suites is run: ${suiteNames(project.config.root).join(', ')}.\n\n`,
    );
    project.provide('postgres', { missing: server.why });
    return async () => {};
  }
  try {
    await makeTemplate(server.url);
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide('postgres', { url: server.url, template: TEMPLATE });
  return () => server.stop();
}

async function makeTemplate(url: string): Promise<void> {
  await asAdministrator(url, (client) => client.query(`create database ${TEMPLATE}`));
  const template = openDatabase({ url: urlOf(url, TEMPLATE) });
  await migrate(template);
  await template.close();
}

function suiteNames(root: string): string[] {
  return globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: root }).flatMap((file) =>
    [...readFileSync(`${root}/${file}`, 'utf8').matchAll(/describeDatabases\(\s*'([^']+)'/g)].map(
      (m) => m[1]!,
    ),
  );
}
