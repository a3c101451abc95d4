/** Counters, gauges and histograms for Prometheus. What the rows tell is read from them when somebody asks. */
import type { Database } from './database/database.ts';
import type { FamilyName } from './metrics/families.ts';
import { samplesFromRows } from './metrics/from-rows.ts';
import { ModelTotals } from './metrics/model-totals.ts';
import { createSeries, type Sample } from './metrics/registry.ts';
import { PARK_CAUSES, type ParkCause } from './vocabulary.ts';

export interface Metrics {
  /** webhook requests by forge and outcome: accepted, repeated, or the refusal's code */
  webhook(forge: string, outcome: string): void;
  /** what was decided about a delivery; `event` is a name of ours, or `none` */
  decided(decision: { forge: string; event: string; decision: string }): void;
  /** one attempt of a dispatch has ended */
  attempted(attempt: Attempt): void;
  /** one request at the door to packages or to hosts; what has only ended counts its bytes */
  passed(at: DoorPassage): void;
  /** one check of a smoke run: ok, missing, refused, failed, skipped */
  smokeCheck(check: string, state: string): void;
  /** unix ms of a smoke run in which all was well */
  smokeSucceeded(at: number): void;
  /** one look at a forge, see `claude_hooks_reconciler_looks_total`; `until`: unix ms of a pause */
  looked(look: { forge: string; outcome: string; events: readonly string[]; until: number | null }): void;
  /** Prometheus text format 0.0.4 */
  render(): Promise<string>;
  contentType: string;
}

export interface DoorPassage {
  door: 'packages' | 'network';
  decision: string;
  verdict: string;
  sent: number;
  received: number;
}

export interface Attempt {
  agent: string;
  state: string;
  /** of a park */
  cause: ParkCause | null;
  queuedMs: number;
  ranMs: number;
}

export function createMetrics(
  database: Database,
  o: { version?: string; now?: () => number; budgets?: (now: number) => Promise<Sample[]> } = {},
): Metrics {
  const { version = 'unknown', now = Date.now } = o;
  const series = createSeries();
  series.set('claude_hooks_build_info', { version }, 1);
  series.set('claude_hooks_smoke_last_success_timestamp_seconds', {}, 0);
  for (const cause of PARK_CAUSES) series.inc('claude_hooks_dispatch_parks_total', { cause }, 0);
  const totals = new ModelTotals(database);
  const render = async (): Promise<string> => {
    const at = now();
    const model = Object.entries(await totals.samples(at)) as [FamilyName, Sample[]][];
    if (o.budgets !== undefined) series.replace('claude_hooks_budget_used_ratio', await o.budgets(at));
    for (const [name, samples] of [...model, ...(await samplesFromRows(database, at))]) {
      series.replace(name, samples);
    }
    return await series.text();
  };
  let rendering: Promise<string> | null = null;
  return {
    webhook: (forge, outcome) => series.inc('claude_hooks_webhook_requests_total', { forge, outcome }),
    decided: (decision) => series.inc('claude_hooks_delivery_decisions_total', decision),
    attempted: ({ agent, state, cause, queuedMs, ranMs }) => {
      series.observe('claude_hooks_dispatch_duration_seconds', { agent, state }, ranMs / 1000);
      series.observe('claude_hooks_dispatch_queue_seconds', { agent }, queuedMs / 1000);
      if (cause !== null) series.inc('claude_hooks_dispatch_parks_total', { cause });
    },
    passed: ({ door, decision, verdict, sent, received }) => {
      if (verdict !== 'ended') series.inc('claude_hooks_door_requests_total', { door, decision, verdict });
      series.inc('claude_hooks_door_bytes_total', { door, direction: 'sent' }, sent);
      series.inc('claude_hooks_door_bytes_total', { door, direction: 'received' }, received);
    },
    smokeCheck: (check, state) => series.inc('claude_hooks_smoke_checks_total', { check, state }),
    smokeSucceeded: (at) => series.set('claude_hooks_smoke_last_success_timestamp_seconds', {}, at / 1000),
    looked: ({ forge, outcome, events, until }) => {
      series.inc('claude_hooks_reconciler_looks_total', { forge, outcome });
      for (const event of events) series.inc('claude_hooks_reconciler_events_total', { forge, event });
      series.set('claude_hooks_reconciler_paused_until_timestamp_seconds', { forge }, (until ?? 0) / 1000);
    },
    render: () => {
      // Scrapes at the same time share one reading of the rows.
      rendering ??= render().finally(() => {
        rendering = null;
      });
      return rendering;
    },
    contentType: series.contentType,
  };
}
