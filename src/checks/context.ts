/** What the doctor's checks are given. A check reads; it changes nothing that anybody keeps. */
import type { AgentConfig, ForgeConfig, LoadedConfig } from '../config/config.ts';
import type { ContainerEngine } from '../container/container.ts';
import type { Rows } from '../database/database.ts';
import type { Forge, FoundRepository } from '../forges/forge.ts';
import type { Network } from '../network.ts';
import type { TryClone } from '../workdir/try-clone.ts';
import type { Check } from './check.ts';
import type { DoorCheckDeps } from './doors.ts';

export interface Visible extends FoundRepository {
  /** the first of our accounts that sees it */
  agent: string;
}

export interface Site {
  /** as it is listed, or as the forge or a conversation names it */
  name: string;
  /** by an entry of its own in the configuration */
  isNamed: boolean;
  /** the last account's words where none sees it */
  seen: Visible | { problem: string; answered: boolean };
}

export interface Sites {
  sites: Site[];
  /** `owner/*` where no account sees any repository */
  empty: string[];
  /** names beyond those that are looked at */
  leftOut: number;
}

export type FindSites = (forge: ForgeConfig) => Promise<Sites>;

export interface WorkingEngine {
  engine: ContainerEngine & { unheld: readonly string[] };
  /** docker and podman */
  takesImages: boolean;
}

export interface EngineAnswer {
  chosen: WorkingEngine;
  /** those that come first in order and do not work */
  tried: { name: string; problem: string; remedy: string }[];
}

export interface DoctorContext {
  config: LoadedConfig;
  now: () => number;
  /** of this process; null where the system has none */
  uid: number | null;
  /** the client that acts as this agent on this forge */
  forge: (forge: ForgeConfig, agent: string) => Forge;
  network: Network;
  /** repositories that are listed, or seen below `owner/*` */
  sites: FindSites;
  /** a small clone that is thrown away, and which of these names are branches there */
  clone: TryClone;
  /** how hosts by name are reached; left out, as the product has it */
  reach?: DoorCheckDeps['reach'];
  /** null when the database cannot be read */
  rows: Rows | null;
  service: {
    /** where it listens on this machine; null when the port is chosen at each start */
    url: string | null;
    /** where it serves `/metrics`, by the same rule */
    healthUrl: string | null;
    /** holds the lock of the state folder */
    running: boolean;
  };
  /** asks forges to send a test delivery, which they sign and we ignore */
  testDeliveries: boolean;
  /** rejects with EngineFailed where none works */
  engine: () => Promise<EngineAnswer>;
  /** absolute path of the CLI that fits an image */
  cli: (image: string | null) => Promise<string>;
  pinnedCliVersion: string;
  /** which model this agent's is today, what it costs, and what of its settings does nothing */
  model: (agent: AgentConfig) => {
    says: string;
    problems: Pick<Check, 'check' | 'severity' | 'problem' | 'remedy'>[];
  };
}

export type Look = (context: DoctorContext) => Promise<Check[]>;
