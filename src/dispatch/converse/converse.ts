/** The third step: the agent's run, from its prompt to what it came to. */
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { DispatchRun, RunOutcome } from '../../agent-runner/run.ts';
import { runWithSessionResume } from '../../agent-runner.ts';
import type { AgentConfig } from '../../config/config.ts';
import { underLease } from '../../mailbox/leases.ts';
import { cliFolders } from '../../sessions/folders.ts';
import { abandonSession, currentSession } from '../../sessions.ts';
import type { DispatchDeps } from '../dispatch.ts';
import type { Prepared } from '../screen/context.ts';
import { asideSet, readSetAside, textsThatWoke, withoutTexts } from '../screen/set-aside.ts';
import type { Equipped } from '../set-up/set-up.ts';
import { tellStart } from '../settle/told.ts';
import { announceRun, freshIsDone, noteBackground, storeRun } from './announced.ts';
import { askForVerdict } from './ask-verdict.ts';
import { type ContainerDoors, openContainerDoors } from './container-doors.ts';
import { toolMounts } from './container-tools.ts';
import { openDoors } from './doors.ts';
import { firstMaterial, fixedFor, wordsFor } from './material.ts';
import { openMcp } from './mcp-servers.ts';
import { type PromptMaterial, picturesOf, promptOf, spokenIn } from './prompts.ts';
import { watchRecalls } from './recall.ts';
import { type SessionMarks, sessionMarks } from './session-marks.ts';
import { type Steering, steering } from './steer.ts';
import { forget, keepFiles } from './steering-files.ts';
import type { Versions } from './versions.ts';

export interface Conversed {
  outcome: RunOutcome;
  /** a clause for a person: the run was stopped because its work was taken back; null = it was not */
  withdrawn: string | null;
  /** with what was handed to the run */
  dispatch: Prepared;
  /** ids of messages that the run was too late for: they go on waiting */
  unheard: string[];
}

export async function converse(dispatch: Equipped, deps: DispatchDeps): Promise<Conversed> {
  const later: { steering: Steering | null } = { steering: null };
  const recall = watchRecalls(dispatch, deps, () => later.steering?.messages() ?? []);
  const signal = recall.signal;
  const outcome = await run({ ...dispatch, signal }, deps, later).finally(() => recall.stop());
  const isStopped = outcome.kind === 'interrupted' && !dispatch.signal.aborted;
  const heard = 'heard' in outcome ? outcome.heard : null;
  const steered = later.steering?.ended(heard) ?? { dispatch, unheard: [] };
  return { outcome, withdrawn: isStopped ? recall.reason() : null, ...steered };
}

async function run(
  dispatch: Equipped,
  deps: DispatchDeps,
  later: { steering: Steering | null },
): Promise<RunOutcome> {
  const { agent, context } = dispatch;
  const aside = await readSetAside(deps.database.rows, dispatch.key.conversationId);
  const fixed = fixedFor(dispatch, deps);
  // guard: refused text is set aside
  const material = await firstMaterial(dispatch, deps, { context: withoutTexts(context, aside), fixed });
  let around: ContainerDoors | null = null;
  const marks = sessionMarks({
    dispatch,
    database: deps.database,
    trust: deps.trust,
    repository: dispatch.repository,
    woke: new Set(dispatch.messages.map(({ event }) => event.sender.id)),
    onMarked: async () => {
      around?.restricted();
      await keepFiles(dispatch, deps);
    },
    now: deps.now,
  });
  // Before anything else of the run: an agent without its tools does not begin.
  const mcp = await openMcp(dispatch, deps, () => marks.restriction());
  const opened = await openContainerDoors(dispatch, deps, () => marks.restriction()).catch(closing(mcp));
  around = opened;
  const doors = await openDoors(dispatch, deps, { marks, aside }).catch(closing(mcp, opened));
  try {
    later.steering = steering(
      { dispatch, marks, wordsOf: (news) => wordsFor(news, deps, { aside, fixed }) },
      deps,
    );
    const started = {
      ...runOf(dispatch, deps, { material, marks, versions: fixed.versions, around: opened }),
      tools: doors.tools,
      servers: mcp.servers,
      steer: deps.config().mailbox.steering ? later.steering.run : undefined,
    };
    const runner = { ...deps.runner, database: underLease(deps.runner.database, dispatch.lease) };
    if (dispatch.lease.conversation.fresh_asked !== null) await leaveUnanswered(dispatch, deps);
    const outcome = await runWithSessionResume(started, runner);
    // guard: truth: a missing verdict is asked for
    if (agent.publish !== 'review' || context.item.pull === null) return outcome;
    return await askForVerdict({
      run: {
        ...started,
        steer: undefined,
        announce: async ({ sessionId }) => await marks.begin(sessionId, []),
      },
      outcome,
      store: async (answered) => void (await storeRun(dispatch, deps, answered, { answer: answered.answer })),
      again: (again) => runWithSessionResume(again, runner),
    });
  } finally {
    await Promise.all([doors.close(), opened.close(), mcp.close()]);
  }
}

function closing(...opened: readonly { close(): Promise<void> }[]): (error: unknown) => Promise<never> {
  return async (error) => {
    await Promise.all(opened.map((one) => one.close()));
    throw error;
  };
}

/** A session without an answer is begun again also by an agent that starts over; somebody asked that it is not. */
async function leaveUnanswered(
  { key, lease }: Prepared,
  { database }: Pick<DispatchDeps, 'database'>,
): Promise<void> {
  const session = await currentSession(database.rows, key.conversationId);
  if (session?.state !== 'proposed') return;
  const reason = `${lease.conversation.fresh_asked} asked for a new session`;
  await abandonSession(database.rows, session.id, reason);
}

function runOf(
  dispatch: Equipped,
  deps: DispatchDeps,
  o: { material: PromptMaterial; marks: SessionMarks; versions: Versions; around: ContainerDoors },
): Omit<DispatchRun, 'tools'> {
  const { material, marks, versions, around } = o;
  const { key, lease, agent } = dispatch;
  const { checkout } = dispatch.place;
  const bare = withoutTexts(material.context, asideSet(textsThatWoke(material.context)));
  const { pictures: _, ...words } = material;
  const withoutWoken = { ...words, context: bare };
  return {
    id: key.dispatchId,
    conversationId: key.conversationId,
    agentName: agent.name,
    agent: agentOptions(agent),
    // guard: commands: fresh begins a new session
    policy: lease.conversation.fresh_asked === null ? agent.resume : 'fresh',
    cwd: checkout.path,
    instructions: checkout.instructions,
    folders: cliFolders(deps.config().state, key.conversationId),
    container: { ...containerOf(dispatch, deps), doors: around.doors },
    caps: agent.caps,
    retried: lease.previous !== null,
    unfinished: lease.dispatch.background !== null || lease.messages.some((m) => m.handed_as !== null),
    background: (tasks) => noteBackground(deps.database, lease, tasks),
    prompt: (form, texts) =>
      texts === 'aside' ? promptOf(withoutWoken, form) : promptOf(material, form, texts),
    pictures: (form, texts) => (texts === 'aside' ? [] : picturesOf(material, form, texts)),
    announce: async ({ form, ...start }) => {
      const carried = lease.messages.map((m) => m.id);
      await announceRun(deps.database, lease, { ...start, carried, checkout, versions });
      if (lease.conversation.fresh_asked !== null) await freshIsDone(deps.database.rows, key.conversationId);
      tellStart(deps, lease, agent, { ...start, form });
      await marks.begin(start.sessionId, form === null ? [] : spokenIn(material, form));
      if (form !== null) await forget(dispatch, deps);
    },
    marked: () => marks.restriction(),
    signal: dispatch.signal,
  };
}

export function agentOptions(agent: AgentConfig): DispatchRun['agent'] {
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

export function containerOf(
  { agent, layers, place: { checkout } }: Equipped,
  deps: DispatchDeps,
): DispatchRun['container'] {
  const caches = agent.container.caches.map(({ name, target }) => {
    const source = join(deps.config().state, 'caches', agent.name, name);
    mkdirSync(source, { recursive: true, mode: 0o700 });
    return { source, target, access: 'write' as const };
  });
  return {
    settings: {
      ...agent.container,
      mounts: [...agent.container.mounts, ...toolMounts(agent, deps.runner.engine)],
    },
    relay: checkout.relay,
    caches,
    layers,
    checkoutName: basename(checkout.path),
  };
}
