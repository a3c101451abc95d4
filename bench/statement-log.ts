/**
 * Loaded into the service's process by `--import`: writes down each SQL statement that SQLite runs and each fault point
 * that is passed, in order, one JSON object a line, to the file that BENCH_STATEMENTS names. It takes the fault points of
 * the source that is run, so that it counts an earlier commit as well.
 */
import { appendFileSync, closeSync, openSync, realpathSync } from 'node:fs';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';

export type StatementLine = { sql: string } | { point: string };

const file = process.env.BENCH_STATEMENTS;
if (file !== undefined && isMainThread) {
  const handle = openSync(file, 'a');
  process.once('exit', () => closeSync(handle));
  const note = (line: StatementLine) => appendFileSync(handle, `${JSON.stringify(line)}\n`);
  for (const name of ['all', 'get', 'run', 'iterate'] as const) {
    const original = StatementSync.prototype[name] as (this: StatementSync, ...given: unknown[]) => unknown;
    Object.defineProperty(StatementSync.prototype, name, {
      value(this: StatementSync, ...given: unknown[]) {
        note({ sql: this.sourceSQL });
        return original.apply(this, given);
      },
    });
  }
  const exec = DatabaseSync.prototype.exec;
  DatabaseSync.prototype.exec = function (sql) {
    note({ sql });
    return exec.call(this, sql);
  };
  const faults = new URL('faults.ts', pathToFileURL(realpathSync(process.argv[1]!)));
  const { armFault } = (await import(faults.href)) as typeof import('../src/faults.ts');
  armFault((point) => note({ point }));
}
