/** Audit rows of refused triggers, beside those of what the agents themselves tried. */
import { recordAudit } from '../audit.ts';
import type { Rows } from '../database/database.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import type { Judgement } from './sender.ts';

export interface Refusal {
  event: ForgeEvent;
  deliveryId: string;
  reason: string;
  sender: Judgement | null;
  now: number;
  /** the run that was to answer it, where there is one */
  dispatch?: { id: string; conversationId: string; agent: string };
}

export async function recordRefusal(rows: Rows, refusal: Refusal): Promise<void> {
  const { event, deliveryId, reason, sender, dispatch, now } = refusal;
  await recordAudit(rows, {
    dispatchId: dispatch?.id ?? null,
    conversationId: dispatch?.conversationId ?? null,
    agent: dispatch?.agent ?? null,
    door: 'trigger',
    action: event.name,
    decision: 'denied',
    reason,
    detail: {
      delivery: deliveryId,
      forge: event.forge,
      repository: event.repository.fullName,
      item: event.item?.number ?? null,
      sender: event.sender,
      permission: sender?.permission ?? null,
    },
    now,
  });
}
