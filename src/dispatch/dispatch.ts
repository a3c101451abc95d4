/** What the steps of one dispatch share: its parts, its dependencies, and how it may end. */
import type { RunnerDeps } from '../agent-runner/contract.ts';
import type { AgentConfig, ForgeConfig, LoadedConfig } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { Snapshot } from '../flows/changes.ts';
import type { Forge } from '../forges/forge.ts';
import type { Log } from '../log.ts';
import type { Lease } from '../mailbox/leases.ts';
import type { Settlement } from '../mailbox/settlement.ts';
import type { OutgoingForge, ReadingForge } from '../outcome/outgoing-forge.ts';
import type { Closing } from '../security/closing-keywords.ts';
import type { Trust } from '../trust.ts';
import type { ParkCause } from '../vocabulary.ts';
import type { Workdir } from '../workdir.ts';
import type { Hint } from './hint.ts';

export interface DispatchDeps {
  database: Database;
  config: () => Pick<LoadedConfig, 'agents' | 'skills' | 'forges' | 'state' | 'worker' | 'git'>;
  /** reads the configuration again, now: a token that was refused may have been replaced */
  refreshConfig: () => void;
  /** the client that acts as this agent on this forge */
  forge: (forge: ForgeConfig, agent: string) => Forge;
  trust: Trust;
  workdir: Workdir;
  runner: RunnerDeps;
  now: () => number;
  log: Log;
  /** for the metrics */
  attempted: (attempt: EndedAttempt) => void;
}

/** One attempt of a dispatch that has ended. */
export interface EndedAttempt {
  agent: string;
  state: Settlement['state'];
  /** of a park */
  cause: ParkCause | null;
  /** from when it might have run until it did */
  queuedMs: number;
  ranMs: number;
}

/** How a dispatch leaves the worker: a settlement, or nothing at all when the lease is another's. */
export type Finished =
  | { settlement: Settlement; cause?: ParkCause; seen: string | null; unanswered: string[] }
  | { lost: true };

export interface Work {
  lease: Lease;
  agent: AgentConfig;
  forgeConfig: ForgeConfig;
  account: { login: string; token: string };
  forge: ReadingForge;
  /** the same client to write through; `strict` is asked at each call: the words may be a stranger's */
  speak: (strict: () => boolean) => OutgoingForge;
  signal: AbortSignal;
  /** given after each delivery that was routed: the work may have been taken back */
  routed: Hint;
}

/** What may be closed by words that leave in this conversation: its own issue. */
export function closingOf({ conversation }: Lease, { closingKeywords }: ForgeConfig): Closing {
  const { item_kind: kind, item_number: number } = conversation;
  return { own: kind === 'issue' ? number : null, keywords: closingKeywords };
}

/** The abort reasons a worker gives; `agent-runner` hands them back in `interrupted`. */
export const ABORT = { leaseLost: 'the lease was lost', timeout: 'the run took too long' } as const;

export function finish(settlement: Settlement): Finished {
  return { settlement, seen: null, unanswered: [] };
}

type Park = Omit<Extract<Settlement, { state: 'parked' }>, 'state'>;

export function finishParked(cause: ParkCause, park: Park): Finished {
  return { ...finish({ state: 'parked', ...park }), cause };
}

export function seenItems(stored: string | null): Record<number, Snapshot> {
  return stored === null ? {} : (JSON.parse(stored) as Record<number, Snapshot>);
}
