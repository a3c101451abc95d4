/** What the log says of the service itself: what it is when it starts, what a reload has changed. */
import type { ConfigChanges } from '../config/changes.ts';
import type { LoadedConfig } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { ConfigError } from '../errors.ts';
import type { Log } from '../log.ts';
import { currentHolds, type Hold } from '../mailbox/holds.ts';
import { SERVICE_PARTS, type ServicePart } from './service-parts.ts';

export interface Started {
  config: LoadedConfig;
  database: Database;
  version: string;
  parts: readonly ServicePart[];
  /** null where no worker runs */
  engine: string | null;
  /** null where no webhooks are taken */
  url: string | null;
  healthUrl: string | null;
  /** dispatches that an earlier service had left running */
  rescued: readonly string[];
}

export async function tellStart(log: Log, started: Started): Promise<void> {
  const { config, database, parts, url, healthUrl, version, engine, rescued } = started;
  const isWhole = parts.length === SERVICE_PARTS.length;
  const at = healthUrl ?? url;
  const forges = Object.values(config.forges);
  log.info(url === null ? `claude-hooks runs ${parts.join(', ')}` : `claude-hooks listens on ${url}`, {
    version,
    ...(isWhole ? {} : { parts }),
    metrics: at === null ? null : `${at}/metrics`,
    state: config.state,
    database: database.dialect,
    engine,
    forges: forges.map((forge) => `${forge.name}:${forge.kind}:${forge.url}`),
    repositories: forges.flatMap((f) => f.repositories.map(({ pattern }) => `${f.name}:${pattern}`)),
    agents: [...config.agents.values()]
      .filter(({ name }) => forges.some(({ accounts }) => Object.hasOwn(accounts, name)))
      .map(({ name, model }) => `${name}:${model}`),
    recovered: rescued.length,
    ...(await found(database)),
  });
}

/** Work that earlier runs of the service left in the rows. */
async function found(database: Database): Promise<Record<string, unknown>> {
  const count = async (table: 'deliveries' | 'dispatches', states: string[]) => {
    const { n } = await database.rows
      .selectFrom(table)
      .select((e) => e.fn.countAll<number>().as('n'))
      .where('state', 'in', states as never)
      .executeTakeFirstOrThrow();
    return Number(n);
  };
  const holds = await currentHolds(database.rows, Date.now());
  return {
    undecided: await count('deliveries', ['received']),
    waiting: await count('dispatches', ['queued', 'interrupted']),
    parked: await count('dispatches', ['parked']),
    ...(holds.length === 0 ? {} : { holds: holds.map(sayHold) }),
  };
}

function sayHold({ label, until }: Hold): string {
  return `${label} until ${until === null ? 'lifted' : new Date(until).toISOString()}`;
}

export function tellReload(log: Log, config: LoadedConfig, changes: ConfigChanges): void {
  const said = Object.entries(changes).filter(([, names]) => names.length > 0);
  log.info('configuration reloaded', Object.fromEntries(said));
  for (const warning of config.warnings) log.warn(warning);
}

export function tellRejected(log: Log, error: ConfigError): void {
  log.error('the changed configuration is wrong; the last good one stays in force', {
    problems: error.message.split('\n').filter((line) => line.trim() !== ''),
  });
}
