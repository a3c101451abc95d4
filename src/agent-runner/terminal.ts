/**
 * A person at a session's own terminal: the CLI goes on with the conversation's session as in a run of the agent (same
 * place, same gateway, same tools, same limits), but the next prompt is typed. Afterwards the transcript is verified and
 * archived as after a run, so that the next dispatch goes on from there.
 */
import { join } from 'node:path';
import { placeOf } from '../container/place.ts';
import type { PreparedSession } from '../sessions/apply.ts';
import { diskCopy } from '../sessions/copies.ts';
import { namesFolder } from '../sessions/former-path.ts';
import { prepareSession } from '../sessions/ladder.ts';
import { isPromptOutdated } from '../sessions/recorded-prompt.ts';
import { type SaidTurn, saidAfter } from '../sessions/said.ts';
import { headOf } from '../sessions/transcript.ts';
import { closeCliFolder } from '../steering/cli-folder.ts';
import type { Continuity } from '../vocabulary.ts';
import { answerQuestions } from './answered-questions.ts';
import { startArchiver } from './archiver.ts';
import { verifyTranscript } from './conclude.ts';
import { cliEnvironment, PLACEHOLDER_KEY } from './environment.ts';
import { openForgeBridge } from './forge-bridge.ts';
import { mcpNames } from './forge-server.ts';
import { ladderRequest, noteContinuity } from './ladder-request.ts';
import type { DispatchRun, RunnerDeps, VerifiedHead } from './run.ts';
import { terminalArguments } from './terminal-arguments.ts';
import { builtInTools } from './tools.ts';

export interface TerminalRun
  extends Pick<
    DispatchRun,
    | 'id'
    | 'conversationId'
    | 'agentName'
    | 'agent'
    | 'cwd'
    | 'instructions'
    | 'folders'
    | 'container'
    | 'tools'
    | 'caps'
    | 'marked'
    | 'signal'
  > {
  /** commits session and continuity before the CLI is spawned */
  announce(start: { sessionId: string; continuity: Continuity; history: number }): Promise<void>;
  /** the terminal is handed over: nothing may be written to it until the run has ended */
  begins(start: { continuity: Continuity }): void;
  /** variables that tell the CLI what the terminal can, such as TERM */
  terminal: Record<string, string>;
  /** for the bridge to the forge's tools */
  bridgeFolder: string;
}

export interface TerminalOutcome {
  sessionId: string;
  /** the CLI's own; null = it did not start */
  exitCode: number | null;
  said: SaidTurn[];
  /** to be committed with what was said; null = the transcript has no new answer, or could not be read */
  verified: VerifiedHead | null;
}

/** Null: there is no session to go on with. */
export async function runAtTerminal(run: TerminalRun, deps: RunnerDeps): Promise<TerminalOutcome | null> {
  const request = ladderRequest({ ...run, policy: 'resume' }, deps, { floor: 'resumed', floorReason: null });
  const prepared = await prepareSession(deps.database, request);
  await noteContinuity(run, deps, prepared);
  const { session, continuity, history } = prepared;
  if (prepared.start !== 'resume') return null;
  await run.announce({ sessionId: session.id, continuity, history });
  const known = (await diskCopy(session)).transcript?.entries.at(-1)?.uuid ?? session.head;
  const exitCode = await converse(run, deps, prepared);
  return { sessionId: session.id, exitCode, ...(await whatWasSaid(prepared, deps, known)) };
}

async function converse(
  run: TerminalRun,
  deps: RunnerDeps,
  prepared: PreparedSession,
): Promise<number | null> {
  const gateway = await deps.gateway.open({
    dispatchId: run.id,
    conversationId: run.conversationId,
    agent: run.agentName,
    models: { agent: run.agent.model, small: deps.model.small },
    tools: [...builtInTools(run.agent), ...mcpNames(run.tools)],
    caps: run.caps,
  });
  const archiver = startArchiver({
    ...deps,
    ...deps.sessions,
    conversationId: run.conversationId,
    folder: run.folders.config,
  });
  const bridge = run.tools.length === 0 ? null : await openForgeBridge(run.tools, run.bridgeFolder);
  try {
    const cli = await deps.cli(run.container.settings.image);
    const isMarked = run.marked() !== null;
    const place = placeOf(deps.engine, {
      ...run.container,
      checkout: run.cwd,
      folders: run.folders,
      namesFolder: await namesFolder(prepared),
      // guard: attach: a restricted session’s folder is closed
      closed: isMarked ? await closeCliFolder(run.folders.config) : [],
      socket: gateway.socketPath,
      cli,
      forwarder: await deps.forwarder(cli),
      path: deps.path,
      bridge,
    });
    const env = cliEnvironment({
      place,
      modelRetries: deps.model.retries,
      modelIdleSeconds: deps.model.idleSeconds,
      smallModel: deps.model.small,
      root: (place.spec.user?.uid ?? process.getuid?.()) === 0,
    });
    await answerQuestions({ folder: run.folders.config, cwd: place.cwd, apiKey: PLACEHOLDER_KEY });
    const args = terminalArguments({
      sessionId: prepared.session.id,
      anew: await isPromptOutdated(deps.database.rows, prepared.session, run.agent.instructions),
      agent: run.agent,
      tools: run.tools,
      env,
      instructions: run.instructions === null ? null : { folder: place.cwd, files: run.instructions },
      cli: place.cli,
      bridge: place.bridge,
    });
    run.signal.throwIfAborted();
    run.begins({ continuity: prepared.continuity });
    const spec = { ...place.spec, instance: deps.instance, dispatch: run.id };
    const container = await deps.engine.startAtTerminal(spec, {
      command: place.cli,
      args,
      env: { ...env, ...run.terminal },
      cwd: place.cwd,
      lockFile: join(run.folders.locks, prepared.session.id),
    });
    const stop = () => void container.stop(ABORT_GRACE_MS);
    run.signal.addEventListener('abort', stop, { once: true });
    if (run.signal.aborted) stop();
    try {
      return await container.ended;
    } finally {
      run.signal.removeEventListener('abort', stop);
      // Commands that were left in the background have no terminal any more.
      await container.stop(run.signal.aborted ? ABORT_GRACE_MS : undefined);
    }
  } finally {
    await bridge?.close();
    await archiver.stop();
    await gateway.close();
  }
}

const ABORT_GRACE_MS = 1500;

/** `known`: the last line before. A run that was cut off may have left lines after the session's head. */
async function whatWasSaid(
  prepared: PreparedSession,
  deps: RunnerDeps,
  known: string | null,
): Promise<Pick<TerminalOutcome, 'said' | 'verified'>> {
  const { session } = prepared;
  const { bytes, transcript } = await diskCopy(session);
  if (bytes === null || transcript === null) return { said: [], verified: null };
  // guard: attach: only what was said here
  const said = saidAfter(bytes, known);
  // What a run that was cut off has left goes on to be judged by the next run.
  if (said.length === 0) return { said, verified: null };
  const { verified } = await verifyTranscript(prepared, headOf(transcript), deps);
  return { said, verified };
}
