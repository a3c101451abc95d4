/**
 * The whole service on real parts: pocket forge, rehearsal model, one configuration file, real git and the real CLI.
 * `start` runs the service in this process, `spawn` as a process of its own that can be killed. Both take the same port
 * at every start, because the forge's hook points there.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RehearsalModel, startRehearsalModel } from '../../rehearsal/model.ts';
import type { RecordedRequest } from '../../rehearsal/model-record.ts';
import { parseModelScript } from '../../rehearsal/model-script.ts';
import { type PocketForge, startPocketForge } from '../../rehearsal/pocket-forge.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import type { DispatchRow, EffectRow, MessageRow, SessionRow } from '../../src/database/tables.ts';
import type { ServiceOptions } from '../../src/wiring/foundation.ts';
import type { ServicePart } from '../../src/wiring/service-parts.ts';
import { type Service, startService } from '../../src/wiring.ts';
import { patience } from './patience.ts';
import { killInside } from './processes.ts';
import {
  accountsOf,
  collaboratorsOf,
  OWNER,
  REPOSITORY,
  type StageConfig,
  type StageForm,
  type StageOptions,
  usualConfig,
} from './service-config.ts';
import { ServiceProcess } from './service-process.ts';

const FILES = {
  'README.md': '# greeter\n\nGreets people by name.\n',
  'greeter.js': 'export function greet(name) {\n  return `Hello, ${nam}!`;\n}\n',
};

/** Longest wait for anything. */
const PATIENCE_MS = patience(90_000);
/** A look is a query or two, and a dispatch takes seconds. */
const LOOK_EVERY_MS = 50;
const SQLITE_BUSY = 5;

export class Stage {
  readonly folder: string;
  readonly model: RehearsalModel;
  /** another object after `startForge` */
  forge: PocketForge;
  readonly logged: string[] = [];
  /** put into the environment of the service */
  readonly extraEnv: Record<string, string> = {};
  /** for a service in this process */
  reach: NonNullable<ServiceOptions['reach']> = {};
  readonly #form: StageForm | undefined;
  readonly #isHookless: boolean;
  #config: StageConfig | null = null;
  #port = 0;
  #running: { close(): Promise<void> } | null = null;
  #database: Database | null = null;
  #state = 'state';

  private constructor(
    folder: string,
    parts: { forge: PocketForge; model: RehearsalModel; form: StageForm | undefined; isHookless: boolean },
  ) {
    this.folder = folder;
    this.forge = parts.forge;
    this.model = parts.model;
    this.#form = parts.form;
    this.#isHookless = parts.isHookless;
  }

  static async open(options: StageOptions): Promise<Stage> {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'claude-hooks-stage-'));
    const model = await startRehearsalModel({ script: parseModelScript(options.model, 'model.yaml') });
    const { form, isHookless = false } = options;
    const forge = await openForge({ folder, port: 0, form });
    const stage = new Stage(folder, { forge, model, form, isHookless });
    await stage.#furnish(options);
    return stage;
  }

  async #furnish(options: StageOptions): Promise<void> {
    const at = { forge: this.forge.url, model: this.model.url };
    this.#config = options.configText?.(at) ?? usualConfig(options, at);
    this.write({ 'claude-hooks.yaml': this.#config.text, ...options.files });
    if (options.folder === undefined) await this.addRepository('greeter');
  }

  /** A repository of ada's where the agents may write; its hook comes with `hook`. */
  async addRepository(name: string): Promise<void> {
    const collaborators = collaboratorsOf(this.#form);
    await this.forge.createRepository({ owner: OWNER, name, files: FILES, collaborators });
  }

  async hook(repository: string): Promise<void> {
    await this.forge.as(OWNER).addHook(repository, {
      url: `${this.url}/webhooks/${this.#config!.forge}`,
      secret: this.#config!.webhookSecret,
    });
  }

  /** Address of the service. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get webhookSecret(): string {
    return this.#config!.webhookSecret;
  }

  get configFile(): string {
    return join(this.folder, 'claude-hooks.yaml');
  }

  get env(): Record<string, string> {
    return {
      PATH: process.env.PATH!,
      HOME: this.folder,
      ...this.#config!.env,
      PORT: String(this.#port),
      ...this.extraEnv,
    };
  }

  get state(): string {
    return join(this.folder, this.#state);
  }

  /** The state folder is somewhere else from the next start on; `relocate` brings it there. The service is stopped. */
  async moveState(name: string, relocate: (from: string, to: string) => void): Promise<void> {
    await this.#database?.close();
    this.#database = null;
    const from = this.state;
    const config = readFileSync(this.configFile, 'utf8').replace(`./${this.#state}`, `./${name}`);
    this.#state = name;
    mkdirSync(dirname(this.state), { recursive: true });
    relocate(from, this.state);
    writeFileSync(this.configFile, config);
  }

  /** The bare repository behind the forge, to look into. */
  repositoryFolder(fullName: string): string {
    return join(this.folder, 'forge', 'repositories', `${fullName}.git`);
  }

  /** Files beside claude-hooks.yaml. */
  write(files: Record<string, string>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  }

  /** The service in this process, or the parts `only` with `web` among them. `stop` it, or leave that to `close`. */
  async start(only?: readonly ServicePart[]): Promise<Service> {
    const service = await startService({
      file: this.configFile,
      env: this.env,
      reach: this.reach,
      write: (line) => void this.logged.push(line),
      ...(only === undefined ? {} : { only }),
    });
    let stopped: Promise<void> | null = null;
    const once = {
      ...service,
      stop: () => {
        stopped ??= service.stop();
        return stopped;
      },
    };
    await this.#settleIn(service.url!, () => once.stop());
    return once;
  }

  /** The service as `claude-hooks serve`. */
  async spawn(): Promise<ServiceProcess> {
    const service = new ServiceProcess({ configFile: this.configFile, env: this.env, logged: this.logged });
    await this.#settleIn(await service.listening, () => service.kill());
    return service;
  }

  /** A start that is expected to fail: waits for its end. */
  async spawnAgain(): Promise<{ code: number | null; output: string }> {
    const logged: string[] = [];
    const service = new ServiceProcess({ configFile: this.configFile, env: this.env, logged });
    service.listening.then(
      () => service.kill(),
      () => {},
    );
    return { code: await service.ended, output: logged.join('') };
  }

  async #settleIn(url: string, close: () => Promise<void>): Promise<void> {
    this.#running = { close };
    const first = this.#port === 0;
    this.#port = Number(new URL(url).port);
    if (first && !this.#isHookless) await this.hook(REPOSITORY);
  }

  /** As a forge that is down: connections are refused, and it forgets nothing. */
  async stopForge(): Promise<void> {
    await this.forge.close();
  }

  async startForge(): Promise<void> {
    const port = Number(new URL(this.forge.url).port);
    this.forge = await openForge({ folder: this.folder, port, form: this.#form });
  }

  /** A read-only look beside the service. */
  get rows(): Database['rows'] {
    this.#database ??= openDatabase({
      url: this.#config!.database ?? `sqlite:${join(this.state, 'claude-hooks.db')}`,
      readOnly: true,
    });
    return this.#database.rows;
  }

  async dispatches(): Promise<DispatchRow[]> {
    return await this.rows.selectFrom('dispatches').selectAll().orderBy('seq').execute();
  }

  async messages(): Promise<MessageRow[]> {
    return await this.rows.selectFrom('messages').selectAll().orderBy('seq').execute();
  }

  async sessions(): Promise<SessionRow[]> {
    return await this.rows.selectFrom('sessions').selectAll().orderBy('created_at').execute();
  }

  async effects(): Promise<EffectRow[]> {
    return await this.rows.selectFrom('effects').selectAll().orderBy('seq').execute();
  }

  /** What the model was asked on behalf of the agents; titles and probes of the CLI are left out. */
  get turns(): RecordedRequest[] {
    return this.model.requests.filter((r) => r.kind === 'turn');
  }

  /** All that waits for a time that is named in a row may go on now. */
  async endParks(): Promise<void> {
    const db = new DatabaseSync(join(this.state, 'claude-hooks.db'));
    try {
      // The service may be in a transaction on this very thread: waiting inside SQLite would keep it from ending.
      db.exec('PRAGMA busy_timeout = 0');
      await this.until('the database is free', () => {
        try {
          // Now, not long ago: what waited behind the park is due since longer, as when a park really ends.
          const now = Date.now();
          db.exec(
            `BEGIN IMMEDIATE; UPDATE holds SET until = ${now} WHERE ended_at IS NULL AND until > ${now}; UPDATE dispatches SET due_at = ${now} WHERE state = 'parked'; COMMIT`,
          );
          return true;
        } catch (error) {
          if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
          return false;
        }
      });
    } finally {
      db.close();
    }
  }

  /**
   * Resolves when nothing is left to happen: hooks delivered, deliveries decided, no dispatch that could run now or
   * runs. A hook is queued before the dispatch that caused it is settled, so a second look at the hooks tells whether
   * the rows were read in between.
   */
  async settled(): Promise<void> {
    await this.until('everything is settled', async () => {
      await this.forge.settled();
      const hooks = this.forge.deliveries.length;
      const busy = await this.rows
        .selectFrom('deliveries')
        .select('id')
        .where('state', '=', 'received')
        .union(
          this.rows
            .selectFrom('dispatches')
            .select('id')
            .where((e) =>
              e.or([
                e('state', 'in', ['queued', 'running', 'interrupted']),
                e.and([e('state', '=', 'parked'), e('due_at', '<=', Date.now())]),
              ]),
            ),
        )
        .execute();
      return busy.length === 0 && hooks === this.forge.deliveries.length && this.#hooksAreOut();
    });
  }

  #hooksAreOut(): boolean {
    return this.forge.deliveries.every((d) => d.state !== 'waiting');
  }

  /** Looks until `look` answers something other than null, undefined or false. */
  async until<T>(what: string, look: () => Promise<T> | T): Promise<NonNullable<T>> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const seen = await look();
      if (seen !== null && seen !== undefined && seen !== false) return seen as NonNullable<T>;
      if (Date.now() > deadline) {
        throw new Error(`Waited ${PATIENCE_MS} ms in vain until ${what}. The log:\n${this.logged.join('')}`);
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** The n-th dispatch (from 1), as soon as it is in this state. */
  async untilDispatch(n: number, state: DispatchRow['state']): Promise<DispatchRow> {
    return await this.until(`dispatch ${n} is ${state}`, async () => {
      const row = (await this.dispatches())[n - 1];
      return row?.state === state ? row : null;
    });
  }

  async untilLogged(text: string): Promise<void> {
    await this.until(`the log says: ${text}`, () => this.logged.some((line) => line.includes(text)));
  }

  async reached(hold: string): Promise<void> {
    let there = false;
    void this.model.reached(hold).then(() => {
      there = true;
    });
    await this.until(`the model reached ${hold}`, () => there);
  }

  /** Path of this file in the first checkout that has it; null = none has. */
  fileInCheckouts(name: string): string | null {
    const checkouts = join(this.state, 'work', 'checkouts');
    if (!existsSync(checkouts)) return null;
    const paths = readdirSync(checkouts).map((id) => join(checkouts, id, 'greeter', name));
    return paths.find((path) => existsSync(path)) ?? null;
  }

  /** Ids of the processes that run for dispatches of this service. */
  async processes(): Promise<number[]> {
    const instance = readFileSync(join(this.state, 'instance'), 'utf8').trim();
    try {
      // SIGCONT disturbs nobody that runs.
      return await killInside(instance, 'SIGCONT');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return await this.processes();
      if (!/^no process of/.test((error as Error).message)) throw error;
      return [];
    }
  }

  /** A test that failed may have left a service that is killed here, and its tools behind it. */
  async #endProcesses(): Promise<void> {
    if (!existsSync(join(this.state, 'instance'))) return;
    await this.until('nothing is left', async () => {
      const left = await this.processes();
      for (const pid of left) process.kill(pid, 'SIGKILL');
      return left.length === 0;
    });
  }

  async close(): Promise<void> {
    await this.#running?.close();
    await this.#endProcesses();
    await this.#database?.close();
    await this.forge.close();
    await this.model.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function openForge(o: {
  folder: string;
  port: number;
  form: StageForm | undefined;
}): Promise<PocketForge> {
  return await startPocketForge({
    kind: o.form?.kind ?? 'forgejo',
    folder: join(o.folder, 'forge'),
    port: o.port,
    users: accountsOf(o.form),
  });
}
