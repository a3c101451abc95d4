/** What the parts of one git door share. */
import { join } from 'node:path';
import type { AuditEntry } from '../audit.ts';
import type { Checkout, Remote, Workdir } from '../workdir.ts';
import type { PushPolicy } from './git-policy.ts';

export interface GitDoorDeps {
  workdir: Workdir;
  /** as `prepare` answered it */
  checkout: Checkout;
  /** asked at each request, and once more when the forge refuses the token: tokens rotate */
  remote: () => Remote | Promise<Remote>;
  policy: PushPolicy;
  /** null = commits are not signed */
  signingKeyFile: string | null;
  audit: (entry: Pick<AuditEntry, 'door' | 'action' | 'decision' | 'reason' | 'detail'>) => Promise<void>;
  log: { warn(message: string, fields?: Record<string, unknown>): void };
  /** rejects with LeaseLost when another worker has the conversation now */
  assertMine: () => Promise<void>;
}

/** What one door remembers. */
export interface DoorState extends GitDoorDeps {
  /** head of each branch on the forge that the agent has been shown */
  seen: Map<string, string | null>;
  handled: Set<string>;
  toldOf: Set<string>;
}

export interface Answer {
  /** what git in the container is told */
  ok: boolean;
  text: string;
  action: string;
  decision: AuditEntry['decision'];
  detail: Record<string, unknown>;
}

export function outboxOf(door: Pick<DoorState, 'checkout'>): string {
  return join(door.checkout.relay.root, 'outbox');
}

export function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').slice(0, 600);
}
