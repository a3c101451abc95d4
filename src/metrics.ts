/** Counters and gauges for Prometheus. The gauges are read from the rows when somebody asks. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Database } from './database/database.ts';

export interface Metrics {
  /** webhook requests by forge and outcome: accepted, repeated, or the refusal's code */
  webhook(forge: string, outcome: string): void;
  /** one check of a smoke run: ok, missing, refused, failed, skipped */
  smokeCheck(check: string, state: string): void;
  /** unix ms of a smoke run in which all was well */
  smokeSucceeded(at: number): void;
  /** Prometheus text format 0.0.4 */
  render(): Promise<string>;
  contentType: string;
}

export function createMetrics(database: Database): Metrics {
  const registry = new Registry();
  const requests = new Counter({
    name: 'claude_hooks_webhook_requests_total',
    help: 'Webhook requests by forge and outcome',
    labelNames: ['forge', 'outcome'],
    registers: [registry],
  });
  const smoke = smokeSeries(registry);
  stateGauge(registry, database, 'deliveries');
  stateGauge(registry, database, 'dispatches');
  stateGauge(registry, database, 'messages');
  stateGauge(registry, database, 'sessions');
  effectGauge(registry, database);
  new Gauge({
    name: 'claude_hooks_dispatch_continuity',
    help: 'Dispatches by the rung of the resume ladder they began on',
    labelNames: ['continuity'],
    registers: [registry],
    async collect() {
      const rows = await database.rows
        .selectFrom('dispatches')
        .select(['continuity', (e) => e.fn.countAll<number>().as('count')])
        .where('continuity', 'is not', null)
        .groupBy('continuity')
        .execute();
      this.reset();
      for (const row of rows) this.set({ continuity: row.continuity! }, Number(row.count));
    },
  });
  return {
    webhook: (forge, outcome) => requests.inc({ forge, outcome }),
    ...smoke,
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function smokeSeries(registry: Registry): Pick<Metrics, 'smokeCheck' | 'smokeSucceeded'> {
  const checks = new Counter({
    name: 'claude_hooks_smoke_checks_total',
    help: 'Smoke checks by name and result',
    labelNames: ['check', 'state'],
    registers: [registry],
  });
  const success = new Gauge({
    name: 'claude_hooks_smoke_last_success_timestamp_seconds',
    help: 'When a smoke run last found all well, 0 = not since the start of the service',
    registers: [registry],
  });
  return {
    smokeCheck: (check, state) => checks.inc({ check, state }),
    smokeSucceeded: (at) => success.set(at / 1000),
  };
}

function stateGauge(
  registry: Registry,
  database: Database,
  table: 'deliveries' | 'dispatches' | 'messages' | 'sessions',
): void {
  new Gauge({
    name: `claude_hooks_${table}`,
    help: `Rows of ${table} by state`,
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const rows = await database.rows
        .selectFrom(table)
        .select(['state', (e) => e.fn.countAll<number>().as('count')])
        .groupBy('state')
        .execute();
      this.reset();
      for (const row of rows) this.set({ state: row.state }, Number(row.count));
    },
  });
}

/** A refused push, pull request, comment or review beside those that were done. */
function effectGauge(registry: Registry, database: Database): void {
  new Gauge({
    name: 'claude_hooks_effects',
    help: 'Acts on the forge by kind and state; refused = the forge said no',
    labelNames: ['kind', 'state'],
    registers: [registry],
    async collect() {
      const rows = await database.rows
        .selectFrom('effects')
        .select(['kind', 'state', (e) => e.fn.countAll<number>().as('count')])
        .groupBy(['kind', 'state'])
        .execute();
      this.reset();
      for (const row of rows) this.set({ kind: row.kind, state: row.state }, Number(row.count));
    },
  });
}
