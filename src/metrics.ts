/** Counters and gauges for Prometheus. The gauges are read from the rows when somebody asks. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Database } from './database/database.ts';

export interface Metrics {
  /** webhook requests by forge and outcome: accepted, repeated, or the refusal's code */
  webhook(forge: string, outcome: string): void;
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
  stateGauge(registry, database, 'deliveries');
  stateGauge(registry, database, 'dispatches');
  stateGauge(registry, database, 'messages');
  stateGauge(registry, database, 'sessions');
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
    render: () => registry.metrics(),
    contentType: registry.contentType,
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
