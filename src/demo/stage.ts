/** What the demo plays on: a forge, a model and the service as a process of its own, in one folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type RehearsalModel, startRehearsalModel } from '../../rehearsal/model.ts';
import { parseModelScript } from '../../rehearsal/model-script.ts';
import { type PocketForge, startPocketForge } from '../../rehearsal/pocket-forge.ts';
import type { EngineName } from '../vocabulary.ts';
import { configFileOf, stateOf } from './clear-away.ts';
import { MODEL_SCRIPT, REPOSITORY_FILES } from './script.ts';

export const OWNER = 'ada';
export const DEV = 'dev-bot';
export const REPOSITORY = 'ada/greeter';
const SECRET = 'demo-webhook-secret';

export interface StageOptions {
  folder: string;
  env: Record<string, string | undefined>;
  /** a real key; null plays with the rehearsal model */
  liveKey: string | null;
  liveModel: string | null;
  /** goes into the configuration as it is */
  container: { engine: EngineName; image?: string };
  /** nothing is started any more once it is aborted */
  signal: AbortSignal;
  /** who plays, and what the model says; left out, the story of one agent */
  cast?: Cast;
}

export interface Cast {
  agents: readonly { agent: string; login: string }[];
  /** YAML of the rehearsal model */
  script: string;
  /** more keys of claude-hooks.yaml */
  config: Record<string, unknown>;
}

const ALONE: Cast = { agents: [{ agent: 'dev', login: DEV }], script: MODEL_SCRIPT, config: {} };

export interface Stage {
  forge: PocketForge;
  /** null when the real model is used */
  model: RehearsalModel | null;
  database: string;
  state: string;
  startService(): Promise<ChildProcess>;
  close(): Promise<void>;
}

export async function setStage(options: StageOptions): Promise<Stage> {
  const { folder, cast = ALONE } = options;
  mkdirSync(folder, { recursive: true });
  const model =
    options.liveKey === null
      ? await startRehearsalModel({ script: parseModelScript(cast.script, 'demo') })
      : null;
  const forge = await startForge(folder, cast).catch(async (error: unknown) => {
    await model?.close();
    throw error;
  });
  const state = stateOf(folder);
  writeFileSync(configFileOf(folder), configText(options, forge.url, model?.url ?? null));
  let port = 0;
  let isFirst = true;
  return {
    forge,
    model,
    state,
    database: `sqlite:${join(state, 'claude-hooks.db')}`,
    startService: async () => {
      if (isFirst) await createRepository(forge, cast);
      const { child, url } = await startService(options, port);
      // The second start takes the first one's port: the forge's hook points there.
      port = Number(new URL(url).port);
      if (isFirst) await forge.as(OWNER).addHook(REPOSITORY, { url: `${url}/webhooks/home`, secret: SECRET });
      isFirst = false;
      return child;
    },
    close: async () => {
      await forge.close();
      await model?.close();
    },
  };
}

function startForge(folder: string, { agents }: Cast): Promise<PocketForge> {
  return startPocketForge({
    folder: join(folder, 'forge'),
    users: [
      { login: OWNER, token: 'demo-owner-token', admin: true },
      ...agents.map(({ login }) => ({ login, token: tokenOf(login) })),
    ],
  });
}

function tokenOf(login: string): string {
  return `demo-${login}-token`;
}

async function createRepository(forge: PocketForge, { agents }: Cast): Promise<void> {
  await forge.createRepository({
    owner: OWNER,
    name: 'greeter',
    files: REPOSITORY_FILES,
    collaborators: agents.map(({ login }) => ({ login, permission: 'write' })),
  });
}

/** JSON is YAML: nothing to escape. */
function configText(options: StageOptions, forgeUrl: string, modelUrl: string | null): string {
  const { agents, config } = options.cast ?? ALONE;
  return JSON.stringify(
    {
      server: { host: '127.0.0.1', port: '${DEMO_PORT}' },
      state: './state',
      model: {
        ...(modelUrl === null ? {} : { upstream: modelUrl }),
        api_key: '${DEMO_API_KEY}',
        ...(options.liveModel === null ? {} : { default: options.liveModel }),
      },
      container: options.container,
      mailbox: { quiet_seconds: 1, max_wait_seconds: 5 },
      log: { format: 'pretty' },
      forges: {
        home: {
          kind: 'forgejo',
          url: forgeUrl,
          webhook_secret: '${DEMO_SECRET}',
          repositories: [REPOSITORY],
          accounts: Object.fromEntries(
            agents.map(({ agent, login }) => [agent, { login, token: `\${${tokenVariable(agent)}}` }]),
          ),
        },
      },
      ...config,
    },
    null,
    2,
  );
}

function tokenVariable(agent: string): string {
  return `DEMO_${agent.toUpperCase()}_TOKEN`;
}

async function startService(
  options: StageOptions,
  port: number,
): Promise<{ child: ChildProcess; url: string }> {
  options.signal.throwIfAborted();
  const here = fileURLToPath(import.meta.url);
  const cli = join(here, '..', '..', here.endsWith('.ts') ? 'cli.ts' : 'cli.js');
  const child = spawn(process.execPath, [cli, 'serve', '--config', configFileOf(options.folder)], {
    // Its own process group: Ctrl-C must reach the demo alone, which then ends the service.
    detached: true,
    env: {
      PATH: options.env.PATH,
      HOME: options.folder,
      ...temporaryFolder(options.folder),
      DEMO_PORT: String(port),
      DEMO_API_KEY: options.liveKey ?? 'sk-ant-test',
      DEMO_SECRET: SECRET,
      ...Object.fromEntries(
        (options.cast ?? ALONE).agents.map(({ agent, login }) => [tokenVariable(agent), tokenOf(login)]),
      ),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const url = new Promise<string>((resolve, reject) => {
    const read = (data: Buffer) => {
      output += data.toString('utf8');
      const match = /listens on (http:\/\/\S+)/.exec(output);
      if (match !== null) resolve(match[1]!);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`The service ended with code ${code}:\n${output}`)));
  });
  const address = await Promise.race([url, sleep(20_000, null, { ref: false, signal: options.signal })]);
  if (address === null) {
    child.kill('SIGKILL');
    throw new Error(`The service did not start within 20 s:\n${output}`);
  }
  return { child, url: address };
}

/** Inside the demo's folder, so that it is removed with it; not where the path would be too long for a socket. */
function temporaryFolder(folder: string): { TMPDIR?: string } {
  const temporary = join(folder, 'tmp');
  if (Buffer.byteLength(temporary) > LONGEST_TMPDIR) return {};
  mkdirSync(temporary, { recursive: true });
  return { TMPDIR: temporary };
}

const LONGEST_TMPDIR = 60;

/** SIGKILL: no handler runs, nothing is flushed. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

export async function endGently(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
