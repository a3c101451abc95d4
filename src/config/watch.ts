/**
 * Hot reload: each change is announced. When the changed configuration is wrong, the last good version stays in force.
 */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '../errors.ts';
import { type ConfigChanges, changesOf, type Version } from './changes.ts';
import type { LoadedConfig } from './config.ts';
import type { Environment } from './environment.ts';
import { type ConfigReading, OPTION_TABLE, readConfig } from './load.ts';

export interface WatchRequest {
  file: string;
  env: Environment;
  onChange(loaded: LoadedConfig, changes: ConfigChanges): void;
  /** `kept` is the version that stays in force */
  onRejected(error: ConfigError, kept: LoadedConfig): void;
}

export interface ConfigWatcher {
  /** the last good version */
  current(): LoadedConfig;
  /** Reads the files now, because a secret that was just refused may have been replaced a moment ago. */
  refresh(): void;
  close(): void;
}

// Editors write, rename and touch within a few milliseconds; a checkout of many files takes a little longer.
const SETTLE_MILLISECONDS = 150;
// A folder that changes all the time (a log beside the configuration) must not delay a reload for ever.
const LONGEST_SETTLE_MILLISECONDS = 2000;

/** Loads the configuration and keeps watching it. Throws ConfigError when the first version is wrong. */
export function watchConfig({ file, env, onChange, onRejected }: WatchRequest): ConfigWatcher {
  const first = readConfig({ file, env });
  if (first.outcome.kind === 'rejected') throw first.outcome.error;
  let good: Version = first.outcome;
  let latest = first;
  let timer: NodeJS.Timeout | null = null;
  let firstChange: number | null = null;
  let watchers: FSWatcher[] = [];
  let closed = false;

  const arm = (reading: ConfigReading) => {
    for (const watcher of watchers) watcher.close();
    watchers = [];
    for (const folder of watchedFolders(reading.folders)) {
      const opened = watchFolder(folder, settle);
      if (opened instanceof ConfigError) onRejected(opened, good.config);
      else if (opened !== null) watchers.push(opened);
    }
  };
  const reload = () => {
    timer = null;
    firstChange = null;
    // A folder may have been replaced by another of the same name; the old watcher would still watch the old one.
    arm(latest);
    // Nothing is parsed when only other files in the folders changed: parsing blocks the process for about 25 ms.
    // guard: reload: nothing is parsed while the files say the same
    if (latest.isCurrent()) return;
    const reading = readConfig({ file, env });
    arm(reading);
    latest = reading.isCurrent() ? reading : readConfig({ file, env });
    const { outcome } = latest;
    if (outcome.kind === 'rejected') return onRejected(outcome.error, good.config);
    const changes = changesOf(good, outcome, OPTION_TABLE);
    good = outcome;
    onChange(good.config, changes);
  };
  function settle(): void {
    if (closed) return;
    firstChange ??= Date.now();
    if (timer !== null && Date.now() - firstChange > LONGEST_SETTLE_MILLISECONDS) return;
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(reload, SETTLE_MILLISECONDS);
    timer.unref();
  }

  arm(first);
  return {
    current: () => good.config,
    refresh: () => {
      if (closed) return;
      if (timer !== null) clearTimeout(timer);
      reload();
    },
    close: () => {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
      watchers = [];
    },
  };
}

/** Folders are watched, not files: an editor that renames replaces the watched file by another one. */
function watchedFolders(folders: readonly string[]): string[] {
  return [...new Set(folders.map(nearestExisting))];
}

function nearestExisting(folder: string): string {
  let path = folder;
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  return path;
}

/** Null when the folder has gone in the meantime; the files are then read again. */
function watchFolder(folder: string, changed: () => void): FSWatcher | ConfigError | null {
  try {
    const watcher = watch(folder, { persistent: false }, changed);
    watcher.on('error', changed);
    return watcher;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      changed();
      return null;
    }
    return new ConfigError([
      {
        file: folder,
        path: '',
        value: null,
        problem: `cannot be watched for changes (${code})`,
        remedy:
          'Restart the service after a change, or raise fs.inotify.max_user_watches and the rights on the folder.',
      },
    ]);
  }
}
