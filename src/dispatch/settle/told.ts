/** What the log and the metrics are told of a dispatch: one line when a run begins, one when the dispatch ends or waits. */
import type { DispatchRun } from '../../agent-runner/run.ts';
import type { AgentConfig } from '../../config/config.ts';
import { type LedgerUsage, usageOf } from '../../gateway/ledger.ts';
import type { Fields } from '../../log/line.ts';
import type { Lease } from '../../mailbox/leases.ts';
import type { Settlement } from '../../mailbox/settlement.ts';
import type { DispatchDeps } from '../dispatch.ts';
import { leadingOf, readMessage } from '../gather/messages.ts';
import type { Finished } from './ending.ts';

type Start = Pick<Parameters<DispatchRun['announce']>[0], 'sessionId' | 'continuity' | 'form' | 'history'>;

/** Said when its row is written and the CLI is about to be spawned. */
export function tellStart(
  { log, runner }: Pick<DispatchDeps, 'log' | 'runner'>,
  lease: Lease,
  agent: AgentConfig,
  start: Start,
): void {
  const leading = leadingOf(lease.messages.map(readMessage));
  const isAdopted = start.form === null;
  log.info(isAdopted ? 'dispatch takes the answer of its earlier attempt' : 'dispatch runs', {
    ...place(lease),
    attempt: lease.dispatch.attempt,
    event: leading?.event.name ?? null,
    sender: leading?.event.sender.login ?? null,
    flow: leading?.flow ?? null,
    skill: leading?.skill ?? null,
    messages: lease.messages.length,
    continuity: start.continuity,
    history: start.history,
    model: agent.model,
    effort: agent.effort,
    engine: runner.engine.name,
    ...ids(lease),
    session: start.sessionId,
  });
}

/** After the settlement is committed, so that the rows are as the line says. */
export async function tellEnd(
  deps: DispatchDeps,
  lease: Lease,
  { settlement, cause }: Exclude<Finished, { lost: true }>,
): Promise<void> {
  const { id, agent, started_at: started, due_at: due } = lease.dispatch;
  const began = started ?? deps.now();
  const ranMs = Math.max(0, deps.now() - began);
  const used = await usageOf(deps.database.rows, { dispatchId: id, since: began }).catch(() => null);
  const [level, message] = ENDS[settlement.state];
  deps.log[level](message, {
    ...place(lease),
    attempt: lease.dispatch.attempt,
    seconds: Math.round(ranMs / 100) / 10,
    ...cost(used),
    ...('until' in settlement ? { cause, until: new Date(settlement.until).toISOString() } : {}),
    ...('reason' in settlement ? { reason: settlement.reason } : {}),
    ...ids(lease),
  });
  const queuedMs = Math.max(0, began - due);
  deps.attempted({ agent, state: settlement.state, cause: cause ?? null, queuedMs, ranMs });
}

const ENDS: Record<Settlement['state'], ['info' | 'warn' | 'error', string]> = {
  succeeded: ['info', 'dispatch succeeded'],
  cancelled: ['info', 'dispatch cancelled'],
  interrupted: ['warn', 'dispatch interrupted, goes on by itself'],
  parked: ['warn', 'dispatch parked, goes on by itself'],
  unposted: ['warn', 'dispatch unposted, its answer is kept'],
  failed: ['error', 'dispatch failed'],
};

/** The fields that say which dispatch a line is about. */
export function about(lease: Lease): Fields {
  return { ...place(lease), ...ids(lease) };
}

function place({ conversation, dispatch }: Lease): Fields {
  return {
    agent: dispatch.agent,
    item: `${conversation.repository_name}#${conversation.item_number}`,
    forge: conversation.forge,
  };
}

/** At the end of the line, because people read the rest first. */
function ids({ conversation, dispatch }: Lease): Fields {
  return { dispatch: dispatch.id, conversation: conversation.id };
}

function cost(used: LedgerUsage | null): Fields {
  if (used === null) return { usd: 'not known: the ledger cannot be read' };
  if (used.requests === 0) return { requests: 0, usd: 0 };
  return {
    requests: used.requests,
    usd: used.microUsd === null ? 'not known: a model has no list price' : used.microUsd / 1e6,
    input: used.inputTokens,
    output: used.outputTokens,
    cacheRead: used.cacheReadTokens,
    cacheWrite: used.cacheWriteTokens,
  };
}
