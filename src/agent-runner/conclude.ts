/** After a run: is the last answer in the transcript, and the transcript on the disk? Only then is the session resumable. */
import { constants } from 'node:fs';
import { faultPoint } from '../faults.ts';
import type { PreparedSession } from '../sessions/apply.ts';
import { diskCopy } from '../sessions/copies.ts';
import { transcriptPath } from '../sessions/folders.ts';
import { completeArchive } from '../sessions/placement.ts';
import { openPlain } from '../sessions/plain-files.ts';
import { holds } from '../sessions/transcript.ts';
import { abandonSession, recordIncident } from '../sessions.ts';
import type { Ending } from './ending.ts';
import type { DispatchRun, RunFacts, RunnerDeps } from './run.ts';
import type { CliReport } from './run-cli.ts';

export async function concludeRun<V extends Extract<Ending, { kind: 'answered' | 'capped' }>>(
  dispatch: DispatchRun,
  deps: RunnerDeps,
  prepared: PreparedSession,
  run: { report: CliReport; ending: V },
): Promise<V & RunFacts> {
  const { report, ending } = run;
  faultPoint('run.ended');
  // A cap can end a run before the model has said anything. The session is then where it was.
  const unsaid = ending.kind === 'capped' && report.lastAnswer === null;
  const head = unsaid ? prepared.session.head : report.lastAnswer;
  if (unsaid && head === null)
    return {
      ...ending,
      ...factsOf(prepared, {
        verified: null,
        heard: null,
        turns: 0,
        usage: ending.result.usage,
        model: null,
      }),
    };
  const { verified, heard } = report.writesLost ? UNVERIFIED : await verifyTranscript(prepared, head, deps);
  const facts = await runFacts(dispatch, deps, prepared, {
    verified: verified === null ? null : { ...verified, cliVersion: report.cliVersion },
    heard,
    turns: ending.result.turns,
    usage: ending.result.usage,
    model: report.model,
  });
  return { ...ending, ...facts };
}

/** The last answer must be in the file, and the file on the disk, before the id may be called resumable. */
export async function verifyTranscript(
  prepared: PreparedSession,
  head: string | null,
  deps: RunnerDeps,
): Promise<Verification> {
  if (head === null) return UNVERIFIED;
  const copy = await diskCopy(prepared.session);
  // guard: verification
  if (copy.transcript === null || !holds(copy.transcript, head)) return UNVERIFIED;
  try {
    const { config_folder: folder, id } = prepared.session;
    const handle = await openPlain(folder, transcriptPath(id), constants.O_RDWR);
    await handle.datasync().finally(() => handle.close());
    // guard: transcript archive, part 2
    if (deps.sessions.archive) await completeArchive(deps.database, prepared.session, copy.bytes!);
  } catch (error) {
    deps.log.warn('the transcript could not be synchronised to disk', { error: String(error) });
    return UNVERIFIED;
  }
  const verified = {
    sessionId: prepared.session.id,
    head,
    size: copy.transcript.size,
    cliVersion: copy.transcript.cliVersion,
  };
  return { verified, heard: copy.transcript.inputs };
}

export type Verification = Pick<RunFacts, 'verified' | 'heard'>;

const UNVERIFIED: Verification = { verified: null, heard: null };

interface RunSeen extends Pick<RunFacts, 'verified' | 'heard' | 'turns' | 'usage'> {
  /** what made the last answer; null = there was none in this run */
  model: string | null;
}

/** An answer without a verified transcript is published, but its session is abandoned: a resume would lack the answer. */
export async function runFacts(
  dispatch: DispatchRun,
  deps: RunnerDeps,
  prepared: PreparedSession,
  run: RunSeen,
): Promise<RunFacts> {
  if (run.verified === null) {
    const reason = 'transcript-not-written';
    deps.log.error(
      `[${dispatch.agentName}] ${dispatch.id}: the CLI answered but its transcript was not written; session ${prepared.session.id} cannot be resumed. ` +
        'Check that the CLI folder is writable where the CLI runs (`claude-hooks sessions diagnose` shows it).',
    );
    await deps.database.transaction((tx) => abandonSession(tx, prepared.session.id, reason));
    await recordIncident(deps.database.rows, {
      conversationId: dispatch.conversationId,
      dispatchId: dispatch.id,
      sessionId: prepared.session.id,
      rung: 'unverified',
      reason,
      evidence: prepared.evidence,
      now: deps.now(),
    });
  }
  return factsOf(prepared, run);
}

function factsOf(prepared: PreparedSession, run: RunSeen): RunFacts {
  // guard: model: another one in a resumed session
  const former = run.model === null || prepared.model === run.model ? null : prepared.model;
  return {
    sessionId: prepared.session.id,
    continuity: prepared.continuity,
    reason: prepared.reason,
    ...run,
    model: { name: run.model, former },
  };
}
