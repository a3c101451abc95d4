/**
 * The service without a CLI: a real forge, real webhooks, router, rows and feedback. The test plays the worker, with a clock
 * of its own, so that a run that lasts for an hour takes no time.
 */
import { onTestFinished } from 'vitest';
import {
  cloneAs,
  commitAndPush,
  git,
  REPO,
  startTrial,
  type Trial,
} from '../../rehearsal/pocket-forge-trial.ts';
import type { LoadedConfig } from '../../src/config/config.ts';
import type { Database } from '../../src/database/database.ts';
import type { NoticeRow } from '../../src/database/feedback-tables.ts';
import { startFeedback } from '../../src/feedback.ts';
import { silentLog } from '../../src/log.ts';
import { assertLease, type Lease, leaseConversation } from '../../src/mailbox/leases.ts';
import { type Settlement, settleDispatch } from '../../src/mailbox/settlement.ts';
import { networkOf } from '../../src/network.ts';
import { outgoingForge } from '../../src/outcome/outgoing-forge.ts';
import { type Publication, publishOutcome } from '../../src/outcome.ts';
import { routeNext } from '../../src/router.ts';
import { forgeAccess } from '../../src/wiring/forge-access.ts';
import { ConfigFolder } from './config-folder.ts';
import { openSqlite } from './databases.ts';
import { edge, listen } from './edge.ts';

const DEV = 'bo';
const SECRET = 'people-hook-secret';
const BEGINNING = Date.parse('2026-01-05T09:00:00Z');

export interface PeopleStageOptions {
  /** top-level lines of the configuration */
  config?: string;
  /** one line more of the forge's accounts */
  accounts?: string;
  /** lines of the forge's part, indented by four */
  forge?: string;
  database?: Database;
  kind?: 'forgejo' | 'gitea';
  /** beside claude-hooks.yaml */
  files?: Record<string, string>;
}

export class PeopleStage {
  now = BEGINNING;
  readonly logged: string[] = [];
  readonly trial: Trial;
  readonly database: Database;
  readonly config: LoadedConfig;
  readonly #access: ReturnType<typeof forgeAccess>;
  #clone: string | null = null;

  private constructor(trial: Trial, database: Database, config: LoadedConfig) {
    this.trial = trial;
    this.database = database;
    this.config = config;
    this.#access = forgeAccess({
      config: () => config,
      log: this.#log,
      network: networkOf(config),
      refresh: () => {},
    });
  }

  readonly #note = (message: string, fields?: object): void => {
    this.logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };

  readonly #log = { ...silentLog, warn: this.#note, error: this.#note };

  static async open(options: PeopleStageOptions = {}): Promise<PeopleStage> {
    const trial = await startTrial(options.kind === undefined ? {} : { kind: options.kind });
    onTestFinished(() => trial.end());
    const folder = new ConfigFolder(
      { 'claude-hooks.yaml': configText(trial.forge.url, options), ...options.files },
      { KEY: 'sk-test', HOOK: SECRET, DEV_TOKEN: `${DEV}-token` },
    );
    onTestFinished(() => folder[Symbol.dispose]());
    const database = options.database ?? (await openSqlite());
    const config = folder.load();
    const stage = new PeopleStage(trial, database, config);
    const { app } = edge(database, { forges: () => config.forges, now: () => stage.now });
    const url = await listen(app);
    await trial.forge.as('ada').addHook(REPO, { url: `${url}/webhooks/home`, secret: SECRET });
    await stage.#access.trust.checkIdentities();
    return stage;
  }

  get ada() {
    return this.trial.forge.as('ada');
  }

  get cy() {
    return this.trial.forge.as('cy');
  }

  /** All that the forge has told is decided, and all that is to be shown is shown. */
  async settled(): Promise<void> {
    await this.routed();
    await this.look();
    // What is shown makes deliveries, too.
    await this.routed();
  }

  async routed(): Promise<void> {
    const { trust } = this.#access;
    const deps = {
      database: this.database,
      config: () => this.config,
      trust,
      now: () => this.now,
      log: this.#log,
    };
    await this.trial.forge.settled();
    while (await routeNext(deps)) {
      // decides one
    }
  }

  /** One whole turn of the feedback loop, as at each start of the service: a `stop` waits for its end. */
  async look(): Promise<void> {
    await this.feedback().stop();
  }

  /** The loop itself; stop it. */
  feedback(forge = this.#access.forge) {
    return startFeedback({
      database: this.database,
      config: () => this.config,
      forge,
      trust: this.#access.trust,
      now: () => this.now,
      log: this.#log,
    });
  }

  /** The forge refuses connections, and forgets nothing. */
  async whileDown(during: () => Promise<void>): Promise<void> {
    await this.trial.forge.close();
    await during();
    await this.trial.restart();
  }

  /** As the agent's account. */
  get client() {
    return this.#access.forge(this.config.forges.home!, 'dev');
  }

  async notices(): Promise<NoticeRow[]> {
    return await this.database.rows.selectFrom('notices').selectAll().orderBy('seq').execute();
  }

  /** By the test's worker. */
  async lease(leaseMs = 86_400_000): Promise<Lease> {
    const lease = await leaseConversation(this.database, {
      worker: 'w',
      now: this.now,
      leaseMs,
      agentLimits: new Map([['dev', 5]]),
    });
    if (lease === null) throw new Error('Nothing may run now.');
    return lease;
  }

  async settle(lease: Lease, settlement: Settlement): Promise<void> {
    await settleDispatch(this.database, lease, { settlement, now: this.now });
  }

  /** Posted as a run's answer is. */
  async answer(lease: Lease, answer: string, over: Partial<Publication> = {}): Promise<void> {
    const { conversation, dispatch } = lease;
    const { client } = this;
    await publishOutcome(
      {
        key: { dispatchId: dispatch.id, conversationId: conversation.id },
        agent: 'dev',
        isOurs: (user) => user.login === DEV,
        forgeName: 'home',
        repository: { id: conversation.repository_id, fullName: conversation.repository_name },
        itemNumber: conversation.item_number,
        alsoAsked: [],
        itemTitle: 'Totals',
        publish: 'comment',
        branch: null,
        joined: [],
        closes: null,
        reviewed: null,
        leftOver: async () => [],
        answer,
        continuity: 'resumed',
        continuityReason: '',
        disclosure: this.config.disclosure,
        ...over,
      },
      {
        database: this.database,
        forge: outgoingForge(client, () => ({ own: conversation.item_number, keywords: [], strict: true })),
        now: () => this.now,
        assertMine: (tx) => assertLease(tx, lease),
      },
    );
  }

  /** A branch with a commit of the agent's; answers its head. */
  async branch(name: string, file: string): Promise<string> {
    this.#clone ??= await cloneAs(this.trial, DEV);
    await git(this.#clone, 'checkout', '-q', 'main');
    return await commitAndPush(this.#clone, { branch: name, file, content: file });
  }

  /** What stands on an item by the agent: comments without our marks. */
  comments(number: number): string[] {
    return this.commentRows(number).map(({ text }) => text);
  }

  commentRows(number: number): { id: number; text: string }[] {
    const { comments, items, users } = this.trial.forge.state;
    const dev = users.find(({ login }) => login === DEV)!.id;
    const item = items.find((one) => one.number === number)!.id;
    return comments
      .filter((c) => c.item === item && c.author === dev)
      .map(({ id, body }) => ({ id, text: body.split('\n\n<!--')[0]! }));
  }

  /** Reactions of the agent: `eyes on #1`, `+1 on comment 3`. */
  reactions(): string[] {
    const { reactions, items, users } = this.trial.forge.state;
    const dev = users.find(({ login }) => login === DEV)!.id;
    return reactions
      .filter((one) => one.user === dev)
      .map(({ target, id, content }) =>
        target === 'comment'
          ? `${content} on comment ${id}`
          : `${content} on #${items.find((i) => i.id === id)!.number}`,
      );
  }

  /** All that were set on a commit, oldest first: `pending: Queued`. */
  statuses(sha: string): string[] {
    return this.trial.forge.state.statuses
      .filter((one) => one.sha === sha && one.context === 'claude-hooks/dev')
      .map(({ state, description }) => `${state}: ${description}`);
  }
}

function configText(
  url: string,
  { config = '', forge = '', accounts = '', kind = 'forgejo' }: PeopleStageOptions,
): string {
  return `state: ./state
server: { public_url: "https://hooks.example.org" }
model: { api_key: "\${KEY}" }
container: { engine: process }
mailbox: { quiet_seconds: 0, max_wait_seconds: 5 }
${config}
forges:
  home:
    kind: ${kind}
    url: ${url}
    webhook_secret: "\${HOOK}"
    repositories: [${REPO}]
${forge}
    accounts:
      dev: { login: ${DEV}, token: "\${DEV_TOKEN}" }
      ${accounts}
`;
}
