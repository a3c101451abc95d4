/** What the room is given. */
import type { ForgeConfig } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import type { Forge } from '../forges/forge.ts';
import type { Log } from '../log.ts';

export interface DependenciesDeps {
  database: Database;
  config: () => { forges: Readonly<Record<string, ForgeConfig>> };
  /** the client that acts as this agent on this forge */
  client: (
    forge: ForgeConfig,
    agent: string,
  ) => Pick<Forge, 'getItem' | 'listDependencies' | 'findRepository' | 'findPulls' | 'updatePull'>;
  log: Log;
  now: () => number;
}
