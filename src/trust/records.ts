/** Refused triggers in the audit, beside what the agents themselves tried. */
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
}

export async function recordRefusal(rows: Rows, { event, deliveryId, reason, sender, now }: Refusal) {
  await recordAudit(rows, {
    dispatchId: null,
    conversationId: null,
    agent: null,
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
