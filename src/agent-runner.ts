import { join } from 'node:path';
import { startArchiver } from './agent-runner/archiver.ts';
import { composePrompt } from './agent-runner/compose.ts';
import { concludeRun, runFacts, verifyTranscript } from './agent-runner/conclude.ts';
import { type Ending, endingOf } from './agent-runner/ending.ts';
import { cliEnvironment } from './agent-runner/environment.ts';
import { mcpNames } from './agent-runner/forge-server.ts';
import { ladderRequest, noteContinuity } from './agent-runner/ladder-request.ts';
import { isWithoutPictures, lighterTexts } from './agent-runner/lighter.ts';
import { LiveInput } from './agent-runner/live-input.ts';
import type { DispatchRun, PromptTexts, RunnerDeps, RunOutcome } from './agent-runner/run.ts';
import { type CliReport, runCli } from './agent-runner/run-cli.ts';
import { refuseSteering } from './agent-runner/steering-tools.ts';
import { servedNames } from './agent-runner/tool-server.ts';
import { builtInTools } from './agent-runner/tools.ts';
import type { BackgroundTask } from './agent-runner/turns.ts';
import { placeOf } from './container/place.ts';
import { faultPoint } from './faults.ts';
import type { PreparedSession } from './sessions/apply.ts';
import { cutBack } from './sessions/cut-back.ts';
import { namesFolder } from './sessions/former-path.ts';
import { prepareSession } from './sessions/ladder.ts';
import type { Floor } from './sessions/ladder-request.ts';
import { recordTurn } from './sessions/record.ts';
import { isPromptOutdated } from './sessions/recorded-prompt.ts';
import { countFailedResume } from './sessions.ts';
import { closeCliFolder } from './steering/cli-folder.ts';

/** More than there are rungs: a longer loop is a bug. */
const MOST_ATTEMPTS = 8;
const TRANSIENT_ATTEMPTS = 3;

export async function runWithSessionResume(dispatch: DispatchRun, deps: RunnerDeps): Promise<RunOutcome> {
  let rung: Rung = { floor: 'resumed', floorReason: null, texts: 'whole', aside: null };
  let transients = 0;
  let lastFailure = 'no attempt was made';
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    const prepared = await prepareSession(deps.database, ladderRequest(dispatch, deps, rung));
    await noteContinuity(dispatch, deps, prepared);
    faultPoint('session.planned');
    const adopted = await adoptAnswer(dispatch, deps, prepared);
    // guard: adopted answer (whole service)
    if (adopted !== null) return adopted;

    const { report, ending } = await attemptRun(dispatch, deps, prepared, rung.texts);
    deps.log.debug('run ended', { dispatch: dispatch.id, ending: ending.kind, exitCode: report.exitCode });
    switch (ending.kind) {
      case 'answered':
        return {
          ...(await concludeRun(dispatch, deps, prepared, { report, ending })),
          adopted: false,
          aside: rung.aside,
        };
      case 'capped':
        return await concludeRun(dispatch, deps, prepared, { report, ending });
      case 'limited':
      case 'out-of-budget':
      case 'interrupted':
        return ending;
      case 'declined':
        await cutBack(deps.database, prepared.session, deps.sessions);
        return { kind: 'declined', reason: ending.detail };
      case 'transient':
        lastFailure = ending.why;
        if (++transients >= TRANSIENT_ATTEMPTS) return ending;
        await pause(transients, dispatch.signal);
        break;
      case 'resume-failed':
      case 'too-long':
      case 'history-refused':
      case 'rejected':
      case 'no-turn': {
        lastFailure = ending.detail;
        const next = await afterFailure(dispatch, deps, prepared, { ending, rung });
        if ('kind' in next) return next;
        rung = next;
        break;
      }
    }
  }
  return refuse({ kind: 'no-turn', detail: lastFailure });
}

function refuse({ kind, detail, suspectsText = false }: Refusal): RunOutcome {
  const what =
    kind === 'rejected'
      ? 'The model did not take this request, and the session is kept'
      : 'No session could be resumed or started';
  return {
    kind: 'refused',
    reason: `${what}: ${detail}`,
    cause: kind === 'rejected' ? 'request' : 'session',
    suspectsText,
  };
}

interface Refusal {
  kind: Ending['kind'];
  detail: string;
  suspectsText?: boolean;
}

/** Where on the ladder the next attempt begins, and why it does not begin at the top. */
interface Rung {
  floor: Floor;
  floorReason: string | null;
  texts: PromptTexts;
  /** why the texts are set aside; null = they are not */
  aside: string | null;
}

/** An earlier attempt of this dispatch had answered when the service died: its answer is used, not paid for again. */
async function adoptAnswer(
  dispatch: DispatchRun,
  deps: RunnerDeps,
  prepared: PreparedSession,
): Promise<RunOutcome | null> {
  // guard: adopted answer
  if (!dispatch.retried || prepared.start !== 'resume' || prepared.tail.kind !== 'answered') return null;
  if (dispatch.unfinished) return null;
  const { answer, head } = prepared.tail;
  await dispatch.announce({
    sessionId: prepared.session.id,
    continuity: prepared.continuity,
    prompt: '',
    form: null,
    history: prepared.history,
  });
  const verified = await verifyTranscript(prepared, head, deps);
  return {
    kind: 'answered',
    answer,
    adopted: true,
    aside: null,
    leftBehind: [],
    ...(await runFacts(dispatch, deps, prepared, {
      ...verified,
      turns: 0,
      usage: null,
      model: null,
    })),
  };
}

async function attemptRun(
  dispatch: DispatchRun,
  deps: RunnerDeps,
  prepared: PreparedSession,
  texts: PromptTexts,
): Promise<{ report: CliReport; ending: Ending }> {
  const { text: prompt, asked, form, pictures } = composePrompt(dispatch, prepared, texts);
  await dispatch.announce({
    sessionId: prepared.session.id,
    continuity: prepared.continuity,
    prompt,
    form,
    history: prepared.history,
  });
  faultPoint('run.announced');
  await recordTurn(deps.database.rows, {
    dispatchId: dispatch.id,
    conversationId: dispatch.conversationId,
    kind: 'prompt',
    content: asked,
    uuid: null,
    now: deps.now(),
  });
  faultPoint('run.recorded');
  const gateway = await deps.gateway.open({
    dispatchId: dispatch.id,
    conversationId: dispatch.conversationId,
    agent: dispatch.agentName,
    models: { agent: dispatch.agent.model, small: deps.model.small },
    tools: [
      ...builtInTools(dispatch.agent),
      ...mcpNames(dispatch.tools),
      ...servedNames(dispatch.servers ?? []),
    ],
    caps: dispatch.caps,
  });
  const archiver = startArchiver({
    ...deps,
    ...deps.sessions,
    conversationId: dispatch.conversationId,
    folder: dispatch.folders.config,
  });
  const input = new LiveInput(prompt, pictures);
  const steering = dispatch.steer?.(input);
  try {
    const cli = await deps.cli(dispatch.container.settings.image);
    const isMarked = dispatch.marked() !== null;
    const place = placeOf(deps.engine, {
      ...dispatch.container,
      checkout: dispatch.cwd,
      folders: dispatch.folders,
      // guard: prompt: a history from before finds its files
      namesFolder: await namesFolder(prepared),
      closed: isMarked ? await closeCliFolder(dispatch.folders.config) : [],
      socket: gateway.socketPath,
      cli,
      forwarder: await deps.forwarder(cli),
      path: deps.path,
    });
    const container = await deps.engine.start({
      ...place.spec,
      instance: deps.instance,
      dispatch: dispatch.id,
    });
    const report = await runCli({
      container,
      input,
      session: {
        id: prepared.session.id,
        start: prepared.start,
        resumeAt: prepared.resumeAt,
        anew: await isPromptOutdated(deps.database.rows, prepared.session, dispatch.agent.instructions),
      },
      cwd: place.cwd,
      env: cliEnvironment({
        place,
        modelRetries: deps.model.retries,
        modelIdleSeconds: deps.model.idleSeconds,
        smallModel: deps.model.small,
        root: (place.spec.user?.uid ?? process.getuid?.()) === 0,
      }),
      instructions:
        dispatch.instructions === null ? null : { folder: place.cwd, files: dispatch.instructions },
      lockFile: join(dispatch.folders.locks, prepared.session.id),
      executable: place.cli,
      agent: dispatch.agent,
      tools: dispatch.tools,
      servers: dispatch.servers ?? [],
      lateMessagesMs: deps.sessions.lateMessagesMs,
      backgroundMs: deps.sessions.backgroundMs,
      signal: dispatch.signal,
      observe: observer(dispatch, deps),
      refuse: (tool, input) => refuseSteering(dispatch.marked(), place, { tool, input }),
    });
    const aborted = dispatch.signal.aborted ? String(dispatch.signal.reason) : null;
    return {
      report,
      ending: endingOf({
        report,
        sessionId: prepared.session.id,
        start: prepared.start,
        aborted,
        gateway: gateway.report(),
      }),
    };
  } finally {
    input.close();
    await steering?.stop();
    await archiver.stop();
    await gateway.close();
  }
}

function observer(dispatch: DispatchRun, deps: RunnerDeps) {
  const record = async (kind: 'text' | 'tool', content: string, uuid: string | null): Promise<void> => {
    const turn = { dispatchId: dispatch.id, conversationId: dispatch.conversationId, kind, content, uuid };
    await recordTurn(deps.database.rows, { ...turn, now: deps.now() });
    faultPoint('run.answering');
  };
  return {
    text: (text: string, uuid: string) => record('text', text, uuid),
    background: (tasks: readonly BackgroundTask[]) => dispatch.background(tasks),
    tool: (name: string, input: unknown) => record('tool', `${name} ${JSON.stringify(input)}`, null),
  };
}

type FailedResume = Extract<
  Ending,
  { kind: 'resume-failed' | 'no-turn' | 'too-long' | 'history-refused' | 'rejected' }
>;

/** Why the next attempt begins lower, as the abandoned session and the incident will say. */
const FLOOR_REASONS: Record<FailedResume['kind'], string> = {
  'resume-failed': 'resume-failed',
  'no-turn': 'resume-failed',
  'too-long': 'prompt-too-long',
  'history-refused': 'history-refused',
  rejected: 'request-rejected',
};

interface Failed {
  ending: FailedResume;
  rung: Rung;
}

/** The rung to try next; or the end of the run, when another prompt or session is not likely to help. */
async function afterFailure(
  dispatch: DispatchRun,
  deps: RunnerDeps,
  prepared: PreparedSession,
  { ending, rung }: Failed,
): Promise<Rung | RunOutcome> {
  if (isWithoutPictures(dispatch, prepared, { ending, texts: rung.texts })) {
    await cutBack(deps.database, prepared.session, deps.sessions);
    return { ...rung, texts: 'plain' };
  }
  // A first turn without its texts has no task. People are told; their next message asks with all texts again.
  const kept =
    ending.kind === 'rejected' && prepared.start === 'new' ? { ...ending, suspectsText: false } : ending;
  if (ending.kind === 'rejected' && !ending.suspectsHistory) return refuse(kept);
  if (ending.kind === 'too-long' || ending.kind === 'history-refused') {
    const texts = lighterTexts(dispatch, prepared, { ending, texts: rung.texts, isLast: true });
    if (texts !== null) return { ...rung, texts, aside: texts === 'aside' ? ending.detail : null };
  }
  if (prepared.start === 'new' && ending.kind !== 'rejected') {
    // The shortened texts were too long as well.
    const isTooLarge = ending.kind === 'too-long' && rung.texts === 'small' && prepared.preamble === null;
    if (!isTooLarge) return refuse(ending);
    await cutBack(deps.database, prepared.session, deps.sessions);
    return { kind: 'declined', reason: ending.detail };
  }
  const failures = await deps.database.transaction((tx) => countFailedResume(tx, prepared.session.id));
  const isExhausted = failures >= deps.sessions.maxFailedResumes;
  if (ending.kind === 'rejected') {
    if (!isExhausted) return refuse(kept);
    const texts = lighterTexts(dispatch, prepared, { ending, texts: rung.texts, isLast: true });
    if (texts !== null) return { ...rung, texts, aside: ending.detail };
    if (prepared.start === 'new') return refuse(ending);
  }
  deps.log.warn(
    `[${dispatch.agentName}] ${dispatch.id}: resume of ${prepared.session.id} failed — retrying fresh`,
    { detail: ending.detail, rung: prepared.continuity },
  );
  return {
    floor: nextFloor(prepared, ending, isExhausted),
    floorReason: FLOOR_REASONS[ending.kind],
    // The texts stay short: a new session needs the room, too.
    texts: rung.texts === 'aside' ? 'small' : rung.texts,
    aside: null,
  };
}

/** A history that was loaded and then found too long, or wrong, is no better from the archive. */
function nextFloor(prepared: PreparedSession, ending: FailedResume, isExhausted: boolean): Floor {
  if (prepared.continuity === 'rebuilt') return 'digest';
  const isLoaded = ending.kind === 'too-long' || ending.kind === 'history-refused';
  if (isLoaded || isExhausted || prepared.continuity !== 'resumed') return 'rebuilt';
  return 'restored';
}

/** Back off 1 s, then 2 s. Longer faults are parked by the worker. */
async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, attempt * 1000);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
