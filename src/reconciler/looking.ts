/** What one look at a forge is given, and what it keeps in mind between looks. All of that may be lost: rows decide. */
import type { ForgeConfig } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { ForgeChanges } from '../forges/changes.ts';
import type { Forge } from '../forges/forge.ts';
import type { Log } from '../log.ts';
import type { Trust } from '../trust.ts';
import type { ForgeEvent, RepositoryRef } from '../vocabulary.ts';
import type { Marks } from './marks.ts';

export type LookForge = ForgeChanges & Pick<Forge, 'findRepository'>;

export interface LookDeps {
  database: Database;
  forge: ForgeConfig;
  /** acts as this agent's account */
  client: (agent: string) => LookForge;
  trust: Pick<Trust, 'isGone'>;
  /** how far back each look reads again, for clocks that differ and transactions that took their time */
  overlapMs: number;
  now: () => number;
  log: Log;
  memory: LookMemory;
}

export interface LookMemory {
  /** `<repository id>#<number>`, and the `updated_at` that was looked at */
  readonly seen: Map<string, string>;
  /** named repositories by lower-case name, and the account that reads them */
  readonly named: Map<string, { repository: RepositoryRef; reader: string }>;
  /** commits of pull requests by `<repository id>@<sha>`: whether CI is over, or when it was asked last */
  readonly ci: Map<string, { isOver: boolean; askedAt: number }>;
}

export function emptyMemory(): LookMemory {
  return { seen: new Map(), named: new Map(), ci: new Map() };
}

/**
 * - `full`: at the start and after a gap; whatever may have been missed is asked for
 * - `usual`: as little as finds news; the rest is asked for in turn
 */
export type LookKind = 'full' | 'usual';

export interface Looking extends LookDeps {
  kind: LookKind;
  marks: Marks & { forge: NonNullable<Marks['forge']> };
  /** unix ms by the forge's clock */
  at: number;
  /** items that were looked at in this look */
  done: Set<string>;
  /** commits that pull requests got in what was looked at, by `<repository id>@<sha>` */
  heads: Map<string, { repository: RepositoryRef; sha: string }>;
  /** ids of repositories that could not be read */
  behind: Set<string>;
}

export type LookOutcome =
  | { kind: 'looked'; took: ForgeEvent[]; behind: string[] }
  /** never looked at before: it begins now */
  | { kind: 'begun' }
  | { kind: 'not-offered'; why: string };

/** The mark that counts for a repository. */
export function markOf({ marks }: Pick<Looking, 'marks'>, repositoryId: string) {
  return marks.repositories.get(repositoryId) ?? marks.forge;
}

export function sinceOf(mark: number, overlapMs: number): string {
  return new Date(Math.max(0, mark - overlapMs)).toISOString();
}

/**
 * Whether whoever may edit the texts of others may wake agents: that takes write permission on these forges, which is
 * enough unless the operator has named the senders one by one.
 */
export function editorsMayWake({ trustedSenders }: ForgeConfig): boolean {
  return trustedSenders === null;
}
