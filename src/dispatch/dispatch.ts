/**
 * One dispatch as a value. Each step takes it and returns it with what the step adds: `gather` what the forge has,
 * `screen` what of it may be read, `converse` the answer.
 */
import type { RunnerDeps } from '../agent-runner/run.ts';
import type { Budgets } from '../budgets.ts';
import type { AgentConfig, ForgeConfig, LoadedConfig } from '../config/config.ts';
import type { Court } from '../court.ts';
import type { Database } from '../database/database.ts';
import type { Dependencies } from '../dependencies.ts';
import type { Egress } from '../egress.ts';
import type { Forge } from '../forges/forge.ts';
import { itemKeyOfConversation } from '../item-key.ts';
import type { Layers } from '../layers/port.ts';
import type { Log } from '../log.ts';
import type { Lease } from '../mailbox/leases.ts';
import type { Settlement } from '../mailbox/settlement.ts';
import type { McpDoor } from '../mcp-door/port.ts';
import { type OutgoingForge, outgoingForge, type ReadingForge } from '../outcome/outgoing-forge.ts';
import type { Packages } from '../packages.ts';
import type { Closing } from '../security/closing-keywords.ts';
import type { Trust } from '../trust.ts';
import type { DispatchKey, ItemKind, ParkCause, RepositoryRef } from '../vocabulary.ts';
import type { Workdir } from '../workdir.ts';
import type { Hint } from './hint.ts';

export interface Dispatch {
  /** the ids that every row about it carries */
  key: DispatchKey;
  agent: AgentConfig;
  forge: DispatchForge;
  /** what the conversation began on */
  item: { kind: ItemKind; number: number; title: string; repository: RepositoryRef };
  /** with the messages that this attempt carries, the rows of dispatch and conversation, and what an attempt before left */
  lease: Lease;
  /** aborts with a string reason: see ABORT */
  signal: AbortSignal;
  /** given after each delivery that was routed: the work may have been taken back */
  routed: Hint;
}

/** The forge of one dispatch, as its agent's account. */
export interface DispatchForge {
  config: ForgeConfig;
  account: { login: string; token: string };
  read: ReadingForge;
  /** the same client to write through; `strict` is asked at each call: the words may be a stranger's */
  write: (strict: () => boolean) => OutgoingForge;
}

/** What the worker gives to each of its dispatches. */
export type Attempt = Pick<Dispatch, 'signal' | 'routed'>;

export interface DispatchDeps {
  database: Database;
  config: () => Pick<
    LoadedConfig,
    | 'agents'
    | 'skills'
    | 'flows'
    | 'forges'
    | 'state'
    | 'worker'
    | 'mailbox'
    | 'git'
    | 'disclosure'
    | 'mcpServers'
    | 'team'
  >;
  /** reads the configuration again, now: a token that was refused may have been replaced */
  refreshConfig: () => void;
  /** the client that acts as this agent on this forge */
  forge: (forge: ForgeConfig, agent: string) => Forge;
  trust: Trust;
  workdir: Workdir;
  layers: Layers;
  runner: RunnerDeps;
  /** the network by name */
  egress: Egress;
  packages: Packages;
  mcp: McpDoor;
  budgets: Pick<Budgets, 'startHeld' | 'look'>;
  court: Court;
  dependencies: Pick<Dependencies, 'startHeld'>;
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

/** The abort reasons a worker gives; `agent-runner` hands them back in `interrupted`. */
export const ABORT = { leaseLost: 'the lease was lost', timeout: 'the run took too long' } as const;

/** The value, or why there is none: a sentence with the remedy. */
export function beginDispatch(lease: Lease, deps: DispatchDeps, attempt: Attempt): Dispatch | string {
  const { conversation } = lease;
  const { agents, forges } = deps.config();
  const agent = agents.get(conversation.agent);
  const config = forges[conversation.forge];
  const account = config?.accounts[conversation.agent];
  if (agent === undefined) {
    return `agent ${conversation.agent} is no longer configured; add agents/${conversation.agent}.md again`;
  }
  if (config === undefined || account === undefined) {
    return `agent ${agent.name} has no account on ${conversation.forge}; add forges.${conversation.forge}.accounts.${agent.name}`;
  }
  const forge = deps.forge(config, agent.name);
  const closing = closingOf(lease, config);
  return {
    key: { dispatchId: lease.dispatch.id, conversationId: conversation.id },
    agent,
    forge: {
      config,
      account,
      read: forge,
      write: (strict) => outgoingForge(forge, () => ({ ...closing, strict: strict() })),
    },
    item: {
      kind: conversation.item_kind,
      number: conversation.item_number,
      title: conversation.title,
      repository: { id: conversation.repository_id, fullName: conversation.repository_name },
    },
    lease,
    ...attempt,
  };
}

/** What may be closed by words that leave in this conversation: its own issue. */
export function closingOf({ conversation }: Lease, { closingKeywords }: ForgeConfig): Closing {
  const { kind, number } = itemKeyOfConversation(conversation);
  return { own: kind === 'issue' ? number : null, keywords: closingKeywords };
}
