/** Everything a worker needs to run dispatches: engine, gateway, forge clients, working folders. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modelWay } from '../agent-runner/model-way.ts';
import { createBudgets } from '../budgets.ts';
import type { LoadedConfig } from '../config/config.ts';
import { type ChosenEngine, chooseEngine, findProgram } from '../container/choose.ts';
import { cliFor } from '../container/cli-build.ts';
import { systemOf } from '../container/image.ts';
import { createCourt } from '../court.ts';
import { createDependencies, type Dependencies } from '../dependencies.ts';
import type { DispatchDeps } from '../dispatch/dispatch.ts';
import { createEgress } from '../egress.ts';
import { LIST_PRICES } from '../gateway/prices.ts';
import { createGateway } from '../gateway.ts';
import { openLayers } from '../layers.ts';
import { createMcpDoor } from '../mcp-door.ts';
import type { DoorPassage } from '../metrics.ts';
import { decisionOf } from '../packages/refused.ts';
import { createPackages } from '../packages.ts';
import { openWorkdir } from '../workdir.ts';
import type { ForgeAccess } from './forge-access.ts';
import type { Foundation } from './foundation.ts';

type Given = Pick<Foundation, 'options' | 'config' | 'log' | 'database'> & {
  /** reads the configuration again, now */
  refresh: () => void;
  access: ForgeAccess;
  attempted: DispatchDeps['attempted'];
  /** for the metrics */
  passed: (at: DoorPassage) => void;
};

export type WorkerDeps = DispatchDeps & { dependencies: Dependencies };

const STANDARD_PATH = '/usr/local/bin:/usr/bin:/bin';

/** `instance` marks the processes of this installation. Throws EngineFailed when no engine works. */
export async function dispatchDeps(given: Given, instance: string): Promise<WorkerDeps> {
  const { config, log, database, options } = given;
  const { network, trust, forge } = given.access;
  const initial = config();
  const path = options.env.PATH ?? STANDARD_PATH;
  const now = () => Date.now();
  mkdirSync(join(initial.state, 'work'), { recursive: true, mode: 0o700 });
  const chosen = await chooseEngine(engineChoice(initial, options.env, path));
  sayEngine(chosen, given);
  const workdir = openWorkdir({
    folder: join(initial.state, 'work'),
    env: options.env,
    network,
    log: (message, fields) => log.info(message, fields),
  });
  const budgets = createBudgets({ database, settings: () => config().budgets, log, now });
  const court = createCourt({ database, config, ids: (at) => trust.ids(at), log, now });
  return {
    database,
    budgets,
    court,
    dependencies: createDependencies({ database, config, client: forge, log, now }),
    config,
    refreshConfig: given.refresh,
    forge,
    trust,
    workdir,
    layers: openLayers({
      folder: join(initial.state, 'layers'),
      instance,
      database,
      engine: chosen.engine,
      workdir,
      systemOf: (image) => systemOf(chosen.oci, image),
      secrets: () => config().secrets,
      limits: () => config().container.layers,
      log,
      now,
    }),
    runner: {
      database,
      engine: chosen.engine,
      gateway: await createGateway({
        folder: join(initial.state, 'run'),
        upstream: () => ({ baseUrl: config().model.upstream, credential: config().model.credential }),
        refreshCredential: given.refresh,
        prices: LIST_PRICES,
        spending: budgets,
        proxyFor: network.proxyFor,
        database,
        log,
        now,
      }),
      log,
      now,
      instance,
      model: initial.model,
      path,
      cli: (image) =>
        cliFor({
          oci: chosen.oci,
          image,
          executable: initial.worker.cliPath,
          muslCliPath: initial.container.muslCliPath,
        }),
      forwarder: modelWay({ folder: join(initial.state, 'model'), path, log }),
      sessions: {
        archive: initial.sessions.archive,
        flushMs: initial.sessions.flushMilliseconds,
        maxFailedResumes: initial.sessions.maxFailedResumes,
        lateMessagesMs: initial.worker.lateMessagesSeconds * 1000,
        backgroundMs: initial.worker.backgroundSeconds * 1000,
      },
    },
    egress: await createEgress({
      ...options.reach,
      folder: join(initial.state, 'run'),
      proxyFor: network.proxyFor,
      database,
      passed: (entry) => given.passed({ door: 'network', ...entry }),
      now,
    }),
    packages: createPackages({
      folders: { cache: join(initial.state, 'packages'), sockets: join(initial.state, 'doors') },
      settings: () => config().packages,
      fetch: network.fetch,
      database,
      log,
      attempted: ({ verdict, detail }) =>
        given.passed({
          door: 'packages',
          decision: decisionOf(verdict),
          verdict,
          sent: 0,
          received: Number(detail.bytes ?? 0),
        }),
      now,
    }),
    mcp: createMcpDoor({ fetch: network.fetch, secrets: () => config().secrets, log }),
    now,
    log,
    attempted: given.attempted,
  };
}

/** What `auto` chooses from. docker and podman are tried with the image of the first agent that names one. */
export function engineChoice(
  config: LoadedConfig,
  env: Foundation['options']['env'],
  path = env.PATH ?? STANDARD_PATH,
) {
  const images = [...config.agents.values()].map((a) => a.container.image);
  return {
    engine: config.container.engine,
    image: images.find((image) => image !== null) ?? null,
    runtime: config.container.runtime,
    programArgs: config.container.programArgs,
    runArgs: config.container.runArgs,
    path,
    flock: findProgram('flock', path),
    environment: env,
  };
}

function sayEngine(chosen: ChosenEngine, { log, config }: Given): void {
  log.info(`agents run in ${chosen.engine.name}. ${chosen.why}`);
  if (!chosen.engine.isolates) {
    log.warn(
      'container.engine is "process": agents run as this user, with its files and network. Use it only where everyone who can write on the forge is trusted.',
    );
  }
  const asked = [...config().agents.values()].map((a) => a.container);
  const wanted = {
    memory: asked.some((c) => c.memoryBytes !== null),
    cpus: asked.some((c) => c.cpus !== null),
    user: asked.some((c) => c.user !== null),
  };
  const lost = chosen.unheld.filter((limit) => (wanted as Record<string, boolean>)[limit] === true);
  if (lost.length > 0) {
    log.warn(
      `${chosen.engine.name} cannot hold what is configured here: ${lost.join(', ')}. Use docker or podman, or let the service write a cgroup.`,
    );
  }
}

/** Names this installation in the environment of its processes; lives as long as the state folder. */
export function instanceOf(stateFolder: string): string {
  const file = join(stateFolder, 'instance');
  if (!existsSync(file)) writeFileSync(file, randomUUID());
  return readFileSync(file, 'utf8').trim();
}
