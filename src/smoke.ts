/**
 * The smoke checks: is every credential accepted, and does every agent's real container keep a conversation? Costs
 * nothing: the model is the rehearsal model, the repository a scratch one.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startRehearsalModel } from '../rehearsal/model.ts';
import type { RunnerDeps } from './agent-runner/contract.ts';
import { modelWay } from './agent-runner/model-way.ts';
import type { AgentConfig, LoadedConfig } from './config/config.ts';
import { type ContainerEngine, EngineFailed } from './container/container.ts';
import { type Database, migrate, openDatabase } from './database/database.ts';
import { AlreadyRunning } from './errors.ts';
import type { Gateway } from './gateway/contract.ts';
import { LIST_PRICES } from './gateway/prices.ts';
import type { Upstream } from './gateway/upstream.ts';
import { createGateway } from './gateway.ts';
import type { Log } from './log.ts';
import type { Network } from './network.ts';
import { checkClones } from './smoke/clones.ts';
import { probeAgent } from './smoke/continuity.ts';
import { checkCredentials, type ForgeOf } from './smoke/credentials.ts';
import { checkDispatches } from './smoke/dispatches.ts';
import { checkLive } from './smoke/live.ts';
import { PORT_REMEDY, portProblem } from './smoke/port.ts';
import type { PushDoor } from './smoke/push.ts';
import { reportOf, type SmokeCheck, type SmokeReport } from './smoke/report.ts';
import { probeScript } from './smoke/script.ts';
import { type ProbeDeps, smokeFolder } from './smoke/stage.ts';
import { anotherUser } from './smoke/user.ts';
import { lockState, type StateLock } from './state-lock.ts';
import type { TryClone } from './workdir/try-clone.ts';
import { openWorkdir } from './workdir.ts';

export interface SmokeDeps {
  /** the one that would run dispatches; rejects with EngineFailed and the remedy */
  engine: () => Promise<ContainerEngine>;
  cli: RunnerDeps['cli'];
  forge: ForgeOf;
  network: Network;
  /** a service holds the state folder */
  running: boolean;
  /** a small clone that is thrown away, and which of these names are branches there */
  clone: TryClone;
  /** the worker's side of the relay; null: the push is skipped */
  door: PushDoor | null;
  env: Record<string, string | undefined>;
  log: Log;
  now: () => number;
  /** adds one real call per agent */
  live: boolean;
  /** cuts what runs; the report is of no use then */
  signal?: AbortSignal | undefined;
}

export async function runSmoke(config: LoadedConfig, deps: SmokeDeps): Promise<SmokeReport> {
  const agents = actingAgents(config);
  const names = agents.map((a) => a.name);
  const checks = await checkCredentials(config, { forge: deps.forge, agents: names, network: deps.network });
  checks.push(...(await checkInstallation(config, { ...deps, agents })));
  const foreign = await anotherUser(config.state);
  if (foreign !== null) return reportOf([...checks, foreign], null);
  let lock: StateLock | null = null;
  try {
    lock = lockState(smokeFolder(config.state));
    const engine = await deps.engine();
    const probes = await probeAll(config, { ...deps, agents, container: engine });
    return reportOf([...checks, ...probes], engine.name);
  } catch (error) {
    return reportOf([...checks, notProbed(error)], null);
  } finally {
    lock?.release();
  }
}

/** What the doctor looks at more closely, and cron has to hear of. */
async function checkInstallation(
  config: LoadedConfig,
  deps: SmokeDeps & { agents: AgentConfig[] },
): Promise<SmokeCheck[]> {
  const checks: SmokeCheck[] = [];
  for (const forge of Object.values(config.forges)) {
    const acting = deps.agents.filter(({ name }) => Object.hasOwn(forge.accounts, name));
    for (const agent of acting) checks.push(...(await checkClones(forge, agent, deps)));
  }
  const port = deps.running ? null : await portProblem(config.server);
  if (port !== null) {
    checks.push({ agent: null, check: 'port', state: 'failed', detail: port, remedy: PORT_REMEDY });
  }
  return [...checks, ...(await checkDispatches(config.database.url, deps.now()))];
}

function notProbed(error: unknown): SmokeCheck {
  if (error instanceof EngineFailed) {
    return { agent: null, check: 'engine', state: 'missing', detail: error.problem, remedy: error.remedy };
  }
  if (!(error instanceof AlreadyRunning)) throw error;
  return {
    agent: null,
    check: 'run',
    state: 'failed',
    detail: 'another smoke check is under way in this state folder',
    remedy: 'Wait until it has ended, or leave it to the one on the schedule (smoke.every_minutes).',
  };
}

/** An agent without an account acts nowhere. */
export function actingAgents(config: LoadedConfig): AgentConfig[] {
  const forges = Object.values(config.forges);
  return [...config.agents.values()].filter((agent) =>
    forges.some((forge) => Object.hasOwn(forge.accounts, agent.name)),
  );
}

async function probeAll(
  config: LoadedConfig,
  deps: SmokeDeps & { agents: AgentConfig[]; container: ContainerEngine },
): Promise<SmokeCheck[]> {
  const folder = smokeFolder(config.state);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const database = openDatabase({ url: `sqlite:${join(folder, 'smoke.db')}` });
  await migrate(database);
  const model = await startRehearsalModel({ script: probeScript() });
  const upstream: Upstream = { baseUrl: model.url, credential: { kind: 'api-key', value: 'rehearsal' } };
  const gateway = await gatewayTo(deps, { database, folder, upstream });
  try {
    const probe = probeDeps(config, deps, { database, model, gateway });
    const checks: SmokeCheck[] = [];
    // One after another: a check on a schedule must not take the cores from the work.
    for (const agent of deps.agents) checks.push(...(await probeAgent(probe, agent, deps.door)));
    if (deps.live) checks.push(...(await live(config, deps, probe)));
    return checks;
  } finally {
    await gateway.close();
    await model.close();
    await database.close();
  }
}

/** Of the checks' own, with the checks' own ledger: nothing of it is the operator's. */
function gatewayTo(
  { now, log, network }: SmokeDeps,
  { database, folder, upstream }: { database: Database; folder: string; upstream: Upstream },
): Promise<Gateway> {
  return createGateway({
    folder: join(folder, 'run'),
    upstream: () => upstream,
    refreshCredential: () => {},
    prices: LIST_PRICES,
    proxyFor: network.proxyFor,
    database,
    log,
    now,
  });
}

function probeDeps(
  config: LoadedConfig,
  deps: SmokeDeps & { container: ContainerEngine },
  parts: Pick<ProbeDeps, 'database' | 'model' | 'gateway'>,
): ProbeDeps {
  return {
    ...parts,
    config,
    engine: deps.container,
    // Not the service's own folder: its locks are in the process that owns it.
    workdir: openWorkdir({
      folder: join(smokeFolder(config.state), 'work'),
      env: deps.env,
      network: deps.network,
    }),
    cli: deps.cli,
    forwarder: modelWay({ folder: join(config.state, 'model'), path: pathOf(deps), log: deps.log }),
    path: pathOf(deps),
    // Its own name as well: a service that starts reaps what bears its name.
    instance: 'claude-hooks-smoke',
    log: deps.log,
    now: deps.now,
    signal: deps.signal,
  };
}

async function live(
  config: LoadedConfig,
  deps: SmokeDeps & { agents: AgentConfig[] },
  probe: ProbeDeps,
): Promise<SmokeCheck[]> {
  const { upstream, credential } = config.model;
  const gateway = await gatewayTo(deps, {
    database: probe.database,
    // A folder of its own: each gateway clears what it takes for left-overs.
    folder: join(smokeFolder(config.state), 'live'),
    upstream: { baseUrl: upstream, credential },
  });
  try {
    const checks: SmokeCheck[] = [];
    for (const agent of deps.agents) checks.push(await checkLive({ ...probe, gateway }, agent));
    return checks;
  } finally {
    await gateway.close();
  }
}

function pathOf({ env }: SmokeDeps): string {
  return env.PATH ?? '/usr/local/bin:/usr/bin:/bin';
}
