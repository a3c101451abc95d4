/**
 * Smoke and doctor speak of the service, which systemd may have started in another environment than this shell: where
 * one runs, they go by its variables for whatever leaves this machine.
 */
import type { LoadedConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { NETWORK_VARIABLES } from '../config/network-settings.ts';
import { environmentOfHolder } from '../state-lock.ts';

/** The configuration as the running service has it; `env`, the process's own environment, is changed for that. */
export function loadAsServe(file: string, env: Record<string, string | undefined>): LoadedConfig {
  const config = loadConfig({ file, env });
  const theirs = environmentOfHolder(config.state);
  if (theirs === null) return config;
  for (const name of [...NETWORK_VARIABLES, 'PATH']) {
    if (theirs[name] === undefined) delete env[name];
    else env[name] = theirs[name];
  }
  return loadConfig({ file, env });
}
