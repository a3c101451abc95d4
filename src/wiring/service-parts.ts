/** The parts of a service. They meet in the rows alone, so that each may be a process of its own. */
import type { LoadedConfig } from '../config/config.ts';
import { ConfigError } from '../errors.ts';

/** `web` takes webhooks, `router` decides them, `worker` runs agents. */
export const SERVICE_PARTS = ['web', 'router', 'worker'] as const;

export type ServicePart = (typeof SERVICE_PARTS)[number];

/**
 * Throws ConfigError for some of the parts on SQLite: its file has one process that writes. A second one waits for it
 * inside SQLite, and answers no webhook meanwhile.
 */
export function requireShared(config: LoadedConfig, parts: ReadonlySet<ServicePart>): void {
  if (parts.size === SERVICE_PARTS.length || !config.database.url.startsWith('sqlite:')) return;
  throw new ConfigError([
    {
      file: config.file,
      path: 'database.url',
      value: null,
      problem: `names a SQLite file, and ${[...parts].join(', ')} alone would share it with other processes`,
      remedy: 'Name a PostgreSQL database, or start all parts in one process, without --only',
    },
  ]);
}
