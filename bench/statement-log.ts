/**
 * Loaded into the service's process by `--import`: writes down each SQL statement that SQLite runs, each fault point that
 * is passed, and which functions of the service were called since the point before, in order, one JSON object a line, to
 * the file that BENCH_STATEMENTS names. It takes the fault points of the source that is run, so that it counts an
 * earlier commit as well.
 */
import { appendFileSync, closeSync, openSync, realpathSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';

export type StatementLine = { sql: string } | PointLine;

export interface PointLine {
  point: string;
  /** since the point before: files of `src/` in which a function was called, and how many calls */
  files: string[];
  calls: number;
}

const file = process.env.BENCH_STATEMENTS;
if (file !== undefined && isMainThread) {
  const handle = openSync(file, 'a');
  process.once('exit', () => closeSync(handle));
  const note = (line: StatementLine) => appendFileSync(handle, `${JSON.stringify(line)}\n`);
  noteStatements(note);
  const source = pathToFileURL(realpathSync(process.argv[1]!));
  const calls = countCalls(new URL('.', source).href);
  const { armFault } = (await import(new URL('faults.ts', source).href)) as typeof import('../src/faults.ts');
  armFault((point) => note({ point, ...calls() }));
}

function noteStatements(note: (line: StatementLine) => void): void {
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
}

/** V8 counts the calls of each function; to take the counts is to reset them. A session in its own thread answers at once. */
function countCalls(source: string): () => Omit<PointLine, 'point'> {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  return () => {
    let scripts: Profiler.ScriptCoverage[] = [];
    session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error === null) scripts = taken.result;
    });
    const called = scripts
      .filter(({ url }) => url.startsWith(source))
      .map(({ url, functions }) => ({ url, calls: functions.reduce((sum, f) => sum + callsOf(f), 0) }))
      .filter(({ calls }) => calls > 0);
    return {
      files: called.map(({ url }) => url.slice(source.length)),
      calls: called.reduce((sum, { calls }) => sum + calls, 0),
    };
  };
}

/** Without a name it is the module itself, whose one call is its loading, or an arrow function. */
function callsOf({ ranges, functionName }: Profiler.FunctionCoverage): number {
  const [whole] = ranges;
  return whole === undefined || (functionName === '' && whole.startOffset === 0) ? 0 : whole.count;
}
