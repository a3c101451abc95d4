/** What routing is given, and what it stores with a delivery. */
import type { AgentConfig, Flow, ForgeConfig, LoadedConfig } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { Considered } from '../flows/route.ts';
import type { Log } from '../log.ts';
import type { Team } from '../team.ts';
import type { Judgement } from '../trust/sender.ts';
import type { Trust } from '../trust.ts';
import type { FeedbackLevel } from '../vocabulary.ts';

/** What routing needs of the configuration; read anew for every delivery, so that a reload counts at once. */
export interface RoutingConfig {
  forges: Readonly<Record<string, ForgeConfig>>;
  agents: ReadonlyMap<string, AgentConfig>;
  flows: readonly Flow[];
  feedback: FeedbackLevel;
  team: LoadedConfig['team'];
}

export interface RouterDeps {
  database: Database;
  config: () => RoutingConfig;
  trust: Pick<
    Trust,
    'judge' | 'ids' | 'repository' | 'isGone' | 'words' | 'isAsSaid' | 'item' | 'labels' | 'pullCi'
  >;
  /** left out, no flow sees what a pull request needs next */
  team?: Team;
  now: () => number;
  log: Log;
  /** for the metrics; left out, nobody counts */
  decided?: (decision: { forge: string; event: string; decision: DecisionName }) => void;
}

/** `echo`: our own doing that came back; `refused`: its sender may not, or it is not true; `unwanted`: by every flow. */
export type DecisionName =
  | 'routed'
  | 'echo'
  | 'refused'
  | 'unwanted'
  | 'duplicate'
  | 'ignored'
  | 'failed'
  | 'postponed';

/** What `explain` prints, stored with the delivery. */
export interface StoredDecision {
  considered: Considered[];
  messages: { agent: string; flow: string; skill: string; conversation: string; dispatch: string }[];
  note: string | null;
  /** whether the sender may wake agents; null when no flow wanted the event, so that it was not asked */
  sender: Judgement | null;
  /** what its pull request needs next, and the facts: lines for a person; left out, no flow asked */
  pull?: readonly string[];
}
