/** What is there before any part of the service starts. */
import type { LoadedConfig } from '../config/config.ts';
import type { ConfigWatcher } from '../config/watch.ts';
import type { Database } from '../database/database.ts';
import type { EgressDeps } from '../egress.ts';
import type { Log } from '../log.ts';
import type { StateLock } from '../state-lock.ts';
import type { ServicePart } from './service-parts.ts';

export interface ServiceOptions {
  file: string;
  env: Record<string, string | undefined>;
  write: (line: string) => void;
  /** whether people read what is written, as it is written; left out, nobody does */
  terminal?: boolean;
  /** how hosts by name are found, and which addresses they may have; left out, as the product has it */
  reach?: Pick<EgressDeps, 'lookup' | 'rules'>;
  /** the parts to start; left out, all of them */
  only?: readonly ServicePart[];
}

export interface Foundation {
  options: ServiceOptions;
  config: () => LoadedConfig;
  log: Log;
  watcher: ConfigWatcher;
  /** null where no worker runs: the state folder is the worker's */
  lock: StateLock | null;
  database: Database;
}
