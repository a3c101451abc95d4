/** What the smoke checks and the doctor are given, made from the same parts as a service. */
import { pinnedCliVersion } from '../agent-runner/run-cli.ts';
import { openGitDoor } from '../broker/git-door.ts';
import type { DoctorContext } from '../checks/context.ts';
import type { PushDoor } from '../checks/probe/push.ts';
import type { SmokeDeps } from '../checks/smoke.ts';
import type { ForgeConfig, LoadedConfig } from '../config/config.ts';
import { type ChosenEngine, chooseEngine } from '../container/choose.ts';
import { cliFor } from '../container/cli-build.ts';
import type { Forge } from '../forges/forge.ts';
import { kitOf } from '../forges/registry.ts';
import type { Log } from '../log.ts';
import { type Network, networkOf } from '../network.ts';
import { isStateLocked } from '../state-lock.ts';
import { tryClone } from '../workdir/try-clone.ts';
import { engineChoice } from './dispatching.ts';
import { wordsOn } from './models.ts';

type Environment = Record<string, string | undefined>;

export function smokeDeps(
  config: LoadedConfig,
  o: { env: Environment; log: Log; live: boolean; running?: boolean; signal?: AbortSignal },
): SmokeDeps {
  const chosen = engineOnce(config, o.env);
  const network = networkOf(config);
  return {
    engine: async () => (await chosen()).engine,
    cli: async (image) => fitting(config, await chosen(), image),
    forge: forgeClient(network),
    network,
    running: o.running ?? isStateLocked(config.state),
    clone: (remote, names) => tryClone(remote, { env: o.env, network, names }),
    door: pushDoor(config, o.log),
    env: o.env,
    log: o.log,
    now: () => Date.now(),
    live: o.live,
    signal: o.signal,
  };
}

/** The relay as a dispatch has it: same policy, same limits. Nothing leads to a forge: the remote is the check's own. */
export function pushDoor({ git }: Pick<LoadedConfig, 'git'>, log: Log): PushDoor {
  return ({ workdir, checkout, agent, remote, branch, identity }) =>
    openGitDoor({
      workdir,
      checkout,
      remote: () => remote,
      policy: {
        closed: null,
        branch: branch.name,
        base: branch.base,
        prefix: agent.branchPrefix,
        item: 1,
        defaultBranch: branch.base,
        protection: {
          add: git.protectedFiles,
          allow: git.unprotectedFiles,
          workflowFiles: agent.workflowFiles,
        },
        closing: { own: 1, keywords: [] },
        marked: () => null,
        identity,
        maxBytes: git.maxPushBytes,
        maxLfsBytes: git.maxLfsBytes,
      },
      signingKeyFile: git.signingKeyFile,
      audit: async () => {},
      log,
      assertMine: async () => {},
    });
}

export function doctorContext(
  config: LoadedConfig,
  o: { env: Environment; testDeliveries: boolean },
): Omit<DoctorContext, 'rows' | 'sites'> {
  const chosen = engineOnce(config, o.env);
  const network = networkOf(config);
  return {
    config,
    now: () => Date.now(),
    uid: process.getuid?.() ?? null,
    forge: forgeClient(network),
    network,
    clone: (remote, names) => tryClone(remote, { env: o.env, network, names }),
    service: {
      url: urlHere(config.server),
      healthUrl: urlHere(config.metrics ?? config.server),
      running: isStateLocked(config.state),
    },
    testDeliveries: o.testDeliveries,
    engine: async () => {
      const { engine, tried, oci } = await chosen();
      return { chosen: { engine, takesImages: oci !== null }, tried };
    },
    cli: async (image) => fitting(config, await chosen(), image),
    pinnedCliVersion: pinnedCliVersion(),
    model: (agent) => wordsOn(agent, config),
  };
}

/** Both questions about the engine share one try of it, which takes seconds. */
function engineOnce(config: LoadedConfig, env: Environment): () => Promise<ChosenEngine> {
  let chosen: Promise<ChosenEngine> | null = null;
  return () => {
    chosen ??= chooseEngine(engineChoice(config, env));
    return chosen;
  };
}

function fitting(config: LoadedConfig, { oci }: ChosenEngine, image: string | null): Promise<string> {
  const { muslCliPath } = config.container;
  return cliFor({ oci, image, executable: config.worker.cliPath, muslCliPath });
}

function forgeClient(network: Network): (forge: ForgeConfig, agent: string) => Forge {
  return ({ kind, name, url, accounts }, agent) =>
    kitOf(kind).client({ name, url, token: accounts[agent]!.token, fetch: network.fetch });
}

/** As reached from this machine; null where the port is another one at each start. */
function urlHere({ host, port }: { host: string; port: number }): string | null {
  if (port === 0) return null;
  const here = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${here.includes(':') ? `[${here}]` : here}:${port}`;
}
