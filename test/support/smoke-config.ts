/** A configuration with one agent on a pocket forge, and what the smoke checks and the doctor are given with it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RehearsalModel, startRehearsalModel } from '../../rehearsal/model.ts';
import { parseModelScript } from '../../rehearsal/model-script.ts';
import { type PocketForge, startPocketForge } from '../../rehearsal/pocket-forge.ts';
import type { SmokeDeps } from '../../src/checks/smoke.ts';
import type { LoadedConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { cliFor } from '../../src/container/cli-build.ts';
import type { ContainerEngine } from '../../src/container/container.ts';
import type { OciOptions } from '../../src/container/oci.ts';
import { createGiteaFamilyClient } from '../../src/forges/gitea/client.ts';
import { silentLog } from '../../src/log.ts';
import { openNetwork } from '../../src/network.ts';
import { pushDoor } from '../../src/wiring/health.ts';
import { tryClone } from '../../src/workdir/try-clone.ts';
import { OTHER_CLI } from './tested-cli.ts';

/** Nothing but this machine is asked. */
export const DIRECT = openNetwork({ proxies: { http: null, https: null }, noProxy: [], authorities: [] }, []);

export const HOOK_SECRET = 'a-webhook-secret-of-the-test';

export interface Installation {
  folder: string;
  forge: PocketForge;
  /** poses as the real upstream */
  upstream: RehearsalModel;
  config(changes?: Record<string, unknown>): LoadedConfig;
  smoke(engine: ContainerEngine, extra?: Partial<SmokeDeps> & { oci?: OciOptions | null }): SmokeDeps;
  close(): Promise<void>;
}

export async function openInstallation(): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-smoke-'));
  const forge = await startPocketForge({
    folder: join(folder, 'forge'),
    users: [
      { login: 'ada', token: 'ada-token', admin: true },
      { login: 'dev-bot', token: 'dev-token' },
    ],
  });
  await forge.createRepository({
    owner: 'ada',
    name: 'greeter',
    files: { 'README.md': 'hello\n' },
    collaborators: [{ login: 'dev-bot', permission: 'admin' }],
  });
  const script = parseModelScript('{ fallback: { text: ready } }', 'the upstream of the test');
  const upstream = await startRehearsalModel({ script });
  const at = { folder, forge: forge.url, model: upstream.url };
  return {
    folder,
    forge,
    upstream,
    config: (changes = {}) => configOf(at, changes),
    smoke: (engine, { oci = null, ...extra } = {}) => ({
      engine: async () => engine,
      cli: (image) => cliFor({ oci, image, executable: OTHER_CLI, muslCliPath: null }),
      forge: (f, agent) =>
        createGiteaFamilyClient({ name: f.name, url: f.url, token: f.accounts[agent]!.token }),
      door: pushDoor(
        {
          git: {
            maxPushBytes: 100_000_000,
            maxLfsBytes: 100_000_000,
            protectedFiles: [],
            unprotectedFiles: [],
            signingKeyFile: null,
          },
        },
        silentLog,
      ),
      network: DIRECT,
      running: false,
      clone: (remote, names) => tryClone(remote, { env: process.env, network: DIRECT, names }),
      env: { PATH: process.env.PATH },
      log: silentLog,
      now: () => Date.now(),
      live: false,
      ...extra,
    }),
    close: async () => {
      await forge.close();
      await upstream.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** JSON is YAML. */
function configOf(
  at: { folder: string; forge: string; model: string },
  changes: Record<string, unknown>,
): LoadedConfig {
  const home = {
    kind: 'forgejo',
    url: at.forge,
    webhook_secret: '${SECRET}',
    repositories: ['ada/greeter'],
    accounts: { dev: { login: 'dev-bot', token: '${TOKEN}' } },
  };
  const { home: own, ...rest } = changes;
  const file = join(at.folder, 'claude-hooks.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      // Nobody's: a service of this machine may have the usual one.
      server: { port: 0 },
      state: './state',
      model: { upstream: at.model, api_key: '${KEY}' },
      container: { engine: 'process' },
      forges: { home: { ...home, ...(own as object | undefined) } },
      ...rest,
    }),
  );
  return loadConfig({
    file,
    env: { SECRET: HOOK_SECRET, TOKEN: 'dev-token', KEY: 'sk-ant-test-model-key' },
  });
}
