/** What the doctor's checks are given. Each check is `(context) → findings`; it changes nothing that anybody keeps. */
import type { ForgeConfig, LoadedConfig } from '../config/config.ts';
import type { ContainerEngine } from '../container/container.ts';
import type { Rows } from '../database/database.ts';
import type { Forge } from '../forge/forge.ts';
import type { EngineName } from '../vocabulary.ts';
import type { Finding } from './finding.ts';

export type DoctorForge = Pick<
  Forge,
  'self' | 'getRepository' | 'permissionOf' | 'version' | 'listHooks' | 'serverTime' | 'tokenScopes'
>;

/** One engine, tried: it is there and starts containers, or `problem` is a sentence with the remedy. */
export interface EngineTrial {
  name: EngineName;
  engine: ContainerEngine | null;
  problem: string | null;
}

export interface DoctorContext {
  config: LoadedConfig;
  now: () => number;
  /** of this process; null where the system has none */
  uid: number | null;
  /** the client that acts as this agent on this forge */
  forge: (forge: ForgeConfig, agent: string) => DoctorForge;
  /** null when the database cannot be read */
  rows: Rows | null;
  service: {
    /** where it listens on this machine; null when the port is chosen at each start */
    url: string | null;
    /** holds the lock of the state folder */
    running: boolean;
  };
  /** asks forges to send a test delivery, which they sign and we ignore */
  testDeliveries: boolean;
  engines: () => Promise<EngineTrial[]>;
  /** absolute path of the CLI that fits an image */
  cli: (image: string | null) => Promise<string>;
  pinnedCliVersion: string;
}

export type Check = (context: DoctorContext) => Promise<Finding[]>;
