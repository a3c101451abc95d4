/**
 * The smoke checks are those that act: is every credential accepted, and does every agent's real container keep a
 * conversation? They cost nothing: the model is the rehearsal model, the repository a scratch one.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startRehearsalModel } from '../../rehearsal/model.ts';
import { modelWay } from '../agent-runner/model-way.ts';
import type { RunnerDeps } from '../agent-runner/run.ts';
import type { AgentConfig, LoadedConfig } from '../config/config.ts';
import { type ContainerEngine, EngineFailed } from '../container/container.ts';
import { type Database, migrate, openDatabase } from '../database/database.ts';
import { AlreadyRunning } from '../errors.ts';
import type { Gateway } from '../gateway/port.ts';
import { LIST_PRICES } from '../gateway/prices.ts';
import type { Upstream } from '../gateway/upstream.ts';
import { createGateway } from '../gateway.ts';
import type { Log } from '../log.ts';
import type { Network } from '../network.ts';
import { lockState, type StateLock } from '../state-lock.ts';
import type { TryClone } from '../workdir/try-clone.ts';
import { openWorkdir } from '../workdir.ts';
import { actingAgents } from './acting-agents.ts';
import type { Check } from './check.ts';
import { checkCredentials, type ForgeOf } from './credentials.ts';
import { checkDispatches } from './dispatches.ts';
import { checkDoors, type DoorCheckDeps } from './doors.ts';
import { engineMissing } from './engines.ts';
import { anotherUser } from './other-user.ts';
import { checkPort } from './port.ts';
import { probeAgent } from './probe/continuity.ts';
import { checkLive } from './probe/live.ts';
import type { PushDoor } from './probe/push.ts';
import { probeScript } from './probe/script.ts';
import { type ProbeDeps, smokeFolder } from './probe/stage.ts';
import { checkSmokeClones } from './smoke-clones.ts';
import { lineOf, reportOf, type SmokeLine, type SmokeReport } from './smoke-report.ts';

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
  /** how hosts by name are reached; left out, as the product has it */
  reach?: DoorCheckDeps['reach'];
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
  const lines = await checkCredentials(config, { forge: deps.forge, agents: names, network: deps.network });
  lines.push(...(await checkInstallation(config, { ...deps, agents })));
  const foreign = await anotherUser(config.state);
  if (foreign !== null) return reportOf([...lines, lineOf(foreign)], null);
  let lock: StateLock | null = null;
  try {
    lock = lockState(smokeFolder(config.state));
    const engine = await deps.engine();
    const probes = await probeAll(config, { ...deps, agents, container: engine });
    return reportOf([...lines, ...probes], engine.name);
  } catch (error) {
    return reportOf([...lines, lineOf(notProbed(config, error))], null);
  } finally {
    lock?.release();
  }
}

/** What the doctor looks at more closely, and cron has to hear of. */
async function checkInstallation(
  config: LoadedConfig,
  deps: SmokeDeps & { agents: AgentConfig[] },
): Promise<SmokeLine[]> {
  const lines: SmokeLine[] = [];
  for (const forge of Object.values(config.forges)) {
    const acting = deps.agents.filter(({ name }) => Object.hasOwn(forge.accounts, name));
    for (const agent of acting) lines.push(...(await checkSmokeClones(forge, agent, deps)));
  }
  const doors = await checkDoors(config, deps.agents, deps);
  const port = await checkPort(config.server, deps);
  const dispatches = await checkDispatches(config.database.url, deps.now());
  return [...lines, ...[...doors.map(whereOf), ...port, ...dispatches].map((check) => lineOf(check))];
}

/** A line has no subject of its own. */
function whereOf<Name extends string>(check: Check<Name>): Check<Name> {
  return { ...check, evidence: `${check.subject}: ${check.evidence}` };
}

function notProbed({ container }: LoadedConfig, error: unknown): Check<'engine-missing' | 'run'> {
  if (error instanceof EngineFailed) return engineMissing(container.engine, error);
  if (!(error instanceof AlreadyRunning)) throw error;
  return {
    check: 'run',
    severity: 'broken',
    subject: 'smoke',
    problem: 'the containers were not tried',
    evidence: 'another smoke check is under way in this state folder',
    remedy: 'Wait until it has ended, or leave it to the one on the schedule (smoke.every_minutes).',
  };
}

async function probeAll(
  config: LoadedConfig,
  deps: SmokeDeps & { agents: AgentConfig[]; container: ContainerEngine },
): Promise<SmokeLine[]> {
  const folder = smokeFolder(config.state);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const database = openDatabase({ url: `sqlite:${join(folder, 'smoke.db')}` });
  await migrate(database);
  const model = await startRehearsalModel({ script: probeScript() });
  const upstream: Upstream = { baseUrl: model.url, credential: { kind: 'api-key', value: 'rehearsal' } };
  const gateway = await gatewayTo(deps, { database, folder, upstream });
  try {
    const probe = probeDeps(config, deps, { database, model, gateway });
    const lines: SmokeLine[] = [];
    // One after another: a check on a schedule must not take the cores from the work.
    for (const agent of deps.agents) {
      const probed = await probeAgent(probe, agent, deps.door);
      lines.push(...probed.map((check) => lineOf(check, { agent: agent.name })));
    }
    if (deps.live) lines.push(...(await live(config, deps, probe)));
    return lines;
  } finally {
    await gateway.close();
    await model.close();
    await database.close();
  }
}

/** The checks have a gateway and a ledger of their own, so nothing of them is counted as work. */
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
    // A folder of its own: the locks of the service's folder are held in the service's process.
    workdir: openWorkdir({
      folder: join(smokeFolder(config.state), 'work'),
      env: deps.env,
      network: deps.network,
    }),
    cli: deps.cli,
    forwarder: modelWay({ folder: join(config.state, 'model'), path: pathOf(deps), log: deps.log }),
    path: pathOf(deps),
    // A name of its own: a service that starts ends all containers with its own name.
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
): Promise<SmokeLine[]> {
  const { upstream, credential } = config.model;
  const gateway = await gatewayTo(deps, {
    database: probe.database,
    // A folder of its own: each gateway empties its folder when it starts.
    folder: join(smokeFolder(config.state), 'live'),
    upstream: { baseUrl: upstream, credential },
  });
  try {
    const lines: SmokeLine[] = [];
    for (const agent of deps.agents) {
      lines.push(lineOf(await checkLive({ ...probe, gateway }, agent), { agent: agent.name }));
    }
    return lines;
  } finally {
    await gateway.close();
  }
}

function pathOf({ env }: SmokeDeps): string {
  return env.PATH ?? '/usr/local/bin:/usr/bin:/bin';
}
