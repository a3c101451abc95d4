/** What a 50 MB transcript costs: at the start of a run, while it grows, after it, and when it must be restored. */
import { randomUUID } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RehearsalModel, startRehearsalModel } from '../rehearsal/model.ts';
import { parseModelScript } from '../rehearsal/model-script.ts';
import { verifyTranscript } from '../src/agent-runner/conclude.ts';
import type { AgentOptions, RunnerDeps } from '../src/agent-runner/run.ts';
import { pinnedCliVersion } from '../src/agent-runner/run-cli.ts';
import { type Database, migrate, openDatabase } from '../src/database/database.ts';
import type { SessionRow } from '../src/database/tables.ts';
import { silentLog } from '../src/log.ts';
import { resolveConversation } from '../src/mailbox/conversations.ts';
import type { PreparedSession } from '../src/sessions/apply.ts';
import { archiveFolder, type SeenFiles } from '../src/sessions/archive.ts';
import { type CliFolders, cliFolders, createCliFolders, transcriptPath } from '../src/sessions/folders.ts';
import { prepareSession } from '../src/sessions/ladder.ts';
import { proposeSession, verifySession } from '../src/sessions.ts';
import { captureStart, startByHand } from './bare-cli.ts';
import type { Bench, BenchDatabase } from './bench.ts';
import { figure, type Table } from './report.ts';
import { folderIn } from './stage.ts';
import { summarise, timed } from './summary.ts';
import { growTranscript } from './transcript-lines.ts';

const OPERATIONS = [
  'archive it as a whole',
  'plan a resume',
  'verify after a run',
  'restore from the archive (plan included)',
  'archive one new line',
  'archive pass that finds nothing new',
] as const;
type Operation = (typeof OPERATIONS)[number];

interface Clocked {
  ms: number[];
  /** longest time for which nothing else of the service could run */
  stall: number[];
}
type Times = Record<Operation, Clocked>;

const AGENT: AgentOptions = {
  model: 'claude-sonnet-4-5',
  effort: null,
  tools: null,
  disallowedTools: [],
  maxTurns: null,
  permissionMode: 'bypassPermissions',
  instructions: 'You are a developer on this repository.',
};

const SCRIPT = `
scenes:
  - name: work
    when: { prompt: look around }
    steps:
      - { text: I look at the files first., tools: [{ name: Bash, input: { command: 'seq 1 1500' } }] }
      - { text: Now I write it down., tools: [{ name: Write, input: { file_path: '{{ cwd }}/notes.md', content: 'One line of notes that is neither short nor long.' } }] }
      - { text: And I check it., tools: [{ name: Bash, input: { command: 'cat notes.md; seq 1 800' } }] }
      - { text: 'The greeting used a variable that does not exist. I have written down what I found; the fix is one word.' }
`;

interface Subject {
  bytes: Buffer;
  sessionId: string;
  cwd: string;
  model: RehearsalModel;
}

export async function measureTranscript(bench: Bench): Promise<Table[]> {
  const megabytes = bench.quick ? 5 : 50;
  const model = await startRehearsalModel({ script: parseModelScript(SCRIPT, 'bench') });
  const folder = folderIn(bench.folder, 'transcript');
  const cwd = folderIn(folder, 'checkout');
  try {
    const subject = await makeTranscript({ folder, cwd, model, bytes: megabytes * 1e6 });
    const measured: { name: string; times: Times }[] = [];
    for (const database of bench.databases) {
      measured.push({
        name: database.name,
        times: await measureDatabase(bench, database, { folder, ...subject }),
      });
    }
    const cli = await startsOfCli(bench, { folder, ...subject });
    return tables(subject.bytes, measured, cli);
  } finally {
    await model.close();
  }
}

/** Real lines of a real run, repeated under new ids in one chain until there are enough of them. */
async function makeTranscript(o: {
  folder: string;
  cwd: string;
  model: RehearsalModel;
  bytes: number;
}): Promise<Subject> {
  const sessionId = randomUUID();
  const folders = foldersIn(o.folder, 'seed');
  await captureStart({
    folders,
    cwd: o.cwd,
    session: { id: sessionId, start: 'new', resumeAt: null },
    prompt: 'Please look around in this repository.',
    agent: AGENT,
    model: o.model,
  });
  const seed = readFileSync(join(folders.config, transcriptPath(sessionId)), 'utf8');
  return { bytes: growTranscript(seed, o.bytes), sessionId, cwd: o.cwd, model: o.model };
}

function foldersIn(folder: string, name: string): CliFolders {
  const folders = cliFolders(join(folder, name), 'conversation');
  createCliFolders(folders);
  return folders;
}

async function measureDatabase(
  bench: Bench,
  { name, fresh }: BenchDatabase,
  subject: Subject & { folder: string },
): Promise<Times> {
  const database = openDatabase({ url: await fresh('transcript') });
  try {
    await migrate(database);
    const kept = await Kept.make(database, foldersIn(subject.folder, name), subject);
    await kept.measure(bench.quick ? 2 : 5);
    return kept.times;
  } finally {
    await database.close();
  }
}

/** A conversation whose verified session has this transcript. */
class Kept {
  readonly #database: Database;
  readonly #folders: CliFolders;
  readonly #subject: Subject;
  readonly #session: SessionRow;
  readonly #file: string;
  readonly times = Object.fromEntries(OPERATIONS.map((o) => [o, { ms: [], stall: [] }])) as unknown as Times;

  private constructor(database: Database, folders: CliFolders, subject: Subject, session: SessionRow) {
    this.#database = database;
    this.#folders = folders;
    this.#subject = subject;
    this.#session = session;
    this.#file = join(folders.config, transcriptPath(session.id));
    mkdirSync(join(this.#file, '..'), { recursive: true });
    writeFileSync(this.#file, subject.bytes);
  }

  static async make(database: Database, folders: CliFolders, subject: Subject): Promise<Kept> {
    const conversation = await resolveConversation(database.rows, {
      forge: 'home',
      repository: { id: '42', fullName: 'orchard/pears' },
      agent: 'dev',
      item: {
        kind: 'issue',
        number: 1,
        title: 'A long story',
        body: '',
        state: 'open',
        htmlUrl: '',
        author: { id: 1, login: 'ada' },
        labels: [],
        assignees: [],
      },
      now: Date.now(),
    });
    const proposed = await proposeSession(database.rows, {
      conversationId: conversation.id,
      configFolder: folders.config,
      synthesised: false,
      follows: null,
      reason: '',
      now: Date.now(),
    });
    // The lines name the session they were made for.
    const session = { ...proposed, id: subject.sessionId };
    await database.rows
      .updateTable('sessions')
      .set({ id: session.id })
      .where('id', '=', proposed.id)
      .execute();
    return new Kept(database, folders, subject, session);
  }

  async measure(repeats: number): Promise<void> {
    await this.#time('archive it as a whole', () => this.#archive());
    await this.#verified();
    for (let n = 0; n < repeats; n++) {
      await this.#planned('plan a resume', 'resumed');
      const prepared = await this.#plan();
      const verified = await this.#time('verify after a run', () =>
        verifyTranscript(prepared, this.#head, this.#deps()),
      );
      if (verified === null) throw new Error('The transcript was not verified; its head is not in it.');
    }
    for (let n = 0; n < repeats; n++) {
      rmSync(this.#file);
      await this.#planned('restore from the archive (plan included)', 'restored');
    }
    const seen: SeenFiles = new Map();
    await this.#archive(seen);
    for (let n = 0; n < repeats * 4; n++) {
      appendFileSync(this.#file, this.#subject.bytes.subarray(lastLineOf(this.#subject.bytes)));
      await this.#time('archive one new line', () => this.#archive(seen));
      await this.#time('archive pass that finds nothing new', () => this.#archive(seen));
    }
  }

  get #head(): string {
    const line = this.#subject.bytes.subarray(lastLineOf(this.#subject.bytes)).toString('utf8');
    return (JSON.parse(line) as { uuid: string }).uuid;
  }

  async #archive(seen?: SeenFiles) {
    return await archiveFolder(
      this.#database,
      this.#session.conversation_id,
      this.#folders.config,
      ...(seen === undefined ? [] : [seen]),
    );
  }

  async #verified(): Promise<void> {
    await verifySession(this.#database.rows, {
      sessionId: this.#session.id,
      head: this.#head,
      size: this.#subject.bytes.length,
      cliVersion: pinnedCliVersion(),
      now: Date.now(),
    });
  }

  async #planned(operation: Operation, expected: PreparedSession['continuity']): Promise<void> {
    const prepared = await this.#time(operation, () => this.#plan());
    if (prepared.continuity !== expected || prepared.start !== 'resume') {
      throw new Error(`The plan was ${prepared.continuity} (${prepared.reason}) instead of ${expected}.`);
    }
  }

  async #plan(): Promise<PreparedSession> {
    return await prepareSession(this.#database, {
      conversationId: this.#session.conversation_id,
      dispatchId: 'bench',
      folders: this.#folders,
      cwd: this.#subject.cwd,
      model: AGENT.model,
      cliVersion: pinnedCliVersion(),
      archive: true,
      policy: 'resume',
      floor: 'resumed',
      floorReason: null,
      now: Date.now(),
    });
  }

  /** Only what verification reads. */
  #deps(): RunnerDeps {
    return { database: this.#database, log: silentLog, sessions: { archive: true } } as RunnerDeps;
  }

  async #time<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const { ms, value } = await timed(work);
    // A stall is noticed by the first timer after it.
    await sleep(3);
    delay.disable();
    this.times[operation].ms.push(ms);
    this.times[operation].stall.push(delay.max / 1e6);
    return value;
  }
}

function lastLineOf(bytes: Buffer): number {
  return bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
}

/** For scale: the CLI itself reads the whole file at every start, too. */
async function startsOfCli(bench: Bench, subject: Subject & { folder: string }): Promise<number[]> {
  const folders = foldersIn(subject.folder, 'cli');
  const file = join(folders.config, transcriptPath(subject.sessionId));
  writeFileSync(file, subject.bytes);
  const start = await captureStart({
    folders,
    cwd: subject.cwd,
    session: { id: subject.sessionId, start: 'resume', resumeAt: null },
    prompt: 'And what did you find?',
    agent: AGENT,
    model: subject.model,
  });
  const times: number[] = [];
  for (let n = 0; n < (bench.quick ? 1 : 5); n++) {
    const copy = join(subject.folder, 'by-hand');
    cpSync(folders.config, copy, { recursive: true });
    writeFileSync(join(copy, transcriptPath(subject.sessionId)), subject.bytes);
    times.push(await startByHand(start, subject.model, copy));
    rmSync(copy, { recursive: true });
    const asked = subject.model.requests.findLast((r) => r.kind === 'turn')!;
    if (asked.historyMessages === 0) throw new Error('The CLI did not resume: it sent no history.');
  }
  return times;
}

function tables(bytes: Buffer, measured: { name: string; times: Times }[], cli: number[]): Table[] {
  const size = `${figure(bytes.length / 1e6, 0)} MB`;
  return [
    {
      caption: `Milliseconds with a transcript of ${size}: median (largest; longest stall of the event loop)`,
      head: ['operation', ...measured.map((m) => m.name)],
      rows: OPERATIONS.map((operation) => [
        operation,
        ...measured.map(({ times }) => {
          const ms = summarise(times[operation].ms);
          const stall = Math.max(...times[operation].stall);
          return `${figure(ms.median)} (${figure(ms.max)}; ${figure(stall)})`;
        }),
      ]),
    },
    {
      caption: `For scale: the CLI by hand on the same ${size}`,
      head: ['milliseconds from spawn to the first request', 'n', 'min', 'median', 'max'],
      rows: [
        [
          '`--resume`',
          ...[cli.length, summarise(cli).min, summarise(cli).median, summarise(cli).max].map((v) =>
            figure(v, 0),
          ),
        ],
      ],
    },
  ];
}
