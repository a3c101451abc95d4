/** The configuration, read again whenever its files change, and the log that it describes. */
import type { LoadedConfig } from '../config/config.ts';
import { type ConfigWatcher, watchConfig } from '../config/watch.ts';
import { createLog, type Log } from '../log.ts';
import type { ServiceOptions } from './foundation.ts';
import { keepFilesPrivate } from './private-files.ts';
import { tellRejected, tellReload } from './said.ts';

export function openConfig(options: ServiceOptions): {
  config: () => LoadedConfig;
  log: Log;
  watcher: ConfigWatcher;
} {
  let log: Log | null = null;
  const watcher = watchConfig({
    file: options.file,
    env: options.env,
    onChange: (loaded, changes) => {
      keepFilesPrivate(loaded);
      if (log !== null) tellReload(log, loaded, changes);
    },
    onRejected: (error) => {
      if (log !== null) tellRejected(log, error);
    },
  });
  const config = () => watcher.current();
  const { level, format } = config().log;
  const forTerminal = options.terminal === true ? 'pretty' : 'json';
  log = createLog({
    level,
    format: format === 'auto' ? forTerminal : format,
    secrets: () => config().secrets,
    write: options.write,
  });
  for (const warning of config().warnings) log.warn(warning);
  return { config, log, watcher };
}
