/**
 * Which processes belong to a dispatch, found in /proc (Linux only; elsewhere nothing is found, and only the kernel lock
 * keeps an orphan apart).
 *
 * The marks in the environment decide, because nobody knows a group id any more when a worker has died. A tool that
 * cleared its environment, as `env -i` and `sudo` do, is found by its parent, its group or its session, because every
 * contained process leads a session of its own. A process is not found when it cleared its environment, has a session of
 * its own, and its parent ended before anybody looked; only a container can hold such a process.
 */
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

export const INSTANCE_MARK = 'CLAUDE_HOOKS_INSTANCE';
export const DISPATCH_MARK = 'CLAUDE_HOOKS_DISPATCH';

export interface Mark {
  instance: string;
  dispatch: string;
}

interface ProcessRow {
  pid: number;
  parent: number;
  group: number;
  session: number;
  /** clock ticks since the boot; together with the pid it identifies a process */
  started: string;
  zombie: boolean;
  mark: Mark | null;
}

export class ProcessTree {
  readonly #belongs: (mark: Mark) => boolean;
  readonly #leaders: () => readonly number[];
  /**
   * pid to `started` of every process that was ever seen: a child is still ours when its parent has ended meanwhile
   */
  readonly #seen = new Map<number, string>();
  readonly #dispatches = new Set<string>();

  /** `leaders`: pids of processes we started ourselves, ended ones included */
  constructor(belongs: (mark: Mark) => boolean, leaders: () => readonly number[] = () => []) {
    this.#belongs = belongs;
    this.#leaders = leaders;
  }

  /** The dispatches whose marks were seen. */
  get dispatches(): string[] {
    return [...this.#dispatches];
  }

  /** Looks again; answers the pids that run now. */
  async running(): Promise<number[]> {
    const rows = await processTable();
    const members = new Set(rows.filter((row) => this.#isKnown(row)));
    const ties = new Set(this.#leaders().filter((pid) => !isSomebodyElse(pid, rows, members)));
    for (let before = -1; before !== members.size; ) {
      before = members.size;
      for (const row of members) for (const tie of [row.pid, row.group, row.session]) ties.add(tie);
      for (const tie of noTies()) ties.delete(tie);
      for (const row of rows) {
        if (ties.has(row.parent) || ties.has(row.group) || ties.has(row.session)) members.add(row);
      }
    }
    for (const row of members) this.#seen.set(row.pid, row.started);
    return [...members].filter((row) => !row.zombie).map((row) => row.pid);
  }

  #isKnown({ pid, started, mark }: ProcessRow): boolean {
    if (mark === null || !this.#belongs(mark)) return this.#seen.get(pid) === started;
    this.#dispatches.add(mark.dispatch);
    return true;
  }
}

/**
 * These are no ties: half the machine descends from the kernel, the first process or ourselves, and our own group and
 * session are those of whoever started us, with all that runs in their shell.
 */
function noTies(): readonly number[] {
  // guard: attach: the operator’s own session, part 2
  return [0, 1, process.pid, ...ownSession()];
}

function ownSession(): number[] {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(2, 4)
      .map(Number);
  } catch {
    return [];
  }
}

/** The pid of a process that has ended may belong to another one by now. */
function isSomebodyElse(pid: number, rows: ProcessRow[], members: Set<ProcessRow>): boolean {
  const row = rows.find((candidate) => candidate.pid === pid);
  return row !== undefined && !row.zombie && !members.has(row);
}

async function processTable(): Promise<ProcessRow[]> {
  if (!existsSync('/proc/self/environ')) return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const rows = await Promise.all(pids.filter((pid) => pid !== process.pid).map(readProcess));
  return rows.filter((row) => row !== null);
}

/** null when it has ended in the meantime. */
async function readProcess(pid: number): Promise<ProcessRow | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may contain anything. State, parent, group, session and numbers follow it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [parent, group, session] = fields.slice(1, 4).map(Number);
    const row = { pid, parent: parent!, group: group!, session: session!, started: fields[19]! };
    return { ...row, zombie: fields[0] === 'Z', mark: await readMark(pid) };
  } catch {
    return null;
  }
}

async function readMark(pid: number): Promise<Mark | null> {
  // Processes of other users cannot be read, and are not ours.
  const environ = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  if (!environ.includes(INSTANCE_MARK)) return null;
  const variables = new Map(
    environ.split('\0').map((v) => [v.split('=', 1)[0]!, v.slice(v.indexOf('=') + 1)]),
  );
  const instance = variables.get(INSTANCE_MARK);
  return instance === undefined ? null : { instance, dispatch: variables.get(DISPATCH_MARK) ?? '' };
}
