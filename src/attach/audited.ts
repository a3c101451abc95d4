/** Who attached, and when they left: rows of the audit. */
import { recordAudit } from '../audit.ts';
import type { Rows } from '../database/database.ts';
import type { Dispatch } from '../dispatch/dispatch.ts';
import type { Lease } from '../mailbox/leases.ts';
import type { SaidTurn } from '../sessions/said.ts';
import type { AttachDeps } from './at-terminal.ts';

export async function recordAttach(
  { key, agent }: Dispatch,
  deps: Pick<AttachDeps, 'database' | 'now'>,
  by: string,
): Promise<void> {
  await recordAudit(deps.database.rows, {
    ...key,
    agent: agent.name,
    door: 'terminal',
    action: 'attach',
    decision: 'allowed',
    reason: null,
    detail: { by },
    now: deps.now(),
  });
}

export async function recordLeft(
  tx: Rows,
  { dispatch, conversation }: Lease,
  { said, now }: { said: readonly SaidTurn[]; now: number },
): Promise<void> {
  const count = (kind: SaidTurn['kind']) => said.filter((turn) => turn.kind === kind).length;
  await recordAudit(tx, {
    dispatchId: dispatch.id,
    conversationId: conversation.id,
    agent: dispatch.agent,
    door: 'terminal',
    action: 'leave',
    decision: 'allowed',
    reason: null,
    detail: {
      by: dispatch.attached_by,
      seconds: Math.round((now - Number(dispatch.started_at)) / 1000),
      prompts: count('prompt'),
      calls: count('tool'),
    },
    now,
  });
}
