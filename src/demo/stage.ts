/** What the demo plays on: a forge, a model and the service as a process of its own, in one folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type RehearsalModel, startRehearsalModel } from '../rehearsal/model.ts';
import { parseModelScript } from '../rehearsal/model-script.ts';
import { type PocketForge, startPocketForge } from '../rehearsal/pocket-forge.ts';
import type { EngineName } from '../vocabulary.ts';
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
}

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
  const { folder } = options;
  mkdirSync(folder, { recursive: true });
  const forge = await startPocketForge({
    folder: join(folder, 'forge'),
    users: [
      { login: OWNER, token: 'demo-owner-token', admin: true },
      { login: DEV, token: 'demo-dev-token' },
    ],
  });
  const model =
    options.liveKey === null
      ? await startRehearsalModel({ script: parseModelScript(MODEL_SCRIPT, 'demo') })
      : null;
  const state = join(folder, 'state');
  writeFileSync(join(folder, 'claude-hooks.yaml'), configText(options, forge.url, model?.url ?? null));
  await forge.createRepository({
    owner: OWNER,
    name: 'greeter',
    files: REPOSITORY_FILES,
    collaborators: [{ login: DEV, permission: 'write' }],
  });
  let port = 0;
  let hooked = false;
  return {
    forge,
    model,
    state,
    database: `sqlite:${join(state, 'claude-hooks.db')}`,
    startService: async () => {
      const { child, url } = await startService(options, port);
      // The second start takes the first one's port: the forge's hook points there.
      port = Number(new URL(url).port);
      if (!hooked) await forge.as(OWNER).addHook(REPOSITORY, { url: `${url}/webhooks/home`, secret: SECRET });
      hooked = true;
      return child;
    },
    close: async () => {
      await forge.close();
      await model?.close();
    },
  };
}

/** JSON is YAML: nothing to escape. */
function configText(options: StageOptions, forgeUrl: string, modelUrl: string | null): string {
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
          accounts: { dev: { login: DEV, token: '${DEMO_DEV_TOKEN}' } },
        },
      },
    },
    null,
    2,
  );
}

async function startService(
  options: StageOptions,
  port: number,
): Promise<{ child: ChildProcess; url: string }> {
  const here = fileURLToPath(import.meta.url);
  const cli = join(here, '..', '..', here.endsWith('.ts') ? 'cli.ts' : 'cli.js');
  const child = spawn(
    process.execPath,
    [cli, 'serve', '--config', join(options.folder, 'claude-hooks.yaml')],
    {
      env: {
        PATH: options.env.PATH,
        HOME: options.folder,
        DEMO_PORT: String(port),
        DEMO_API_KEY: options.liveKey ?? 'sk-ant-test',
        DEMO_SECRET: SECRET,
        DEMO_DEV_TOKEN: 'demo-dev-token',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
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
  const address = await Promise.race([url, sleep(20_000, null, { ref: false })]);
  if (address === null) {
    child.kill('SIGKILL');
    throw new Error(`The service did not start within 20 s:\n${output}`);
  }
  return { child, url: address };
}

/** SIGKILL: no handler runs, nothing is flushed. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

export async function endGently(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || !existsSync(process.execPath)) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
