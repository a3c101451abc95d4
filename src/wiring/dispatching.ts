/** Everything a worker needs to run dispatches: engine, gateway, forge clients, working folders. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modelWay } from '../agent-runner/model-way.ts';
import type { ForgeConfig, LoadedConfig } from '../config/config.ts';
import { type ChosenEngine, chooseEngine, findProgram } from '../container/choose.ts';
import { cliFor } from '../container/cli-build.ts';
import type { DispatchDeps } from '../dispatch/dispatch.ts';
import { ForgeRefused } from '../errors.ts';
import { watchAuthors } from '../forges/author-watch.ts';
import type { Forge } from '../forges/forge.ts';
import { kitOf } from '../forges/registry.ts';
import { rotatingForge } from '../forges/rotating-forge.ts';
import { LIST_PRICES } from '../gateway/prices.ts';
import { createGateway } from '../gateway.ts';
import type { Network } from '../network.ts';
import { createTrust, type Trust } from '../trust.ts';
import { openWorkdir } from '../workdir.ts';
import type { Parts } from './parts.ts';

/** `network` as it was at the start: proxies and authorities count from the next one. */
type Given = Pick<Parts, 'options' | 'config' | 'log' | 'database'> & {
  network: Network;
  /** reads the configuration again, now */
  refresh: () => void;
  attempted: DispatchDeps['attempted'];
};

const STANDARD_PATH = '/usr/local/bin:/usr/bin:/bin';

/** `instance` marks the processes of this installation. Throws EngineFailed when no engine works. */
export async function dispatchDeps(given: Given, instance: string): Promise<DispatchDeps> {
  const { config, log, database, options, network } = given;
  const initial = config();
  const path = options.env.PATH ?? STANDARD_PATH;
  const now = () => Date.now();
  mkdirSync(join(initial.state, 'work'), { recursive: true, mode: 0o700 });
  const chosen = await chooseEngine(engineChoice(initial, options.env, path));
  sayEngine(chosen, given);
  const clients = forgeClients(given);
  const trust = createTrust({ forges: () => config().forges, client: clients, now, log });
  return {
    database,
    config,
    refreshConfig: given.refresh,
    forge: watchedClients(clients, trust),
    trust,
    workdir: openWorkdir({
      folder: join(initial.state, 'work'),
      env: options.env,
      network,
      log: (message, fields) => log.info(message, fields),
    }),
    runner: {
      database,
      engine: chosen.engine,
      gateway: await createGateway({
        folder: join(initial.state, 'run'),
        upstream: () => ({ baseUrl: config().model.upstream, credential: config().model.credential }),
        refreshCredential: given.refresh,
        prices: LIST_PRICES,
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
      },
    },
    now,
    log,
    attempted: given.attempted,
  };
}

/** What `auto` chooses from. docker and podman are tried with the image of the first agent that names one. */
export function engineChoice(
  config: LoadedConfig,
  env: Parts['options']['env'],
  path = env.PATH ?? STANDARD_PATH,
) {
  const images = [...config.agents.values()].map((a) => a.container.image);
  return {
    engine: config.container.engine,
    image: images.find((image) => image !== null) ?? null,
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

/** One client for each agent on each forge; it takes up a token that was replaced. */
function forgeClients({ config, refresh, log, network }: Given): DispatchDeps['forge'] {
  const byToken = new Map<string, Forge>();
  const current = (name: string, agent: string, fallback: ForgeConfig): Forge => {
    const forge = config().forges[name] ?? fallback;
    const { token } = forge.accounts[agent] ?? fallback.accounts[agent]!;
    const key = JSON.stringify([forge.kind, name, forge.url, agent, token]);
    const account = { name, url: forge.url, token, fetch: network.fetch };
    const client = byToken.get(key) ?? kitOf(forge.kind).client(account);
    byToken.set(key, client);
    return client;
  };
  const rotating = new Map<string, Forge>();
  return (forge, agent) => {
    const key = JSON.stringify([forge.name, forge.url, agent]);
    const client =
      rotating.get(key) ??
      rotatingForge({
        current: () => current(forge.name, agent, forge),
        refresh,
        onRotated: () => log.warn(`the token of ${agent} on ${forge.name} was replaced; the new one is used`),
      });
    rotating.set(key, client);
    return client;
  };
}

/** What is posted shows whose token it was; after a post in another's name nothing more is written. */
function watchedClients(client: DispatchDeps['forge'], trust: Trust): DispatchDeps['forge'] {
  const watched = new Map<Forge, Forge>();
  return (forge, agent) => {
    const bare = client(forge, agent);
    const known =
      watched.get(bare) ??
      watchAuthors(bare, {
        beforeWrite: () => {
          const why = trust.whyNotWrite(forge.name, agent);
          if (why !== null) throw new ForgeRefused(`Nothing is written as ${agent}: ${why}.`, 403);
        },
        posted: (author) => trust.posted(forge.name, agent, author),
        assumed: () => trust.assumed(forge, agent),
      });
    watched.set(bare, known);
    return known;
  };
}

/** Names this installation in the environment of its processes; lives as long as the state folder. */
export function instanceOf(stateFolder: string): string {
  const file = join(stateFolder, 'instance');
  if (!existsSync(file)) writeFileSync(file, randomUUID());
  return readFileSync(file, 'utf8').trim();
}
