/**
 * The broker: the agent's only way to the forge. Its tools run in the worker and reach the CLI over the SDK's own
 * stdio; its git door takes what an agent pushes to the relay and forwards what the policy allows.
 *
 * Contract:
 * - Reads and writes are limited to the conversation's repository; writes to its items as well, unless the agent's
 *   `forge_scope` widens it. What is refused is an answer with `isError` and the reason, never a thrown error.
 * - Every call is audited, refused ones too. Writes are counted; past `maxWrites` they are refused.
 * - A write is a row before it is an act, under the key (dispatch id, tool use id): the same call again answers with
 *   what the first one did. One that may have been done is looked for on the forge by its hidden mark first.
 * - What is written goes out without mentions that notify, without words that close another issue, without marks the
 *   model copied, and with our own mark.
 */
import type { AgentTool } from '../agent-runner/run.ts';
import type { AuditEntry } from '../audit.ts';
import type { EffectDeps } from '../outcome/effects.ts';
import type { OutgoingForge } from '../outcome/outgoing-forge.ts';
import type { DispatchKey, ForgeUser, RepositoryRef } from '../vocabulary.ts';

export interface BrokerScope {
  key: DispatchKey;
  agent: string;
  /** login of the agent's account: only its own comments may be edited */
  login: string;
  repository: RepositoryRef;
  /** numbers of the items that belong to the conversation: its issue, the pull requests that joined it */
  items: () => Promise<readonly number[]>;
  /** the branch the agent's work goes to; null when it publishes none */
  branch: { name: string; base: string } | null;
  /** why no new pull request is wanted, in a sentence with the remedy; null = it may be opened */
  refusePull: () => Promise<string | null>;
  /** the line under each pull request that says who made it; '' = none */
  disclosure: string;
  /** short names of the tools it may use; null = all but `merge` */
  tools: readonly string[] | null;
  scope: 'item' | 'repository';
  maxWrites: number;
  /** who merges in the repository, as the configuration has it now */
  mergeBy: () => 'people' | 'boss';
}

/** A text of somebody that is about to be shown to the agent. */
export interface Spoken {
  /** a name alone: somebody the forge does not vouch for, whoever it was */
  author: ForgeUser | { login: string; id: null };
  /** number of the item it belongs to; null = none, or not known */
  number: number | null;
  /** where it stands, as `comment 12 on #3` */
  place: string;
  text: string;
}

/** The marks of the session that runs. */
export interface RunMarks {
  /** why only reading and commenting is allowed by now; null = no such limit */
  restriction(): string | null;
  /** To be kept before the texts are handed over: those of people whom nobody vouches for mark the session for good. */
  show(source: string, spoken: readonly Spoken[]): Promise<void>;
}

/** A wish to be woken. `call` names the call, so that the same one again sets no second timer. */
export interface Wish {
  reason: string;
  /** unix ms */
  dueAt: number;
  call: string;
}

export interface BrokerDeps extends EffectDeps {
  /** absolute folder of the run's checkout, on this machine */
  checkout: string;
  setTimer: (wish: Wish) => Promise<{ kind: 'set'; dueAt: number } | { kind: 'refused'; why: string }>;
  forge: OutgoingForge;
  marks: RunMarks;
  /** logins of those among the authors whose text nobody vouches for */
  strangers: (authors: readonly ForgeUser[]) => Promise<readonly string[]>;
  /** whether everybody may be believed who can edit the texts of others on the forge */
  writers: boolean;
  audit: (entry: Pick<AuditEntry, 'door' | 'action' | 'decision' | 'reason' | 'detail'>) => Promise<void>;
}

/** Made in `broker.ts`. */
export type ForgeTools = (scope: BrokerScope, deps: BrokerDeps) => AgentTool[];
