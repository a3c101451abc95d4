/** From the lease to the terminal and back: the same checkout, set-up, doors and tools as a run of the agent has. */
import { join } from 'node:path';
import { runAtTerminal, type TerminalOutcome } from '../agent-runner/terminal.ts';
import type { ConversationRow } from '../database/tables.ts';
import { announceRun } from '../dispatch/converse/announced.ts';
import { openContainerDoors } from '../dispatch/converse/container-doors.ts';
import { agentOptions, containerOf } from '../dispatch/converse/converse.ts';
import { openDoors } from '../dispatch/converse/doors.ts';
import { sessionMarks } from '../dispatch/converse/session-marks.ts';
import { keepFiles, putBack } from '../dispatch/converse/steering-files.ts';
import type { Dispatch, DispatchDeps } from '../dispatch/dispatch.ts';
import { gatherForTerminal } from '../dispatch/gather/for-terminal.ts';
import { leftOver } from '../dispatch/publish/left-over.ts';
import type { Prepared } from '../dispatch/screen/context.ts';
import { screen } from '../dispatch/screen/screen.ts';
import { readSetAside } from '../dispatch/screen/set-aside.ts';
import { type Equipped, withSetUp } from '../dispatch/set-up/set-up.ts';
import { NotFound, WithRemedy } from '../errors.ts';
import { underLease } from '../mailbox/leases.ts';
import { cliFolders } from '../sessions/folders.ts';
import type { Continuity } from '../vocabulary.ts';

export type AttachDeps = DispatchDeps;

export interface AttachRequest {
  conversation: ConversationRow;
  /** as it was named, for sentences */
  reference: string;
  by: string;
  /** unique among all holders of leases that ever were */
  worker: string;
  leaseMs: number;
  /** names the processes of this one attachment, so that a service ends them when it is dead */
  instanceOf: (dispatchId: string) => string;
  /** variables that tell what the terminal can */
  terminal: Record<string, string>;
  signal: AbortSignal;
  /** a line for whoever is attached, before the terminal is handed over */
  say: (line: string) => void;
}

export interface Left {
  outcome: TerminalOutcome;
  sentences: string[];
}

export async function atTerminal(
  dispatch: Dispatch,
  deps: AttachDeps,
  request: AttachRequest,
): Promise<Left> {
  const identity = await deps.trust.identityOf(dispatch.forge.config.name, dispatch.agent.name);
  if (identity.kind !== 'ok' && identity.kind !== 'assumed') throw new NotFound(`${identity.reason}.`);
  await putBack(dispatch, deps);
  request.say(`Preparing the checkout of ${dispatch.item.repository.fullName} …`);
  const gathered = await gatherForTerminal(dispatch, deps);
  if (typeof gathered === 'string') throw new NotFound(`Nobody may work there: ${gathered}.`);
  const prepared = await screen(gathered, deps);
  return await withSetUp(prepared, deps, (equipped) => converse(equipped, deps, request));
}

async function converse(dispatch: Equipped, deps: AttachDeps, request: AttachRequest): Promise<Left> {
  const { key, agent, place } = dispatch;
  const around = await openContainerDoors(dispatch, deps, () => marks.restriction());
  const marks = sessionMarks({
    dispatch,
    database: deps.database,
    trust: deps.trust,
    repository: dispatch.repository,
    woke: new Set(),
    onMarked: async () => {
      around.restricted();
      await keepFiles(dispatch, deps);
    },
    now: deps.now,
  });
  const aside = await readSetAside(deps.database.rows, key.conversationId);
  const doors = await openDoors(dispatch, deps, { marks, aside }).catch(async (error: unknown) => {
    await around.close();
    throw error;
  });
  const { state } = deps.config();
  const runner = {
    ...deps.runner,
    database: underLease(deps.runner.database, dispatch.lease),
    instance: request.instanceOf(key.dispatchId),
  };
  try {
    const outcome = await runAtTerminal(
      {
        id: key.dispatchId,
        conversationId: key.conversationId,
        agentName: agent.name,
        agent: agentOptions(agent),
        cwd: place.checkout.path,
        instructions: place.checkout.instructions,
        folders: cliFolders(state, key.conversationId),
        container: { ...containerOf(dispatch, deps), doors: around.doors },
        tools: doors.tools,
        caps: agent.caps,
        marked: () => marks.restriction(),
        signal: dispatch.signal,
        terminal: request.terminal,
        bridgeFolder: join(state, 'run'),
        announce: async (start) => {
          await announceRun(deps.database, dispatch.lease, {
            ...start,
            prompt: '',
            carried: [],
            checkout: place.checkout,
          });
          await marks.begin(start.sessionId, []);
        },
        begins: ({ continuity }) => request.say(beginning(dispatch, deps, continuity)),
      },
      runner,
    );
    if (outcome === null) {
      throw new NotFound(
        'The session cannot be resumed, and there is nothing to attach to. The next dispatch begins from the record; `claude-hooks sessions diagnose` shows why.',
      );
    }
    if (outcome.exitCode === LOCK_HELD) throw stillHeld();
    return { outcome, sentences: await sentencesOf(dispatch, deps, outcome) };
  } finally {
    await Promise.all([doors.close(), around.close()]);
  }
}

/** `flock`'s, by the contract of `container.ts` */
const LOCK_HELD = 75;

function stillHeld(): WithRemedy {
  return new WithRemedy(
    'Another process of this session still runs.',
    'Wait a moment and attach again; a running service ends what a crash has left.',
  );
}

function beginning(
  { agent, lease }: Equipped,
  { runner }: Pick<AttachDeps, 'runner'>,
  continuity: Continuity,
): string {
  const { repository_name: repository, item_number: number } = lease.conversation;
  const how = continuity === 'resumed' ? '' : ` Its session was ${continuity}.`;
  return `You are ${agent.name}'s terminal for ${repository}#${number}, in ${runner.engine.name}.${how} What arrives on the forge waits until you leave: /exit, or Ctrl-D twice.`;
}

async function sentencesOf(
  { place, lease, agent }: Prepared,
  deps: AttachDeps,
  { said, verified }: TerminalOutcome,
): Promise<string[]> {
  const prompts = said.filter(({ kind }) => kind === 'prompt').length;
  const left = await leftOver(deps.workdir, place.checkout, {
    published: null,
    since: lease.dispatch.created_at,
  });
  const answered = said.some(({ kind }) => kind === 'text');
  return [
    prompts === 0
      ? 'You have left. Nothing was said.'
      : `You have left. What was said (${prompts} of yours) is in the history of ${agent.name}'s next run.`,
    ...(answered && verified === null
      ? ['The transcript could not be verified; `claude-hooks sessions diagnose` shows why.']
      : []),
    ...(left.length === 0 ? [] : ['Work in the checkout is kept, and the agent is told of it:', ...left]),
  ];
}
