/** The real service as a process of its own, with pocket forge and rehearsal model in this one, on either database. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { RecordedRequest } from '../rehearsal/model-record.ts';
import { type Database, openDatabase } from '../src/database/database.ts';
import { Stage } from '../test/support/service.ts';
import { OWNER, REPOSITORY, usualConfig } from '../test/support/service-config.ts';
import type { Bench } from './bench.ts';
import { KNOWN_EARLIER } from './earlier.ts';
import type { Mark } from './marks.ts';
import { type ServeProcess, serve } from './serve-process.ts';

const MARKS = fileURLToPath(new URL('marks.ts', import.meta.url));
const SOURCE = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const DEV = fileURLToPath(new URL('../defaults/agents/dev.md', import.meta.url));

export interface BenchStageOptions {
  databaseUrl: string;
  /** YAML of the model's script */
  script: string;
  /** dispatches of the one agent at once */
  concurrency: number;
  /** file for the marks of the service, or null for a service as anybody would start it */
  marks: string | null;
  /** the default quiet window; left out: none */
  usualWaits?: true;
  /** the `cli` to run; the one in src/ when left out */
  cli?: string;
}

export interface BenchStage {
  stage: Stage;
  service: ServeProcess;
  database: Database;
  /** Resolves when every hook was delivered, every delivery decided, and no dispatch waits or runs. */
  settled(): Promise<void>;
  /** The first request of a turn that the model got after its first `from` records. */
  firstTurn(from: number): Promise<RecordedRequest>;
  marksSince(line: number): Mark[];
  close(): Promise<void>;
}

export async function openStage(bench: Bench, options: BenchStageOptions): Promise<BenchStage> {
  const { databaseUrl, marks, concurrency } = options;
  const stage = await Stage.open({
    model: options.script,
    files: { 'agents/dev.md': withConcurrency(readFileSync(DEV, 'utf8'), concurrency) },
    configText: (at) => {
      const config = {
        ...KNOWN_EARLIER,
        database: { url: '${DATABASE_URL}' },
        worker: { concurrency },
        mailbox: options.usualWaits === true ? {} : { quiet_seconds: 0, max_wait_seconds: 0 },
        log: { format: 'json' },
        // The usual setting counts, and an earlier release refuses the key.
        ...(options.usualWaits === true ? { feedback: undefined } : {}),
      };
      const usual = usualConfig({ model: options.script, config }, at);
      return { ...usual, env: { ...usual.env, DATABASE_URL: databaseUrl, ...marking(marks) } };
    },
  });
  const ends = [() => stage.close()];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  bench.atEnd(close);
  const service = await serve({ cli: options.cli ?? SOURCE, config: stage.configFile, env: stage.env });
  ends.push(() => service.stop());
  await stage.forge.as(OWNER).addHook(REPOSITORY, {
    url: `${service.url}/webhooks/home`,
    secret: stage.env.WEBHOOK_SECRET!,
  });
  const database = openDatabase({ url: databaseUrl, readOnly: true });
  ends.push(() => database.close());
  return {
    stage,
    service,
    database,
    settled: () => settled(stage, database),
    firstTurn: (from) =>
      stage.until('the model is asked', () =>
        stage.model.requests.slice(from).find((r) => r.kind === 'turn'),
      ),
    marksSince: (line) => (marks === null ? [] : readMarks(marks).slice(line)),
    close,
  };
}

function marking(file: string | null): Record<string, string> {
  if (file === null) return {};
  return { BENCH_MARKS: file, NODE_OPTIONS: `--import ${pathToFileURL(MARKS).href}` };
}

function withConcurrency(agent: string, concurrency: number): string {
  return agent
    .replace(/^concurrency: .*\n/m, '')
    .replace(/^name: dev$/m, `name: dev\nconcurrency: ${concurrency}`);
}

function readMarks(file: string): Mark[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Mark);
}

async function settled(stage: Stage, { rows }: Database): Promise<void> {
  await stage.until('everything is settled', async () => {
    await stage.forge.settled();
    const hooks = stage.forge.deliveries.length;
    const busy = await rows
      .selectFrom('deliveries')
      .select('id')
      .where('state', '=', 'received')
      .union(
        rows
          .selectFrom('dispatches')
          .select('id')
          .where('state', 'in', ['queued', 'running', 'interrupted', 'parked']),
      )
      .execute();
    const delivered = stage.forge.deliveries.every((d) => d.state !== 'waiting');
    return busy.length === 0 && delivered && hooks === stage.forge.deliveries.length;
  });
}

/** A folder below `parent` that exists. */
export function folderIn(parent: string, name: string): string {
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
