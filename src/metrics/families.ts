/** Every series that is served, as data: the registry is made from it, and docs/metrics.md is. */

export interface Family {
  type: 'counter' | 'gauge' | 'histogram';
  labels: readonly string[];
  /** a clause for people */
  help: string;
  /** `rows`: read from the database at each scrape, so it is right after a restart; `process`: begins at 0 with it */
  from: 'rows' | 'process';
}

const RUN_BUCKETS = 'buckets from 1 s to 4 h';

export const FAMILIES = {
  claude_hooks_build_info: {
    type: 'gauge',
    labels: ['version'],
    help: 'Always 1; the label says which release runs',
    from: 'process',
  },
  claude_hooks_webhook_requests_total: {
    type: 'counter',
    labels: ['forge', 'outcome'],
    help: 'Webhook requests: accepted, repeated, or the code of the refusal',
    from: 'process',
  },
  claude_hooks_deliveries: {
    type: 'gauge',
    labels: ['state'],
    help: 'Deliveries that are stored, by state; received = not decided yet',
    from: 'rows',
  },
  claude_hooks_delivery_decisions_total: {
    type: 'counter',
    labels: ['forge', 'event', 'decision'],
    help: 'What was decided about deliveries: routed, refused (its sender may not, or it is not true), unwanted (no flow), echo (our own doing), duplicate, ignored, failed, postponed',
    from: 'process',
  },
  claude_hooks_reconciler_looks_total: {
    type: 'counter',
    labels: ['forge', 'outcome'],
    help: 'Looks at a forge for what no webhook told: nothing, found, begun (first of all), postponed (the forge did not answer or asked us to wait), failed, not-offered',
    from: 'process',
  },
  claude_hooks_reconciler_events_total: {
    type: 'counter',
    labels: ['forge', 'event'],
    help: 'Events that a look found and no webhook had told',
    from: 'process',
  },
  claude_hooks_reconciler_paused_until_timestamp_seconds: {
    type: 'gauge',
    labels: ['forge'],
    help: 'Until when no look is made because the forge did not answer or asked us to wait; 0 = none waits',
    from: 'process',
  },
  claude_hooks_reconciler_mark_timestamp_seconds: {
    type: 'gauge',
    labels: ['forge'],
    help: "How far all repositories of a forge have been looked through, by the forge's clock; one that falls behind is missing something",
    from: 'rows',
  },
  claude_hooks_stuck_items: {
    type: 'gauge',
    labels: ['rule'],
    help: 'What the rules of the reconciler have found and is still so, see `claude-hooks stuck`',
    from: 'rows',
  },
  claude_hooks_messages: {
    type: 'gauge',
    labels: ['state'],
    help: 'Messages in mailboxes by state',
    from: 'rows',
  },
  claude_hooks_conversations: {
    type: 'gauge',
    labels: ['state'],
    help: 'Conversations: running, waiting, parked, failed or unposted (their last dispatch, and nothing came since), idle',
    from: 'rows',
  },
  claude_hooks_sessions: {
    type: 'gauge',
    labels: ['state'],
    help: 'Claude sessions by state',
    from: 'rows',
  },
  claude_hooks_dispatches: {
    type: 'gauge',
    labels: ['state'],
    help: 'Dispatches by state, all there ever were',
    from: 'rows',
  },
  claude_hooks_dispatch_continuity: {
    type: 'gauge',
    labels: ['continuity'],
    help: 'Dispatches by the rung of the resume ladder they began on',
    from: 'rows',
  },
  claude_hooks_incidents_total: {
    type: 'counter',
    labels: ['rung'],
    help: 'Times that continuity had to be mended, or could not be verified',
    from: 'rows',
  },
  claude_hooks_dispatch_duration_seconds: {
    type: 'histogram',
    labels: ['agent', 'state'],
    help: `From the lease of an attempt to its end, by the state it ended in; ${RUN_BUCKETS}`,
    from: 'process',
  },
  claude_hooks_dispatch_queue_seconds: {
    type: 'histogram',
    labels: ['agent'],
    help: `From when a dispatch might run (quiet window or own wait over) until it did; ${RUN_BUCKETS}`,
    from: 'process',
  },
  claude_hooks_dispatch_parks_total: {
    type: 'counter',
    labels: ['cause'],
    help: 'Dispatches put off: limit (of the model), outage, trouble (unknown), identity (of an account), ci (not over), budget (spent, or quiet hours), court (runs in a circle), dependency (waits for an item)',
    from: 'process',
  },
  claude_hooks_holds: {
    type: 'gauge',
    labels: ['kind', 'by'],
    help: 'Holds in force, by what they hold (all, credential, agent, repository, conversation) and who set them (person, limit, budget, court, dependency)',
    from: 'rows',
  },
  claude_hooks_hold_until_timestamp_seconds: {
    type: 'gauge',
    labels: ['credential'],
    help: 'When the hold of the credential, or of one model, ends; there is no series when neither is held',
    from: 'rows',
  },
  claude_hooks_model_cost_usd_total: {
    type: 'counter',
    labels: ['agent', 'forge', 'repository'],
    help: 'US dollars at list prices; the first 200 repositories by name, all others as "other"',
    from: 'rows',
  },
  claude_hooks_budget_used_ratio: {
    type: 'gauge',
    labels: ['budget'],
    help: 'How much of each budget of days and months is spent, 1 = all of it; the larger of dollars and tokens',
    from: 'rows',
  },
  claude_hooks_budget_warnings_total: {
    type: 'counter',
    labels: ['unit'],
    help: 'Warnings that a budget is nearly spent (budgets.warn_percent), once for each budget and period',
    from: 'rows',
  },
  claude_hooks_model_unpriced_requests_total: {
    type: 'counter',
    labels: ['agent'],
    help: 'Requests whose model has no known price: their cost is in no other series',
    from: 'rows',
  },
  claude_hooks_model_tokens_total: {
    type: 'counter',
    labels: ['agent', 'kind'],
    help: 'Tokens: input (new), cache_write, cache_read, output',
    from: 'rows',
  },
  claude_hooks_model_requests_total: {
    type: 'counter',
    labels: ['agent', 'outcome', 'status'],
    help: "Requests to the model; refused and failed are errors of the model's side, with its HTTP status or none",
    from: 'rows',
  },
  claude_hooks_effects: {
    type: 'gauge',
    labels: ['kind', 'state'],
    help: 'Acts on the forge by kind and state; refused = the forge said no',
    from: 'rows',
  },
  claude_hooks_door_requests_total: {
    type: 'counter',
    labels: ['door', 'decision', 'verdict'],
    help: 'Requests of agents at the doors to packages and to hosts by name: allowed, denied, failed, and why',
    from: 'process',
  },
  claude_hooks_door_bytes_total: {
    type: 'counter',
    labels: ['door', 'direction'],
    help: 'Bytes that passed these doors: sent by agents, or received by them; counted when a connection has ended',
    from: 'process',
  },
  claude_hooks_notices: {
    type: 'gauge',
    labels: ['kind', 'state'],
    help: 'What the forge shows of work besides answers (reaction, status, comment), by state; planned = not shown yet',
    from: 'rows',
  },
  claude_hooks_timers: {
    type: 'gauge',
    labels: ['state'],
    help: 'Wishes of agents to be woken by state, all there ever were; waiting = `claude-hooks timers list` lists it',
    from: 'rows',
  },
  claude_hooks_messages_handed: {
    type: 'gauge',
    labels: ['delivered'],
    help: 'Messages that were handed to a run under way; delivered = a turn of it has taken the words',
    from: 'rows',
  },
  claude_hooks_attached: {
    type: 'gauge',
    labels: [],
    help: "People at an agent's terminal now; their conversations wait",
    from: 'rows',
  },
  claude_hooks_asks: {
    type: 'gauge',
    labels: ['kind'],
    help: 'What waits for a person: question, approval, failed, unposted, stuck; `claude-hooks inbox` lists it',
    from: 'rows',
  },
  claude_hooks_smoke_checks_total: {
    type: 'counter',
    labels: ['check', 'state'],
    help: 'Smoke checks by name and result',
    from: 'process',
  },
  claude_hooks_smoke_last_success_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When a smoke run last found all well, 0 = not since the start of the service',
    from: 'process',
  },
} as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof FAMILIES;

/** Runs take from seconds to an hour. */
export const SECONDS_BUCKETS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400];
