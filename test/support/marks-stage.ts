/** A session that runs, on a real forge with a stranger (cy): real trust, real rows, real context, real tools. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  type Listener,
  REPO,
  startListener,
  startTrial,
  type Trial,
} from '../../rehearsal/pocket-forge-trial.ts';
import type { AgentTool } from '../../src/agent-runner/run.ts';
import type { BrokerScope } from '../../src/broker/scope.ts';
import { FORGE_TOOL_NAMES, forgeTools } from '../../src/broker.ts';
import type { LoadedConfig } from '../../src/config/config.ts';
import { type Database, migrate, openDatabase } from '../../src/database/database.ts';
import { readTexts } from '../../src/dispatch/converse/prompt-budget.ts';
import { type PromptMaterial, spokenIn } from '../../src/dispatch/converse/prompts.ts';
import { type SessionMarks, sessionMarks } from '../../src/dispatch/converse/session-marks.ts';
import type { DispatchContext } from '../../src/dispatch/screen/context.ts';
import type { Snapshot } from '../../src/flows/changes.ts';
import type { Forge } from '../../src/forges/forge.ts';
import { createGiteaFamilyClient } from '../../src/forges/gitea/client.ts';
import { acceptDelivery } from '../../src/inbox.ts';
import { silentLog } from '../../src/log.ts';
import { type Lease, leaseConversation } from '../../src/mailbox/leases.ts';
import { outgoingForge } from '../../src/outcome/outgoing-forge.ts';
import { routeNext } from '../../src/router.ts';
import { openMarks } from '../../src/sessions/marks.ts';
import { proposeSession } from '../../src/sessions.ts';
import { createTrust, type Trust } from '../../src/trust.ts';
import { openWorkdir } from '../../src/workdir.ts';
import { ConfigFolder, SMALL_CONFIG } from './config-folder.ts';
import { dispatchOf, gatherAndScreen, gatherDepsOf } from './gathering.ts';

export const STRANGER = 'cy';
const LOGINS = ['ada', 'bo', STRANGER, 'root', 'dev-bot', 'review-bot'];

export class MarksStage {
  readonly trial: Trial;
  readonly database: Database;
  readonly #listener: Listener;
  readonly #config: LoadedConfig;
  readonly #trust: Trust;
  #taken = 0;
  /** changes what the forge answers, where the pocket forge has no such thing (forks) */
  change: (forge: Forge) => Forge = (forge) => forge;

  private constructor(trial: Trial, listener: Listener, database: Database) {
    this.trial = trial;
    this.#listener = listener;
    this.database = database;
    using folder = new ConfigFolder(
      {
        'claude-hooks.yaml': SMALL_CONFIG.replace('https://forge.example.org/', trial.forge.url)
          .replace('team/shop', REPO)
          .replace('    accounts:', '    fork_pulls: true\n    accounts:'),
      },
      { MODEL_KEY: 'k', HOOK_SECRET: 's', DEV_TOKEN: 'dev-bot-token', REVIEW_TOKEN: 'review-bot-token' },
    );
    this.#config = folder.load();
    this.#trust = createTrust({
      forges: () => this.#config.forges,
      client: (home, agent) =>
        createGiteaFamilyClient({ name: 'home', url: home.url, token: home.accounts[agent]!.token }),
      now: Date.now,
      log: silentLog,
    });
  }

  static async open(): Promise<MarksStage> {
    const users = LOGINS.map((login) => ({ login, token: `${login}-token`, admin: login === 'root' }));
    const trial = await startTrial({ users });
    const listener = await startListener();
    const ada = trial.forge.as('ada');
    for (const login of ['dev-bot', 'review-bot']) await ada.setCollaborator(REPO, login, 'write');
    await ada.addHook(REPO, { url: listener.url, secret: 's' });
    const database = openDatabase({ url: `sqlite:${join(trial.desk, 'rows.db')}` });
    await migrate(database);
    return new MarksStage(trial, listener, database);
  }

  async end(): Promise<void> {
    await this.#listener.end();
    await this.database.close();
    await this.trial.end();
  }

  /** ada gives the item to the agent; answers its lease. */
  async lease(number: number): Promise<Lease> {
    await this.trial.forge.as('ada').assign(REPO, number, ['dev-bot']);
    await this.#route();
    const found = await leaseConversation(this.database, {
      worker: 'w',
      now: Date.now() + 60_000,
      leaseMs: 600_000,
      agentLimits: new Map([['dev', 10]]),
    });
    if (found === null) throw new Error('Nothing waits for the agent.');
    return found;
  }

  async #route(): Promise<void> {
    await this.trial.forge.settled();
    for (const { headers, raw } of this.#listener.received.slice(this.#taken)) {
      await acceptDelivery(this.database.rows, {
        forge: 'home',
        forgeDeliveryId: String(headers['x-forgejo-delivery']),
        source: 'webhook',
        headers: headers as Record<string, string>,
        body: raw,
        now: Date.now(),
      });
    }
    this.#taken = this.#listener.received.length;
    const deps = { database: this.database, config: () => this.#config, trust: this.#trust };
    while (await routeNext({ ...deps, now: Date.now, log: silentLog }));
  }

  #forge(): Forge {
    const { url } = this.#config.forges.home!;
    return this.change(createGiteaFamilyClient({ name: 'home', url, token: 'dev-bot-token' }));
  }

  async context(lease: Lease): Promise<DispatchContext & { lease: Lease }> {
    const gathered = await gatherAndScreen(
      dispatchOf(lease, this.#config, this.#forge()),
      gatherDepsOf({
        database: this.database,
        trust: this.#trust,
        workdir: openWorkdir({ folder: join(this.trial.desk, 'work') }),
      }),
    );
    if (gathered.kind !== 'ready') throw new Error(gathered.reason);
    return { ...gathered.context, lease: gathered.dispatch.lease };
  }

  async material(
    { lease, ...context }: DispatchContext & { lease: Lease },
    seen: Snapshot | null = null,
  ): Promise<PromptMaterial & { lease: Lease }> {
    return {
      lease,
      context,
      texts: await readTexts(context),
      agent: this.#config.agents.get('dev')!,
      login: 'dev-bot',
      skills: this.#config.skills,
      conversation: {
        exists: true,
        dispatches: 0,
        branch: null,
        itemNumber: lease.conversation.item_number,
      },
      seen,
    };
  }

  async session(lease: Lease, woke: ReadonlySet<number> = new Set()): Promise<RunningSession> {
    const { id } = await proposeSession(this.database.rows, {
      conversationId: lease.conversation.id,
      configFolder: '/nowhere',
      synthesised: false,
      follows: null,
      reason: '',
      now: 1,
    });
    const forgeConfig = this.#config.forges.home!;
    const repository = { id: lease.conversation.repository_id, fullName: REPO };
    const marks = sessionMarks({
      dispatch: { lease, forge: { config: forgeConfig } },
      database: this.database,
      trust: this.#trust,
      repository,
      woke,
      onMarked: async () => {},
      now: () => 1,
    });
    return new RunningSession({ id, marks, lease, forge: this.#forge(), database: this.database });
  }
}

interface Parts {
  id: string;
  marks: SessionMarks;
  lease: Lease;
  forge: Forge;
  database: Database;
}

export class RunningSession {
  readonly marks: SessionMarks;
  readonly #parts: Parts;
  #tools: AgentTool[];

  constructor(parts: Parts) {
    this.#parts = parts;
    this.marks = parts.marks;
    this.#tools = this.#make({});
  }

  async begin(material: PromptMaterial | null, form: 'full' | 'short' = 'full'): Promise<void> {
    await this.marks.begin(this.#parts.id, material === null ? [] : spokenIn(material, form));
  }

  /** Where the words stood that the session is marked for, as its rows say. */
  async places(): Promise<string[]> {
    return (await openMarks(this.#parts.database.rows, this.#parts.id)).map(({ place }) => place);
  }

  async call(name: string, input: unknown) {
    const tool = this.#tools.find((one) => one.name === name);
    if (tool === undefined) throw new Error(`There is no tool ${name}.`);
    return await tool.call(input, { toolUseId: `toolu_${randomUUID().replaceAll('-', '').slice(0, 24)}` });
  }

  /** The tools of another run of the session. */
  again(change: Partial<BrokerScope> = {}): this {
    this.#tools = this.#make(change);
    return this;
  }

  #make(change: Partial<BrokerScope>): AgentTool[] {
    const { lease, forge, database } = this.#parts;
    const { conversation, dispatch } = lease;
    return forgeTools(
      {
        key: { dispatchId: dispatch.id, conversationId: conversation.id },
        agent: 'dev',
        login: 'dev-bot',
        repository: { id: conversation.repository_id, fullName: REPO },
        items: async () => [conversation.item_number],
        branch: { name: `dev/${conversation.item_number}`, base: 'main' },
        refusePull: async () => null,
        disclosure: '',
        tools: FORGE_TOOL_NAMES,
        scope: 'repository',
        maxWrites: 500,
        mergeBy: () => 'boss',
        ...change,
      },
      {
        checkout: '/nonexistent',
        database,
        forge: outgoingForge(forge, () => ({ own: null, keywords: [], strict: false })),
        now: () => 5,
        setTimer: async ({ dueAt }) => ({ kind: 'set', dueAt }),
        assertMine: async () => {},
        marks: this.marks,
        writers: true,
        strangers: async (authors) => authors.map(({ login }) => login).filter((login) => login === STRANGER),
        audit: async () => {},
      },
    );
  }
}
