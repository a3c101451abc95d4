/** Layers on real parts: a bare repository, the working folders, a database and an engine; agents are shells. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ContainerSettings, SetupSettings } from '../../src/config/config.ts';
import { type ContainerEngine, EngineFailed } from '../../src/container/container.ts';
import { placeOf } from '../../src/container/place.ts';
import type { Database } from '../../src/database/database.ts';
import type { LayerRow } from '../../src/database/tables.ts';
import type { FaultPoint } from '../../src/faults.ts';
import type { LayerRequest, Layers, ReadyLayers } from '../../src/layers/port.ts';
import { openLayers } from '../../src/layers.ts';
import { silentLog } from '../../src/log.ts';
import { type Checkout, type CheckoutSpec, openWorkdir, type Workdir } from '../../src/workdir.ts';
import { type End, ended, testFolder } from './contained.ts';
import { openSqlite } from './databases.ts';
import type { TestEngine } from './engines.ts';
import { BareRepository } from './git-remotes.ts';

/** In the order in which a build passes them. */
export const LAYER_POINTS: readonly FaultPoint[] = [
  'setup.begun',
  'setup.ran',
  'layer.unpacked',
  'layer.written',
  'layer.committed',
];

export const SECRET = 'sk-stage-secret-of-the-operator';
const RELAY = { root: '/run/claude-hooks/relay', origin: '/run/claude-hooks/origin.git' };

export interface LayersPlace {
  folder: string;
  database: Database;
  engine: ContainerEngine;
  now?: () => number;
}

/** Also for a process of its own. */
export function layersIn({ folder, database, engine, now = () => Date.now() }: LayersPlace): {
  layers: Layers;
  workdir: Workdir;
} {
  const workdir = openWorkdir({ folder: join(folder, 'work') });
  const layers = openLayers({
    ...{ folder: join(folder, 'layers'), instance: 'stage', database, engine, workdir },
    systemOf: async (image) => image ?? 'this machine',
    secrets: () => [SECRET],
    limits: () => ({ unusedDays: 14, maxBytes: 1e12 }),
    log: silentLog,
    now,
  });
  return { layers, workdir };
}

export interface Asked {
  conversation?: string;
  setup?: Partial<SetupSettings>;
  settings?: Partial<ContainerSettings>;
  at?: CheckoutSpec['at'];
  signal?: AbortSignal;
}

export interface Run {
  conversation: string;
  checkout: Checkout;
  ready: ReadyLayers;
  /** as the agent would run it; `release` is for the caller */
  shell(script: string): Promise<End>;
}

function settingsOf(image: string | null, setup: Partial<SetupSettings>): ContainerSettings {
  return {
    ...{
      image,
      memoryBytes: null,
      cpus: null,
      pids: 512,
      user: null,
      network: 'none',
      mounts: [],
      caches: [],
      tools: [],
      packages: 'off',
      names: null,
    },
    setup: {
      ...{ commands: [], lockFiles: [], keep: ['node_modules'], timeoutMs: 60_000, memoryBytes: null },
      ...{ maxBytes: 1e9, repositoryFile: true },
      ...setup,
    },
    // Further settings of doors belong to other tests.
  } as ContainerSettings;
}

export function requestOf(
  folder: string,
  {
    checkout,
    forge,
    image,
    asked,
  }: { checkout: Checkout; forge: string; image: string | null; asked: Asked },
): LayerRequest {
  const own = join(folder, 'conversations', checkout.conversation);
  mkdirSync(join(own, 'home'), { recursive: true });
  return {
    dispatchId: randomUUID(),
    agent: 'dev',
    repository: { forge: 'home', id: '7', fullName: 'team/app' },
    checkout,
    base: { remote: { url: forge, token: null }, sha: checkout.baseSha },
    settings: { ...settingsOf(image, asked.setup ?? {}), ...asked.settings },
    folders: { home: join(own, 'home'), layers: join(own, 'layers') },
    openDoors: async () => ({ open: null, close: async () => {} }),
    signal: asked.signal ?? new AbortController().signal,
  };
}

export async function checkoutFor(workdir: Workdir, forge: string, asked: Asked): Promise<Checkout> {
  return await workdir.prepare({
    conversation: asked.conversation ?? randomUUID(),
    repository: { id: '7', fullName: 'team/app' },
    remote: { url: forge, token: null },
    defaultBranch: 'main',
    at: asked.at ?? { kind: 'branch', branch: 'dev/1', base: 'main' },
    identity: { name: 'Dev', email: 'dev@example.test' },
    relay: RELAY,
    configurationFromBase: false,
    sign: false,
  });
}

export class LayersStage {
  readonly folder: string;
  readonly forge: BareRepository;
  readonly engine: TestEngine;
  readonly database: Database;
  layers: Layers;
  readonly workdir: Workdir;
  now = Date.now();

  private constructor(engine: TestEngine, database: Database) {
    this.folder = testFolder();
    this.engine = engine;
    this.database = database;
    this.forge = new BareRepository(join(this.folder, 'forge.git'));
    const made = layersIn({ ...this, now: () => this.now, engine: engine.engine });
    this.layers = made.layers;
    this.workdir = made.workdir;
  }

  static async open(engine: TestEngine): Promise<LayersStage> {
    return new LayersStage(engine, await openSqlite());
  }

  /** A service that has just started on the same folder. */
  restart(): void {
    this.layers = layersIn({ ...this, now: () => this.now, engine: this.engine.engine }).layers;
  }

  async run(asked: Asked): Promise<Run> {
    const checkout = await checkoutFor(this.workdir, this.forge.path, asked);
    const { image } = this.engine;
    const request = requestOf(this.folder, { checkout, forge: this.forge.path, image, asked });
    const ready = await this.layers.forRun(request);
    onTestFinished(() => ready.release());
    return {
      ...{ conversation: checkout.conversation, checkout, ready },
      shell: (script) => this.#shell(request, ready, script),
    };
  }

  async #shell(request: LayerRequest, ready: ReadyLayers, script: string): Promise<End> {
    const { checkout, settings, folders } = request;
    const own = join(folders.home, '..');
    const paths = { config: join(own, 'cli'), home: folders.home, temporary: join(own, 'tmp') };
    for (const folder of Object.values(paths)) mkdirSync(folder, { recursive: true });
    writeFileSync(join(own, 'model.sock'), '');
    const place = placeOf(this.engine.engine, {
      ...{ checkout: checkout.path, checkoutName: basename(checkout.path), folders: paths },
      ...{ socket: join(own, 'model.sock'), cli: '/bin/true', forwarder: null, relay: checkout.relay },
      ...{ settings, caches: [], layers: ready.mounts, path: '/usr/bin:/bin' },
    });
    const container = await this.engine.engine.start({
      ...place.spec,
      instance: 'stage',
      dispatch: request.dispatchId,
    });
    try {
      const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: place.home };
      return await ended(
        container.spawn({
          ...{ command: '/bin/bash', args: ['--norc', '-c', script], env, cwd: place.cwd, lockFile: null },
        }),
      );
    } finally {
      await container.stop();
    }
  }

  async rows(): Promise<LayerRow[]> {
    return await this.database.rows.selectFrom('layers').selectAll().orderBy('created_at').execute();
  }
}

/** The engine as on a machine where no overlay can be mounted. */
export function withoutOverlays(engine: TestEngine): TestEngine {
  const { start } = engine.engine;
  return {
    ...engine,
    engine: {
      ...engine.engine,
      start: async (spec) => {
        if (spec.mounts.some(({ over }) => over !== undefined)) {
          throw new EngineFailed('No overlay can be mounted here.', 'None is needed.');
        }
        return await start(spec);
      },
    },
  };
}
