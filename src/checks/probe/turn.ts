/** One dispatch of a probe, on the product's own path, and what the model received in it. */
import type { RecordedRequest } from '../../../rehearsal/model-record.ts';
import type { DispatchRun, RunnerDeps, RunOutcome } from '../../agent-runner/run.ts';
import { runWithSessionResume } from '../../agent-runner.ts';
import { createDispatch, storeOutcome } from './conversations.ts';
import type { ProbeDeps, Stage } from './stage.ts';

export interface Turn {
  /** a sentence where the run could not be made at all */
  outcome: RunOutcome | { kind: 'not-run'; why: string };
  /** of the agent's own conversation, in order */
  requests: RecordedRequest[];
}

const LONGEST_MS = 180_000;
const CUT = 'the check was cut off';

export async function runTurn(
  deps: ProbeDeps,
  stage: Stage,
  turn: { prompt: string; tools: string[]; maxTurns: number },
): Promise<Turn> {
  const { conversationId } = stage;
  const from = deps.model.requests.length;
  const id = await createDispatch(deps.database, {
    conversationId,
    agent: stage.agent.name,
    now: deps.now(),
  });
  if (deps.signal?.aborted === true) return { outcome: { kind: 'not-run', why: CUT }, requests: [] };
  const abort = new AbortController();
  const cut = () => abort.abort(CUT);
  deps.signal?.addEventListener('abort', cut, { once: true });
  const timer = setTimeout(
    () => abort.abort(`the check took longer than ${LONGEST_MS / 1000} s`),
    LONGEST_MS,
  );
  try {
    const run = dispatchRun(stage, { ...turn, id, signal: abort.signal });
    const outcome = await runWithSessionResume(run, runnerDeps(deps));
    await storeOutcome(deps.database, outcome, deps.now());
    const requests = deps.model.requests.slice(from).filter((r) => r.kind === 'turn');
    return { outcome, requests };
  } catch (error) {
    return { outcome: { kind: 'not-run', why: (error as Error).message }, requests: [] };
  } finally {
    clearTimeout(timer);
    deps.signal?.removeEventListener('abort', cut);
  }
}

function dispatchRun(
  stage: Stage,
  turn: { id: string; prompt: string; tools: string[]; maxTurns: number; signal: AbortSignal },
): DispatchRun {
  return {
    id: turn.id,
    conversationId: stage.conversationId,
    agentName: stage.agent.name,
    agent: {
      model: stage.agent.model,
      effort: null,
      // The container is checked with a shell, also for agents whose tools have none.
      tools: turn.tools,
      disallowedTools: [],
      maxTurns: turn.maxTurns,
      permissionMode: 'bypassPermissions',
      instructions: '',
    },
    policy: 'resume',
    cwd: stage.checkout.path,
    instructions: stage.checkout.instructions,
    folders: stage.folders,
    container: stage.container,
    tools: [],
    caps: { requests: 20, tokens: null, usd: null },
    marked: () => null,
    retried: false,
    unfinished: false,
    background: async () => {},
    prompt: () => turn.prompt,
    announce: async () => {},
    signal: turn.signal,
  };
}

function runnerDeps(deps: ProbeDeps): RunnerDeps {
  const { config } = deps;
  return {
    database: deps.database,
    engine: deps.engine,
    gateway: deps.gateway,
    log: deps.log,
    now: deps.now,
    instance: deps.instance,
    model: { retries: 0, idleSeconds: config.model.idleSeconds, small: config.model.small },
    path: deps.path,
    cli: deps.cli,
    forwarder: deps.forwarder,
    sessions: {
      // No archive: it would restore a transcript that the folder lost, and the check would not see the loss.
      // guard: smoke without the archive
      archive: false,
      flushMs: config.sessions.flushMilliseconds,
      maxFailedResumes: 1,
      lateMessagesMs: 2000,
      backgroundMs: 60_000,
    },
  };
}
