/** What a run asks of the resume ladder, and what is written where it had to go down. */
import type { PreparedSession } from '../sessions/apply.ts';
import type { Floor, LadderRequest } from '../sessions/ladder-request.ts';
import { recordIncident } from '../sessions.ts';
import type { DispatchRun, RunnerDeps } from './run.ts';
import { pinnedCliVersion } from './run-cli.ts';

type Asking = Pick<DispatchRun, 'id' | 'conversationId' | 'folders' | 'cwd' | 'agent' | 'policy'>;

export function ladderRequest(
  dispatch: Asking,
  deps: Pick<RunnerDeps, 'sessions' | 'now'>,
  { floor, floorReason }: { floor: Floor; floorReason: string | null },
): LadderRequest {
  return {
    conversationId: dispatch.conversationId,
    dispatchId: dispatch.id,
    folders: dispatch.folders,
    cwd: dispatch.cwd,
    model: dispatch.agent.model,
    cliVersion: pinnedCliVersion(),
    archive: deps.sessions.archive,
    policy: dispatch.policy,
    floor,
    floorReason,
    now: deps.now(),
  };
}

/** Each rung below `resumed` writes an incident, and does so before the run: a crash of the run must not hide it. */
export async function noteContinuity(
  dispatch: Pick<DispatchRun, 'id' | 'conversationId' | 'agentName'>,
  deps: Pick<RunnerDeps, 'database' | 'log' | 'now'>,
  prepared: PreparedSession,
): Promise<void> {
  if (prepared.continuity === 'fresh' || prepared.continuity === 'resumed') return;
  deps.log.warn(
    `[${dispatch.agentName}] ${dispatch.id}: session ${prepared.continuity} (${prepared.reason})`,
    {
      session: prepared.session.id,
      evidence: prepared.evidence,
    },
  );
  await recordIncident(deps.database.rows, {
    conversationId: dispatch.conversationId,
    dispatchId: dispatch.id,
    sessionId: prepared.session.id,
    rung: prepared.continuity,
    reason: prepared.reason,
    evidence: prepared.evidence,
    now: deps.now(),
  });
}
