/** The reconciler and the router before a pocket forge, with fake time and a forge that may fail; no agent runs. */
import { vi } from 'vitest';
import type { PocketKind } from '../../rehearsal/pocket-forge-kinds.ts';
import {
  cloneAs,
  commitAndPush,
  type Listener,
  REPO,
  SECRET,
  startListener,
  startTrial,
  type Trial,
} from '../../rehearsal/pocket-forge-trial.ts';
import type { LoadedConfig } from '../../src/config/config.ts';
import type { Database } from '../../src/database/database.ts';
import { readDeliveryHeaders } from '../../src/forges/delivery-headers.ts';
import { kitOf } from '../../src/forges/registry.ts';
import { acceptDelivery } from '../../src/inbox.ts';
import { createLog } from '../../src/log.ts';
import { askRules, type StuckDeps } from '../../src/reconciler/stuck.ts';
import type { LookTold } from '../../src/reconciler/told.ts';
import { createReconciler, type Reconciler } from '../../src/reconciler.ts';
import { routeNext } from '../../src/router.ts';
import { createTrust } from '../../src/trust.ts';
import { ConfigFolder } from './config-folder.ts';
import type { Hour } from './eventful-hour.ts';

export const START = Date.parse('2026-11-28T12:00:00.200Z');

/** What the forge does instead of answering; null = it answers. */
export type Trouble = (url: string) => Response | null;

export interface ReconcilingStage {
  trial: Trial;
  listener: Listener;
  hour: Hour;
  config: LoadedConfig;
  looks: LookTold[];
  logged: string[];
  /** of the reconciler's own clients, so far */
  requests: string[];
  trouble: Trouble | null;
  clock: { now: number };
  set(now: number): void;
  reconciler(database: Database): Reconciler;
  /** nobody says anything: the rules in question tell events again */
  askRules(database: Database, modes: StuckDeps['modes']): Promise<void>;
  /** a branch with a commit of its own, on the forge; answers its name */
  pushed(branch: string): Promise<string>;
  /** until nothing is left to decide */
  route(database: Database): Promise<void>;
  /** webhooks that the listener heard since the last time come to the service at last */
  deliver(database: Database): Promise<void>;
  end(): Promise<void>;
}

export interface StageOptions {
  kind?: PocketKind;
  intake?: 'both' | 'poll';
  /** repositories of ada besides the first */
  more?: number;
  /** logins by agent */
  accounts?: Record<string, string>;
}

export async function reconcilingStage({
  kind = 'forgejo',
  intake = 'both',
  more = 0,
  accounts = { dev: 'dev-bot' },
}: StageOptions = {}): Promise<ReconcilingStage> {
  const users = ['ada', 'bo', 'cy', ...Object.values(accounts)].map((login) => ({
    login,
    token: `${login}-token`,
  }));
  const trial = await startTrial({ kind, users });
  const listener = await startListener();
  for (const login of Object.values(accounts)) {
    await trial.forge.as('ada').setCollaborator(REPO, login, 'write');
  }
  await trial.forge.as('ada').addHook(REPO, { url: listener.url, secret: SECRET });
  for (let n = 0; n < more; n++) {
    await trial.forge.createRepository({
      owner: 'ada',
      name: `quiet-${n}`,
      files: { 'README.md': 'quiet\n' },
      collaborators: [{ login: 'dev-bot', permission: 'write' }],
    });
  }
  const clone = await cloneAs(trial, 'bo');
  const config = configOf({ kind, intake, accounts }, trial.forge.url);
  const clock = { now: START };
  const set = (now: number) => {
    clock.now = now;
    vi.setSystemTime(now);
  };
  const tick = () => set(clock.now + 60_000);
  const stage: ReconcilingStage = {
    trial,
    listener,
    config,
    clock,
    set,
    looks: [],
    logged: [],
    requests: [],
    trouble: null,
    hour: { forge: trial.forge, repo: REPO, clone, owner: 'ada', writer: 'bo', agent: 'dev-bot', tick },
    reconciler: (database) => reconcilerOn(stage, database),
    askRules: async (database, modes) =>
      await askRules({
        database,
        forge: config.forges.home!,
        client: (agent) => clientOf(stage, agent),
        now: () => clock.now,
        log: logOf(stage),
        modes,
        say: async () => {
          throw new Error('Nobody speaks here.');
        },
      }),
    pushed: async (branch) => {
      await commitAndPush(clone, { branch, file: `${branch}.txt`, content: branch });
      return branch;
    },
    route: async (database) => {
      const deps = routerDeps(stage, database);
      while (await routeNext(deps));
    },
    deliver: (database) => deliver(stage, database),
    end: async () => {
      await listener.end();
      await trial.end();
    },
  };
  return stage;
}

type ConfigOptions = Required<Pick<StageOptions, 'kind' | 'intake' | 'accounts'>>;

function configOf({ kind, intake, accounts }: ConfigOptions, url: string): LoadedConfig {
  const own = Object.entries(accounts).map(([agent, login]) => [agent, { login, token: `${login}-token` }]);
  using folder = new ConfigFolder({
    'claude-hooks.yaml': `
state: ./state
model: { api_key: not-needed }
forges:
  home:
    kind: ${kind}
    url: ${url}
    intake: ${intake}
    webhook_secret: ${SECRET}
    repositories: [ada/*]
    accounts: ${JSON.stringify(Object.fromEntries(own))}
`,
  });
  return folder.load();
}

function clientOf(stage: ReconcilingStage, agent: string) {
  const watched: typeof fetch = async (input, init) => {
    const url = String(input);
    stage.requests.push(url.replace(/^.*\/api\/v1/, ''));
    return stage.trouble?.(url) ?? (await fetch(input, init));
  };
  const { kind, url, accounts } = stage.config.forges.home!;
  return kitOf(kind).client({ name: 'home', url, token: accounts[agent]!.token, fetch: watched });
}

function logOf(stage: ReconcilingStage) {
  const write = (line: string) => void stage.logged.push(line);
  return createLog({ level: 'debug', format: 'json', secrets: () => [], write });
}

function trustOf(stage: ReconcilingStage) {
  const { kind, url } = stage.config.forges.home!;
  const client = kitOf(kind).client({ name: 'home', url, token: 'dev-bot-token' });
  const log = logOf(stage);
  return createTrust({
    forges: () => stage.config.forges,
    client: () => client,
    now: () => stage.clock.now,
    log,
  });
}

function reconcilerOn(stage: ReconcilingStage, database: Database): Reconciler {
  return createReconciler({
    database,
    config: () => stage.config,
    client: (_, agent) => clientOf(stage, agent),
    trust: trustOf(stage),
    now: () => stage.clock.now,
    log: logOf(stage),
    looked: (look) => void stage.looks.push(look),
  });
}

function routerDeps(stage: ReconcilingStage, database: Database) {
  const log = logOf(stage);
  return { database, config: () => stage.config, now: () => stage.clock.now, log, trust: trustOf(stage) };
}

async function deliver(stage: ReconcilingStage, database: Database): Promise<void> {
  await stage.trial.forge.settled();
  for (const { headers, raw } of stage.listener.received.splice(0)) {
    const read = readDeliveryHeaders(headers as Record<string, string>);
    if (read.kind !== 'ok') throw new Error(read.reason);
    const kept = Object.entries(headers).filter(([name]) => name.startsWith('x-'));
    await acceptDelivery(database.rows, {
      forge: 'home',
      forgeDeliveryId: read.headers.deliveryId,
      source: 'webhook',
      headers: Object.fromEntries(kept) as Record<string, string>,
      body: raw,
      now: stage.clock.now,
    });
  }
  const deps = routerDeps(stage, database);
  while (await routeNext(deps));
}
