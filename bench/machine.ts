/** Where the figures were measured: without it they compare with nothing. */
import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pinnedCliVersion } from '../src/agent-runner/run-cli.ts';
import { figure } from './report.ts';
import { medianOf } from './summary.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SYNCS = 200;

/** Call before anything is measured: the load at that moment tells whether the machine was quiet. */
export function describeMachine(postgres: string): [string, string][] {
  const folder = tmpdir();
  return [
    ['processors', `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`],
    ['memory', `${figure(totalmem() / 2 ** 30)} GiB`],
    ['kernel', `${process.platform} ${release()}`],
    [
      'file system of the databases',
      `${fileSystemOf(folder)}; 4 KiB written and fdatasync'ed in ${figure(syncMs(folder), 2)} ms (median of ${SYNCS})`,
    ],
    ['Node', process.version],
    ['Claude Code CLI', pinnedCliVersion()],
    ['SQLite', `${process.versions.sqlite ?? 'unknown'} (node:sqlite, WAL, synchronous = FULL)`],
    ['PostgreSQL', postgres],
    ['commit', commit()],
    [
      'load before the start',
      loadavg()
        .map((l) => figure(l, 2))
        .join(', '),
    ],
    ['date', new Date().toISOString().slice(0, 10)],
  ];
}

/** Type of the mount that holds a folder: on a tmpfs a sync costs nothing, and the figures say nothing. */
function fileSystemOf(folder: string): string {
  try {
    const mounts = readFileSync('/proc/self/mounts', 'utf8').trim().split('\n');
    const holding = mounts
      .map((line) => line.split(' '))
      .filter(([, at]) => at === '/' || folder === at || folder.startsWith(`${at}/`))
      .toSorted((a, b) => a[1]!.length - b[1]!.length)
      .at(-1);
    return holding?.[2] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

function syncMs(folder: string): number {
  const file = join(folder, `claude-hooks-sync-${process.pid}`);
  const page = Buffer.alloc(4096, 1);
  const handle = openSync(file, 'w');
  try {
    return medianOf(
      Array.from({ length: SYNCS }, () => {
        const start = performance.now();
        writeSync(handle, page);
        fdatasyncSync(handle);
        return performance.now() - start;
      }),
    );
  } finally {
    closeSync(handle);
    rmSync(file);
  }
}

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--', 'src', 'bench', 'package-lock.json') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with uncommitted changes' : ''}`;
  } catch {
    return 'unknown';
  }
}
