/**
 * One dispatch from lease to settlement. Reads as its own table of contents:
 * gather → run → store → publish → settle.
 */
import type { RunnerDeps, RunOutcome } from '../agent-runner/contract.ts';
import { runWithSessionResume } from '../agent-runner.ts';
import type { AgentConfig, ForgeConfig, LoadedConfig } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { ForgeUnavailable, GitFailed, LeaseLost } from '../errors.ts';
import { faultPoint } from '../faults.ts';
import type { Snapshot } from '../flows/changes.ts';
import type { Forge } from '../forge/forge.ts';
import type { Log } from '../log.ts';
import { assertLease, carryLate, type Lease, underLease } from '../mailbox/leases.ts';
import { parkCredential } from '../mailbox/parks.ts';
import { type Settlement, settleDispatch } from '../mailbox/settlement.ts';
import { type OutcomeDeps, type Publication, publishOutcome } from '../outcome.ts';
import { cliFolders } from '../sessions/folders.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import type { Workdir } from '../workdir.ts';
import { type DispatchContext, gatherContext } from './context.ts';
import { promptOf } from './prompts.ts';
import { announceRun, conversationView, replayedMessages, storeAnswer } from './rows.ts';
import { withoutStale } from './stale.ts';
import { limitEnd, MOST_TROUBLES, troubleEnd } from './waits.ts';

export interface DispatchDeps {
  database: Database;
  config: () => Pick<LoadedConfig, 'agents' | 'skills' | 'forges' | 'state' | 'worker'>;
  /** the client that acts as this agent on this forge */
  forge: (forge: ForgeConfig, agent: string) => Forge;
  workdir: Workdir;
  runner: RunnerDeps;
  now: () => number;
  log: Log;
}

/** How a dispatch leaves the worker: a settlement, or nothing at all when the lease is another's. */
export type Finished = { settlement: Settlement; seen: string | null; unanswered: string[] } | { lost: true };

interface Work {
  lease: Lease;
  agent: AgentConfig;
  forgeConfig: ForgeConfig;
  account: { login: string; token: string };
  forge: Forge;
  signal: AbortSignal;
}

export async function runDispatch(lease: Lease, deps: DispatchDeps, signal: AbortSignal): Promise<void> {
  const finished = await attempt(lease, deps, signal);
  if ('lost' in finished) {
    deps.log.warn(`dispatch ${lease.dispatch.id}: lease lost, nothing written`);
    return;
  }
  deps.log.info(`[${lease.dispatch.agent}] ${lease.dispatch.id}: ${finished.settlement.state}`, {
    ...('reason' in finished.settlement ? { reason: finished.settlement.reason } : {}),
  });
  faultPoint('settle.begun');
  try {
    await settleDispatch(deps.database, lease, { ...finished, now: deps.now() });
    faultPoint('settle.committed');
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    deps.log.warn(error.message);
  }
}

async function attempt(lease: Lease, deps: DispatchDeps, signal: AbortSignal): Promise<Finished> {
  if (lease.messages.length === 0 && lease.previous?.answer == null) {
    return finish({ state: 'cancelled', reason: 'every message was withdrawn before it was read' });
  }
  const work = findParts(lease, deps, signal);
  if (typeof work === 'string') return finish({ state: 'failed', reason: work });
  try {
    return await carryOut(work, deps);
  } catch (error) {
    return await afterError(work, deps, error);
  }
}

function finish(settlement: Settlement): Finished {
  return { settlement, seen: null, unanswered: [] };
}

function findParts(lease: Lease, deps: DispatchDeps, signal: AbortSignal): Work | string {
  const config = deps.config();
  const { forge: forgeName, agent: agentName } = lease.conversation;
  const agent = config.agents.get(agentName);
  const forgeConfig = config.forges[forgeName];
  const account = forgeConfig?.accounts[agentName];
  if (agent === undefined)
    return `agent ${agentName} is no longer configured; add agents/${agentName}.md again`;
  if (forgeConfig === undefined || account === undefined) {
    return `agent ${agentName} has no account on ${forgeName}; add forges.${forgeName}.accounts.${agentName}`;
  }
  return { lease, agent, forgeConfig, account, forge: deps.forge(forgeConfig, agentName), signal };
}

async function carryOut(work: Work, deps: DispatchDeps): Promise<Finished> {
  const { lease } = work;
  if (lease.previous?.answer != null) return await publishStoredAnswer(work, deps, lease.previous.answer);
  const carryAll = () => carryLate(deps.database, lease, deps.now());
  const gathered = await gatherContext({ ...work, workdir: deps.workdir, carryLate: carryAll });
  faultPoint('context.gathered');
  const context = withoutStale(gathered, {
    seen: seenItems(lease.conversation.seen)[gathered.item.number] ?? null,
    replayed: await replayedMessages(deps.database, gathered.lease),
  });
  if (context.leading === null) {
    return finish({
      state: 'cancelled',
      reason: 'all it was woken for has been read already, or is no longer so',
    });
  }
  const current = { ...work, lease: context.lease };
  const outcome = await run(current, deps, context);
  return await settleOutcome(current, deps, context, outcome);
}

async function run(work: Work, deps: DispatchDeps, context: DispatchContext): Promise<RunOutcome> {
  const { lease, agent, account } = work;
  const seenAll = seenItems(lease.conversation.seen);
  const material = {
    context,
    agent,
    login: account.login,
    skills: deps.config().skills,
    conversation: await conversationView(deps.database, lease),
    seen: seenAll[context.item.number] ?? null,
  };
  return await runWithSessionResume(
    {
      id: lease.dispatch.id,
      conversationId: lease.conversation.id,
      agentName: agent.name,
      agent: {
        model: agent.model,
        effort: agent.effort ?? null,
        tools: agent.tools === null ? null : [...agent.tools],
        disallowedTools: [...agent.disallowedTools],
        maxTurns: agent.maxTurns,
        permissionMode: agent.permissionMode,
        instructions: agent.instructions,
      },
      policy: agent.resume,
      cwd: context.checkout.path,
      folders: cliFolders(deps.config().state, lease.conversation.id),
      retried: lease.previous !== null,
      prompt: (form) => promptOf(material, form),
      announce: (start) =>
        announceRun(deps.database, lease, { ...start, carried: lease.messages.map((m) => m.id) }),
      signal: work.signal,
    },
    { ...deps.runner, database: underLease(deps.runner.database, lease) },
  );
}

async function settleOutcome(
  work: Work,
  deps: DispatchDeps,
  context: DispatchContext,
  outcome: RunOutcome,
): Promise<Finished> {
  switch (outcome.kind) {
    case 'answered': {
      faultPoint('run.verified');
      // A comment of nothing but our mark would look as if nobody had answered.
      const answer =
        outcome.answer.trim() === '' ? 'I am done, and ended without a word about it.' : outcome.answer;
      await storeRun(work, deps, context, outcome, answer);
      faultPoint('answer.stored');
      await publish(work, deps, context, {
        answer,
        continuity: outcome.continuity,
        continuityReason: outcome.reason,
      });
      return succeeded(work, context, outcome.adopted);
    }
    case 'capped': {
      const answer = `I stopped at my limit (${outcome.why}) before I was done. Write here to let me go on.`;
      await storeRun(work, deps, context, outcome, answer);
      return await tellCap(work, deps, { answer, why: outcome.why });
    }
    case 'limited':
      return await park(work, deps, outcome);
    case 'transient':
      return await postpone(work, deps, outcome.why);
    case 'interrupted':
      return isLost(work.signal) ? { lost: true } : await interrupted(work, deps, outcome.why);
    case 'refused':
      await tellPeople(work, deps, `I could not run. ${outcome.reason}. A person must look at this.`);
      return finish({ state: 'failed', reason: outcome.reason });
  }
}

/** The abort reasons a worker gives; `agent-runner` hands them back in `interrupted`. */
export const ABORT = { leaseLost: 'the lease was lost', timeout: 'the run took too long' } as const;

function isLost(signal: AbortSignal): boolean {
  return signal.reason === ABORT.leaseLost;
}

async function interrupted(work: Work, deps: DispatchDeps, why: string): Promise<Finished> {
  if (why !== ABORT.timeout) return finish({ state: 'interrupted', reason: why });
  const minutes = deps.config().worker.runTimeoutMinutes;
  await tellPeople(
    work,
    deps,
    `I was stopped after ${minutes} minutes (worker.run_timeout_minutes) before I was done. Write here to let me go on.`,
  );
  return finish({ state: 'failed', reason: `${why}: ${minutes} minutes` });
}

async function storeRun(
  work: Work,
  deps: DispatchDeps,
  context: DispatchContext,
  outcome: Extract<RunOutcome, { kind: 'answered' | 'capped' }>,
  answer: string,
): Promise<void> {
  await storeAnswer(deps.database, work.lease, {
    outcome,
    answer,
    snapshot: JSON.stringify({
      ...seenItems(work.lease.conversation.seen),
      [context.item.number]: context.snapshot,
    }),
    branch: context.branch?.name ?? null,
    now: deps.now(),
  });
}

/** Messages that were not in the answered prompt (they came while the service was down) go on waiting. */
function succeeded(work: Work, context: DispatchContext, adopted: boolean): Finished {
  const { lease } = work;
  const answered = adopted ? (lease.previous?.carried ?? []) : lease.messages.map((m) => m.id);
  const unanswered = lease.messages.map((m) => m.id).filter((id) => !answered.includes(id));
  const seen = { ...seenItems(lease.conversation.seen), [context.item.number]: context.snapshot };
  return {
    settlement: { state: 'succeeded' },
    // Comments that were not in the answered prompt must be new to the next one.
    seen: unanswered.length > 0 ? lease.conversation.seen : JSON.stringify(seen),
    unanswered,
  };
}

async function tellCap(
  work: Work,
  deps: DispatchDeps,
  cap: { answer: string; why: string },
): Promise<Finished> {
  await tellPeople(work, deps, cap.answer);
  return finish({ state: 'failed', reason: cap.why });
}

/** The service died between the answer and its publication: publish it, and do not run again. */
async function publishStoredAnswer(work: Work, deps: DispatchDeps, answer: string): Promise<Finished> {
  const { lease } = work;
  const context = await gatherContext({ ...work, workdir: deps.workdir, carryLate: async () => lease });
  const { continuity, session_id, ending } = lease.dispatch;
  if (ending !== null && ending !== 'answered') {
    return await tellCap(work, deps, { answer, why: ending });
  }
  await publish(work, deps, context, {
    answer,
    continuity: (continuity ?? 'resumed') as Publication['continuity'],
    continuityReason: `session ${session_id ?? 'unknown'}`,
  });
  const finished = succeeded(work, context, true);
  return 'lost' in finished ? finished : { ...finished, seen: lease.dispatch.snapshot };
}

async function publish(
  work: Work,
  deps: DispatchDeps,
  context: DispatchContext,
  said: Pick<Publication, 'answer' | 'continuity' | 'continuityReason'>,
): Promise<void> {
  const { agent, account, lease } = work;
  const remote = { url: context.repository.cloneUrl, token: account.token };
  const branch = context.branch;
  await publishOutcome(
    {
      ...said,
      dispatchId: lease.dispatch.id,
      conversationId: lease.conversation.id,
      agent: agent.name,
      login: account.login,
      forgeName: lease.conversation.forge,
      repository: context.repository,
      itemNumber: context.item.number,
      itemTitle: lease.conversation.title || context.item.title,
      publish: agent.publish,
      branch:
        branch === null
          ? null
          : { ...branch, push: () => deps.workdir.push(context.checkout, { remote, branch: branch.name }) },
      closes: lease.conversation.item_kind === 'issue' ? lease.conversation.item_number : null,
      reviewedSha: context.item.pull?.headSha ?? null,
    },
    outcomeDeps(work, deps),
  );
}

function outcomeDeps(work: Work, deps: DispatchDeps): OutcomeDeps {
  return {
    database: deps.database,
    forge: work.forge,
    now: deps.now,
    assertMine: (tx) => assertLease(tx, work.lease),
  };
}

/** A failure that only a person can mend is said on the item the newest message came from, once. */
async function tellPeople(work: Work, deps: DispatchDeps, text: string): Promise<void> {
  const { agent, account, lease } = work;
  const newest = lease.messages.at(-1);
  const event = newest === undefined ? null : (JSON.parse(newest.event) as ForgeEvent);
  await publishOutcome(
    {
      dispatchId: lease.dispatch.id,
      conversationId: lease.conversation.id,
      agent: agent.name,
      login: account.login,
      forgeName: lease.conversation.forge,
      repository: { id: lease.conversation.repository_id, fullName: lease.conversation.repository_name },
      itemNumber: event?.item?.number ?? lease.conversation.item_number,
      itemTitle: lease.conversation.title,
      publish: 'comment',
      branch: null,
      closes: null,
      reviewedSha: null,
      answer: text,
      continuity: 'resumed',
      continuityReason: '',
    },
    outcomeDeps(work, deps),
  );
}

/** Everything on the credential waits, and not one attempt of the dispatch is used up by it. */
async function park(
  work: Work,
  deps: DispatchDeps,
  limit: Extract<RunOutcome, { kind: 'limited' }>,
): Promise<Finished> {
  const { attempt: attempts, troubles } = work.lease.dispatch;
  const now = deps.now();
  const until = limitEnd(limit, { earlier: attempts - 1 - troubles, now });
  await parkCredential(deps.database.rows, { credential: 'model', until, why: limit.why, now });
  deps.log.warn(`model credential parked until ${new Date(until).toISOString()}: ${limit.why}`);
  return finish({ state: 'parked', reason: limit.why, until });
}

/** Later again; after the last time a person is told, as far as the forge can be reached. */
async function postpone(work: Work, deps: DispatchDeps, why: string): Promise<Finished> {
  const { troubles: earlier, id } = work.lease.dispatch;
  if (earlier + 1 < MOST_TROUBLES) {
    const until = troubleEnd({ earlier, now: deps.now() });
    return finish({ state: 'parked', reason: why, until, isTrouble: true });
  }
  const reason = `${why} (after ${MOST_TROUBLES} attempts)`;
  await tellPeople(
    work,
    deps,
    `I gave up: ${reason}. A person must look at this; write here to let me try again.`,
  ).catch((error: unknown) => deps.log.error(`dispatch ${id}: nobody could be told: ${String(error)}`));
  return finish({ state: 'failed', reason });
}

/** Reactions by class: later, never, or not ours any more. */
async function afterError(work: Work, deps: DispatchDeps, error: unknown): Promise<Finished> {
  if (error instanceof LeaseLost) return { lost: true };
  const reason = error instanceof Error ? error.message : String(error);
  const passing = error instanceof ForgeUnavailable || (error instanceof GitFailed && error.transient);
  deps.log.error(
    `[${work.agent.name}] ${work.lease.dispatch.id}: ${reason}`,
    passing ? {} : { stack: (error as Error).stack },
  );
  return await postpone(work, deps, reason);
}

function seenItems(stored: string | null): Record<number, Snapshot> {
  return stored === null ? {} : (JSON.parse(stored) as Record<number, Snapshot>);
}
