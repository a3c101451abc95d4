/** The doctor on an installation of a test: the real service's edge takes the hooks, the pocket forge sends them. */
import { serve } from '@hono/node-server';
import type { Check } from '../../src/checks/check.ts';
import type { DoctorContext } from '../../src/checks/context.ts';
import type { DoctorReport } from '../../src/checks/doctor.ts';
import { runDoctor } from '../../src/checks/doctor.ts';
import type { LoadedConfig } from '../../src/config/config.ts';
import { cliFor } from '../../src/container/cli-build.ts';
import type { ContainerEngine } from '../../src/container/container.ts';
import { processEngine } from '../../src/container/process.ts';
import { type Database, migrate, openDatabase } from '../../src/database/database.ts';
import { createGiteaFamilyClient } from '../../src/forges/gitea/client.ts';
import { silentLog } from '../../src/log.ts';
import { createMetrics } from '../../src/metrics.ts';
import { createServer } from '../../src/server.ts';
import { wordsOn } from '../../src/wiring/models.ts';
import { tryClone } from '../../src/workdir/try-clone.ts';
import { DIRECT } from './smoke-config.ts';

export interface Edge {
  url: string;
  database: Database;
  close(): Promise<void>;
}

/** Takes webhooks and shows counters, as `claude-hooks serve` does; nothing is routed. */
export async function openEdge(config: LoadedConfig): Promise<Edge> {
  const database = openDatabase({ url: config.database.url });
  await migrate(database);
  const app = createServer({
    database,
    forges: () => config.forges,
    maxBodyBytes: config.server.maxBodyBytes,
    now: () => Date.now(),
    log: silentLog,
    metrics: createMetrics(database),
    showsHealth: true,
    showsDispatches: false,
    onAccepted: () => {},
    notReady: async () => null,
  });
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const opened = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(opened));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    database,
    close: async () => {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await database.close();
    },
  };
}

export function contextOf(
  config: LoadedConfig,
  changes: Partial<Omit<DoctorContext, 'rows' | 'sites'>> = {},
  engine: ContainerEngine = processEngine({ flock: null }),
): Omit<DoctorContext, 'rows'> {
  return {
    // `runDoctor` looks for them itself.
    sites: async () => ({ sites: [], empty: [], leftOut: 0 }),
    config,
    now: () => Date.now(),
    uid: process.getuid?.() ?? null,
    forge: (forge, agent) =>
      createGiteaFamilyClient({ name: forge.name, url: forge.url, token: forge.accounts[agent]!.token }),
    network: DIRECT,
    clone: (remote, names) => tryClone(remote, { env: process.env, network: DIRECT, names }),
    service: { url: null, healthUrl: null, running: false },
    testDeliveries: true,
    engine: async () => ({ chosen: { engine, takesImages: false }, tried: [] }),
    cli: (image) => cliFor({ oci: null, image, executable: null, muslCliPath: null }),
    pinnedCliVersion: '2.1.330',
    model: (agent) => wordsOn(agent, config),
    ...changes,
  };
}

export async function diagnose(
  config: LoadedConfig,
  changes?: Partial<Omit<DoctorContext, 'rows' | 'sites'>>,
  engine?: ContainerEngine,
): Promise<DoctorReport> {
  return await runDoctor(contextOf(config, changes, engine));
}

export function find(report: DoctorReport, check: string): Check | undefined {
  return report.findings.find((f) => f.check === check);
}
