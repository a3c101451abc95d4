/**
 * One dispatch from lease to settlement. Reads as its own table of contents:
 * gather → run → store → publish → settle.
 */
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DispatchRun, RunOutcome } from './agent-runner/contract.ts';
import { runWithSessionResume } from './agent-runner.ts';
import type { AgentConfig } from './config/config.ts';
import { announceRun, conversationView, replayedMessages } from './dispatch/converse/announced.ts';
import { askForVerdict } from './dispatch/converse/ask-verdict.ts';
import { openDoors } from './dispatch/converse/doors.ts';
import { readTexts } from './dispatch/converse/prompt-budget.ts';
import { promptOf, spokenIn } from './dispatch/converse/prompts.ts';
import { stopWithdrawn, watchRecalls, withdrawnFrom } from './dispatch/converse/recall.ts';
import { sessionMarks } from './dispatch/converse/session-marks.ts';
import { forget, keepFiles, newsOf, putBack } from './dispatch/converse/steering-files.ts';
import {
  closingOf,
  type DispatchDeps,
  type Finished,
  finish,
  finishParked,
  type Work,
} from './dispatch/dispatch.ts';
import { type DispatchContext, type Gathered, gatherContext } from './dispatch/gather/context.ts';
import { contextRequest } from './dispatch/gather/context-request.ts';
import { declineRefused, takeUp, wasDeleted } from './dispatch/gather/message-truth.ts';
import { withoutStale } from './dispatch/gather/stale.ts';
import { tellPeople } from './dispatch/publish/publish.ts';
import { toldEdits } from './dispatch/screen/edits.ts';
import { asideSet, readSetAside, textsThatWoke, withoutTexts } from './dispatch/screen/set-aside.ts';
import { postpone, publishStoredAnswer, settleOutcome, storeRun } from './dispatch/settle/settle.ts';
import { about, tellEnd, tellStart } from './dispatch/settle/told.ts';
import { troubleOf } from './dispatch/settle/troubles.ts';
import { ForgeUnavailable, LeaseLost } from './errors.ts';
import { faultPoint } from './faults.ts';
import { carryLate, type Lease, underLease } from './mailbox/leases.ts';
import { settleDispatch } from './mailbox/settlement.ts';
import { lastIsUnposted } from './mailbox/unposted.ts';
import { causeOf, failureText } from './outcome/failure-texts.ts';
import { outgoingForge } from './outcome/outgoing-forge.ts';
import { cliFolders } from './sessions/folders.ts';

export async function runDispatch(
  lease: Lease,
  deps: DispatchDeps,
  run: Pick<Work, 'signal' | 'routed'>,
): Promise<void> {
  const finished = await attempt(lease, deps, run);
  if ('lost' in finished) {
    deps.log.warn('dispatch lost its lease to another worker, nothing is written', about(lease));
    return;
  }
  faultPoint('settle.begun');
  try {
    await settleDispatch(deps.database, lease, { ...finished, now: deps.now() });
    faultPoint('settle.committed');
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    deps.log.warn(error.message, about(lease));
    return;
  }
  await tellEnd(deps, lease, finished);
}

async function attempt(
  lease: Lease,
  deps: DispatchDeps,
  run: Pick<Work, 'signal' | 'routed'>,
): Promise<Finished> {
  if (lease.messages.length === 0 && lease.previous?.answer == null) {
    return finish({ state: 'cancelled', reason: 'every message was withdrawn before it was read' });
  }
  const work = findParts(lease, deps, run);
  if (typeof work === 'string') return finish({ state: 'failed', reason: work });
  try {
    return await carryOut(work, deps);
  } catch (error) {
    return await afterError(work, deps, error);
  }
}

function findParts(lease: Lease, deps: DispatchDeps, run: Pick<Work, 'signal' | 'routed'>): Work | string {
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
  const forge = deps.forge(forgeConfig, agentName);
  const closing = closingOf(lease, forgeConfig);
  const speak: Work['speak'] = (strict) => outgoingForge(forge, () => ({ ...closing, strict: strict() }));
  return { lease, agent, forgeConfig, account, forge, speak, ...run };
}

async function carryOut(work: Work, deps: DispatchDeps): Promise<Finished> {
  const { lease } = work;
  const nobody = await withoutIdentity(work, deps);
  if (nobody !== null) return nobody;
  // guard: steering: put back before the next run
  await putBack(work, deps);
  if (lease.previous?.answer != null) return await publishStoredAnswer(work, deps, lease.previous.answer);
  const gathered = await gatherContext({
    ...contextRequest(work, deps),
    // guard: late messages carried, read comments known, part 1
    carryLate: () => carryLate(deps.database, lease, deps.now()),
    edits: (texts) => toldEdits(deps.database.rows, { ...texts, forge: lease.conversation.forge }),
    decline: (refused) => declineRefused(deps, lease, refused),
    wasDeleted: (event) => wasDeleted(deps.database, event),
    takeUp: (messages) => takeUp(deps.database, messages),
    withdrawn: (question) => withdrawnFrom(work, deps, question),
  });
  faultPoint('context.gathered');
  if (gathered.kind === 'refused') return await refuse(work, deps, gathered);
  if (gathered.kind === 'early') {
    const until = deps.now() + CI_AGAIN_MS;
    return finishParked('ci', { reason: gathered.reason, until, isAttempt: false });
  }
  const found = gathered.context;
  const context = withoutStale(found, await replayedMessages(deps.database, found.messages));
  if (context.leading === null) {
    return finish({
      state: 'cancelled',
      reason: 'all it was woken for has been read already, or is no longer so',
    });
  }
  const recall = watchRecalls({ ...work, lease: context.lease }, deps, context);
  const current = { ...work, lease: context.lease, signal: recall.signal };
  const outcome = await run(current, deps, context).finally(() => recall.stop());
  const reason = recall.reason();
  if (outcome.kind === 'interrupted' && reason !== null && !work.signal.aborted) {
    return await stopWithdrawn(current, deps, reason);
  }
  return await settleOutcome({ ...current, signal: work.signal }, deps, context, outcome);
}

/** An agent acts only as who the configuration says it is; until a person has mended its token, it waits. */
async function withoutIdentity(work: Work, deps: DispatchDeps): Promise<Finished | null> {
  const identity = await deps.trust.identityOf(work.forgeConfig.name, work.agent.name);
  if (identity.kind === 'ok' || identity.kind === 'assumed') return null;
  if (identity.kind === 'unavailable') throw new ForgeUnavailable(identity.reason);
  return finishParked('identity', { reason: identity.reason, until: deps.now() + IDENTITY_AGAIN_MS });
}

/** Forges do not tell when a commit's last run is over. */
const CI_AGAIN_MS = 10_000;

/** Trust asks the forge again after this long; a park that ends earlier would only ask our own memory. */
const IDENTITY_AGAIN_MS = 60_000;

/** Nothing may run. Whoever may wake the agent is told why; of others' events nobody is. */
async function refuse(
  work: Work,
  deps: DispatchDeps,
  { reason, tell, withdrawn }: Extract<Gathered, { kind: 'refused' }>,
): Promise<Finished> {
  // People have seen it begin, or will look for what it began: an earlier attempt had got as far as its prompt.
  const hasBegun = work.lease.previous?.prompt != null;
  if (withdrawn && hasBegun) await tellPeople(work, deps, failureText({ kind: 'stopped', why: reason }));
  if (tell) await tellPeople(work, deps, failureText({ kind: 'not-run', why: reason }));
  return finish({ state: 'cancelled', reason });
}

async function run(work: Work, deps: DispatchDeps, context: DispatchContext): Promise<RunOutcome> {
  const { lease, agent } = work;
  const aside = await readSetAside(deps.database.rows, lease.conversation.id);
  // guard: refused text is set aside
  const material = await materialOf(work, deps, withoutTexts(context, aside));
  const bare = withoutTexts(material.context, asideSet(textsThatWoke(material.context)));
  const withoutWoken = { ...material, context: bare };
  const marks = sessionMarks({
    work,
    database: deps.database,
    trust: deps.trust,
    repository: context.repository,
    woke: new Set(context.messages.map(({ event }) => event.sender.id)),
    onMarked: () => keepFiles(work, deps, context),
    now: deps.now,
  });
  const doors = await openDoors(work, deps, context, marks);
  try {
    const dispatch: DispatchRun = {
      id: lease.dispatch.id,
      conversationId: lease.conversation.id,
      agentName: agent.name,
      agent: agentOptions(agent),
      policy: agent.resume,
      cwd: context.checkout.path,
      instructions: context.checkout.instructions,
      folders: cliFolders(deps.config().state, lease.conversation.id),
      container: containerOf(work, deps, context),
      tools: doors.tools,
      caps: agent.caps,
      retried: lease.previous !== null,
      prompt: (form, texts) =>
        texts === 'aside' ? promptOf(withoutWoken, form) : promptOf(material, form, texts),
      announce: async ({ form, ...start }) => {
        await announceRun(deps.database, lease, {
          ...start,
          carried: lease.messages.map((m) => m.id),
          checkout: context.checkout,
        });
        tellStart(deps, lease, agent, { ...start, form });
        await marks.begin(start.sessionId, form === null ? [] : spokenIn(material, form));
        if (form !== null) await forget(work, deps);
      },
      marked: () => marks.restriction(),
      signal: work.signal,
    };
    const runner = { ...deps.runner, database: underLease(deps.runner.database, lease) };
    const outcome = await runWithSessionResume(dispatch, runner);
    // guard: truth: a missing verdict is asked for
    if (agent.publish !== 'review' || context.item.pull === null) return outcome;
    return await askForVerdict({
      run: { ...dispatch, announce: async ({ sessionId }) => await marks.begin(sessionId, []) },
      outcome,
      store: (answered) => storeRun(work, deps, context, answered, answered.answer),
      again: (run) => runWithSessionResume(run, runner),
    });
  } finally {
    await doors.close();
  }
}

/** What the prompt is made of. */
async function materialOf(work: Work, deps: DispatchDeps, context: DispatchContext) {
  const { lease, agent, account } = work;
  const { rows } = deps.database;
  const news = await newsOf(work, deps);
  const unread = (await lastIsUnposted(rows, lease.conversation.id)) ? [UNREAD] : [];
  return {
    context: {
      ...context,
      notes: [...unread, ...context.notes],
      checkout: { ...context.checkout, notes: [...news, ...context.checkout.notes] },
    },
    texts: await readTexts(context),
    agent,
    login: account.login,
    skills: deps.config().skills,
    conversation: await conversationView(deps.database, lease),
    seen: context.seen,
  };
}

const UNREAD =
  'Your last answer is not among these texts: the forge refused it, and nobody has read it. Say again what people need of it.';

function agentOptions(agent: AgentConfig): DispatchRun['agent'] {
  return {
    model: agent.model,
    effort: agent.effort ?? null,
    tools: agent.tools === null ? null : [...agent.tools],
    disallowedTools: [...agent.disallowedTools],
    maxTurns: agent.maxTurns,
    permissionMode: agent.permissionMode,
    instructions: agent.instructions,
  };
}

function containerOf(
  { agent }: Work,
  deps: DispatchDeps,
  { checkout }: DispatchContext,
): DispatchRun['container'] {
  const caches = agent.container.caches.map(({ name, target }) => {
    const source = join(deps.config().state, 'caches', agent.name, name);
    mkdirSync(source, { recursive: true, mode: 0o700 });
    return { source, target, access: 'write' as const };
  });
  return {
    settings: agent.container,
    relay: checkout.relay,
    caches,
    checkoutName: basename(checkout.path),
  };
}

/** Reactions by class: later, never, or not ours any more. */
async function afterError(work: Work, deps: DispatchDeps, error: unknown): Promise<Finished> {
  if (error instanceof LeaseLost) return { lost: true };
  const reason = error instanceof Error ? error.message : String(error);
  const trouble = troubleOf(error);
  // Of other trouble the end of the dispatch says all there is.
  if (trouble === 'unknown') {
    const { stack } = error as Error;
    deps.log.error('something went wrong that has no name here', { ...about(work.lease), reason, stack });
  }
  const asked = error instanceof ForgeUnavailable ? error.retryAfterSeconds : null;
  return await postpone(work, deps, { why: reason, cause: causeOf(error), trouble, asked });
}
