/** What is there before anything starts. */
import type { LoadedConfig } from '../config/config.ts';
import type { ConfigWatcher } from '../config/watch.ts';
import type { Database } from '../database/database.ts';
import type { Log } from '../log.ts';
import type { StateLock } from '../state-lock.ts';

export interface ServiceOptions {
  file: string;
  env: Record<string, string | undefined>;
  write: (line: string) => void;
  /** whether people read what is written, as it is written; left out, nobody does */
  terminal?: boolean;
}

export interface Parts {
  options: ServiceOptions;
  config: () => LoadedConfig;
  log: Log;
  watcher: ConfigWatcher;
  lock: StateLock;
  database: Database;
}
