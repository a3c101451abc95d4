/**
 * A conversation on real parts: rows in a database, the real CLI through the real SDK, the rehearsal model. A turn goes
 * through mailbox, lease, runner and settlement as the worker does it; only forge and checkout are left out.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RehearsalModel, startRehearsalModel } from '../../rehearsal/model.ts';
import type { RecordedRequest } from '../../rehearsal/model-record.ts';
import { parseModelScript } from '../../rehearsal/model-script.ts';
import type {
  AgentOptions,
  AgentTool,
  DispatchRun,
  RunnerDeps,
  RunOutcome,
} from '../../src/agent-runner/run.ts';
import type { BackgroundTask } from '../../src/agent-runner/turns.ts';
import { runWithSessionResume } from '../../src/agent-runner.ts';
import type { ContainerEngine } from '../../src/container/container.ts';
import { processEngine } from '../../src/container/process.ts';
import { type Database, migrate, openDatabase } from '../../src/database/database.ts';
import type { ConversationRow, DispatchRow, IncidentRow, SessionRow } from '../../src/database/tables.ts';
import { announceRun, noteBackground, storeAnswer } from '../../src/dispatch/converse/announced.ts';
import type { Gateway, GatewayCaps } from '../../src/gateway/port.ts';
import { LIST_PRICES } from '../../src/gateway/prices.ts';
import { createGateway } from '../../src/gateway.ts';
import { storeEvent } from '../../src/inbox/events.ts';
import { type Log, silentLog } from '../../src/log.ts';
import { resolveConversation } from '../../src/mailbox/conversations.ts';
import { type Lease, leaseConversation } from '../../src/mailbox/leases.ts';
import { appendMessage } from '../../src/mailbox/messages.ts';
import { settleDispatch } from '../../src/mailbox/settlement.ts';
import { type CliFolders, cliFolders, transcriptPath } from '../../src/sessions/folders.ts';
import { commentEvent } from './sample-events.ts';
import { testedCli } from './tested-cli.ts';

export const FLOCK = '/usr/bin/flock';

export interface TurnOptions {
  archive?: boolean;
  engine?: ContainerEngine;
  /** another working folder than the conversation's usual one */
  cwd?: string;
  /** another state folder: the CLI's home moves with it */
  state?: string;
  signal?: AbortSignal;
  policy?: 'resume' | 'fresh';
  /** as `DispatchRun.instructions` */
  instructions?: readonly string[];
  maxTurns?: number;
  permissionMode?: DispatchRun['agent']['permissionMode'];
  model?: Partial<RunnerDeps['model']>;
  /** instead of a plain one */
  agent?: Partial<AgentOptions>;
  /** what stands between the CLI and the gateway */
  gateway?: (ours: Gateway) => Gateway;
  /** instead of the rehearsal model */
  upstream?: string;
  tools?: AgentTool[];
  steer?: DispatchRun['steer'];
  backgroundMs?: number;
  caps?: GatewayCaps;
  /** of the container */
  settings?: Partial<DispatchRun['container']['settings']>;
}

const SETTINGS: DispatchRun['container']['settings'] = {
  image: null,
  memoryBytes: null,
  cpus: null,
  pids: 2048,
  user: null,
  network: 'none',
  mounts: [],
};

export interface Turn {
  outcome: RunOutcome;
  dispatch: DispatchRow;
  /** what the model received in this turn, side requests left out */
  requests: RecordedRequest[];
  /** everything that stood before this turn's prompt in its first request, as text */
  history: string;
}

export class TestConversation {
  readonly folder: string;
  /** another object after `atRest` */
  database: Database;
  readonly model: RehearsalModel;
  readonly logged: string[] = [];
  readonly cwd: string;
  #row: ConversationRow | null = null;
  #gateway: Gateway | null = null;
  #messages = 0;
  #upstream: string | null = null;

  private constructor(folder: string, database: Database, model: RehearsalModel) {
    this.folder = folder;
    this.database = database;
    this.model = model;
    this.cwd = join(folder, 'checkout');
    mkdirSync(this.cwd, { recursive: true });
  }

  static async open(
    script: string,
    database?: Database,
    folder = mkdtempSync(join(tmpdir(), 'claude-hooks-test-')),
  ): Promise<TestConversation> {
    mkdirSync(folder, { recursive: true });
    const opened = database ?? openFile(folder);
    if (database === undefined) await migrate(opened);
    const model = await startRehearsalModel({ script: parseModelScript(script, 'test') });
    return new TestConversation(folder, opened, model);
  }

  /** The same conversation in another process: its rows, its folders, the model of whoever opened it. */
  static join(folder: string, model: RehearsalModel): TestConversation {
    return new TestConversation(folder, openFile(folder), model);
  }

  /** Nothing of it is open while `work` copies or replaces its folder. */
  async atRest(work: () => void): Promise<void> {
    await this.#gateway?.close();
    this.#gateway = null;
    await this.database.close();
    work();
    this.database = openFile(this.folder);
    const { rows } = this.database;
    this.#row = (await rows.selectFrom('conversations').selectAll().executeTakeFirst()) ?? null;
    this.#messages = (await rows.selectFrom('messages').select('id').execute()).length;
  }

  async close(): Promise<void> {
    await this.#gateway?.close();
    await this.model.close();
    await this.database.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get state(): string {
    return join(this.folder, 'state');
  }

  /** Folders of the conversation's CLI. */
  folders(state = this.state): CliFolders {
    return cliFolders(state, this.#row!.id);
  }

  get id(): string {
    return this.#row!.id;
  }

  /** Absolute path of a session's transcript. */
  transcript(session: SessionRow): string {
    return join(session.config_folder, transcriptPath(session.id));
  }

  transcriptText(session: SessionRow): string {
    return readFileSync(this.transcript(session), 'utf8');
  }

  async sessions(): Promise<SessionRow[]> {
    return await this.database.rows.selectFrom('sessions').selectAll().orderBy('ordinal').execute();
  }

  /** The newest session of the chain. */
  async session(): Promise<SessionRow> {
    return (await this.sessions()).at(-1)!;
  }

  async incidents(): Promise<IncidentRow[]> {
    return await this.database.rows.selectFrom('incidents').selectAll().orderBy('seq').execute();
  }

  /** Puts a message into the mailbox and leases the dispatch that carries it. */
  async lease(): Promise<Lease> {
    const event = commentEvent('hello');
    await this.database.transaction(async (tx) => {
      const conversation = await resolveConversation(tx, {
        forge: 'home',
        repository: event.repository,
        agent: 'dev',
        item: event.item!,
        now: Date.now(),
      });
      this.#row = conversation;
      const deliveryId = `delivery-${++this.#messages}`;
      await appendMessage(tx, {
        conversation,
        deliveryId,
        eventId: (await storeEvent(tx, { event, source: 'replay', deliveryId })).id,
        flow: 'test',
        skill: 'test',
        parameters: {},
        priority: 50,
        now: Date.now(),
        quietMs: 0,
        maxWaitMs: 0,
      });
    });
    return await this.leaseAgain();
  }

  async leaseAgain(): Promise<Lease> {
    const lease = await leaseConversation(this.database, {
      worker: 'test',
      now: Date.now() + 10 * 60_000,
      leaseMs: 60_000,
      agentLimits: new Map([['dev', 5]]),
    });
    if (lease === null) throw new Error('nothing could be leased');
    return lease;
  }

  /** One whole turn: message → lease → run → answer stored → settled. */
  async turn(prompt: string, options: TurnOptions = {}): Promise<Turn> {
    return await this.run(await this.lease(), prompt, options);
  }

  async run(lease: Lease, prompt: string, options: TurnOptions = {}): Promise<Turn> {
    const from = this.model.requests.length;
    this.#upstream = options.upstream ?? null;
    const deps = await this.deps(options);
    const outcome = await runWithSessionResume(this.#dispatchRun(lease, prompt, options), deps);
    await this.#settle(lease, outcome);
    const requests = this.model.requests.slice(from).filter((r) => r.kind === 'turn');
    const first = requests[0];
    return {
      outcome,
      dispatch: await this.#dispatch(lease.dispatch.id),
      requests,
      history: first === undefined ? '' : historyText(first),
    };
  }

  #dispatchRun(lease: Lease, prompt: string, options: TurnOptions) {
    return {
      id: lease.dispatch.id,
      conversationId: lease.conversation.id,
      agentName: 'dev',
      agent: {
        model: 'claude-sonnet-4-5',
        effort: null,
        tools: null,
        disallowedTools: [],
        maxTurns: options.maxTurns ?? null,
        permissionMode: options.permissionMode ?? ('bypassPermissions' as const),
        instructions: 'You are a test.',
        ...options.agent,
      },
      policy: options.policy ?? ('resume' as const),
      cwd: options.cwd ?? this.cwd,
      instructions: options.instructions ?? null,
      container: {
        settings: { ...SETTINGS, ...options.settings },
        relay: this.#relay(),
        caches: [],
        checkoutName: 'checkout',
      },
      tools: options.tools ?? [],
      caps: options.caps ?? { requests: null, tokens: null, usd: null },
      folders: cliFolders(options.state ?? this.state, lease.conversation.id),
      marked: () => null,
      retried: lease.previous !== null,
      unfinished: lease.dispatch.background !== null,
      background: (tasks: readonly BackgroundTask[]) => noteBackground(this.database, lease, tasks),
      steer: options.steer,
      prompt: () => prompt,
      announce: (start: Parameters<DispatchRun['announce']>[0]) =>
        announceRun(this.database, lease, {
          ...start,
          carried: lease.messages.map((m) => m.id),
          checkout: null,
        }),
      signal: options.signal ?? new AbortController().signal,
    };
  }

  /** What the next start does with a dispatch whose service died. */
  async interrupt(lease: Lease): Promise<void> {
    const settlement = { state: 'interrupted' as const, reason: 'the service died' };
    await settleDispatch(this.database, lease, { settlement, now: Date.now() });
  }

  async #settle(lease: Lease, outcome: RunOutcome): Promise<void> {
    const now = Date.now();
    if (outcome.kind === 'answered' || outcome.kind === 'capped') {
      const answer = outcome.kind === 'answered' ? outcome.answer : 'capped';
      await storeAnswer(this.database, lease, { outcome, answer, snapshot: '{}', branch: null, now });
      await settleDispatch(this.database, lease, { settlement: { state: 'succeeded' }, now });
    } else if (outcome.kind === 'refused' || outcome.kind === 'declined') {
      await settleDispatch(this.database, lease, {
        settlement: { state: 'failed', reason: outcome.reason },
        now,
      });
    } else {
      await settleDispatch(this.database, lease, {
        settlement: { state: 'interrupted', reason: outcome.why },
        now,
      });
    }
  }

  async #dispatch(id: string): Promise<DispatchRow> {
    return await this.database.rows
      .selectFrom('dispatches')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
  }

  /** Folders as the workdir makes them; this conversation has no repository behind them. */
  #relay(): { root: string; origin: string } {
    const root = join(this.folder, 'relay');
    const origin = join(this.folder, 'origin.git');
    for (const name of ['push.git', 'outbox', 'answers', 'programs'])
      mkdirSync(join(root, name), { recursive: true });
    mkdirSync(origin, { recursive: true });
    return { root, origin };
  }

  async #openGateway(): Promise<Gateway> {
    this.#gateway ??= await createGateway({
      folder: join(this.folder, 'run'),
      upstream: () => ({
        baseUrl: this.#upstream ?? this.model.url,
        credential: { kind: 'api-key', value: 'sk-ant-test' },
      }),
      refreshCredential: () => {},
      prices: LIST_PRICES,
      database: this.database,
      log: this.#log(),
      now: () => Date.now(),
    });
    return this.#gateway;
  }

  async deps(options: TurnOptions = {}): Promise<RunnerDeps> {
    return {
      database: this.database,
      engine: options.engine ?? processEngine({ flock: FLOCK }),
      gateway: options.gateway?.(await this.#openGateway()) ?? (await this.#openGateway()),
      log: this.#log(),
      now: () => Date.now(),
      instance: this.folder,
      model: { retries: 0, idleSeconds: 120, small: null, ...options.model },
      path: process.env.PATH!,
      cli: async () => testedCli(),
      forwarder: async () => null,
      sessions: {
        archive: options.archive ?? true,
        flushMs: 50,
        maxFailedResumes: 2,
        lateMessagesMs: 2000,
        backgroundMs: options.backgroundMs ?? 60_000,
      },
    };
  }

  #log(): Log {
    const keep = (message: string) => void this.logged.push(message);
    return { ...silentLog, info: keep, warn: keep, error: keep };
  }
}

function openFile(folder: string): Database {
  return openDatabase({ url: `sqlite:${join(folder, 'test.db')}` });
}

/** Everything before the last genuine prompt: what the model knew when it was asked. */
export function historyText(request: RecordedRequest): string {
  const at = request.messages.findLastIndex(
    (m) =>
      m.role === 'user' && JSON.stringify(m.content).includes(JSON.stringify(request.prompt).slice(1, -1)),
  );
  return JSON.stringify(request.messages.slice(0, Math.max(at, 0)));
}
