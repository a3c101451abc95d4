/** What all commands share: the configuration, the rows, and the two forms of an answer. */
import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { LoadedConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import type { Database } from '../database/database.ts';
import { openExisting } from '../database/opening.ts';
import { type Paint, plain, type Tone } from '../terminal-text.ts';
import { callerOf } from './caller.ts';

export function configFile(command: Command): string {
  return command.optsWithGlobals<{ config: string }>().config;
}

export function configOf(command: Command): LoadedConfig {
  return loadConfig({ file: configFile(command), env: callerOf(command).env });
}

/** The value as JSON where --json was given, else its text for people, with colours on a terminal. */
export function answer<T>(command: Command, value: T, render: (value: T, paint: Paint) => string): void {
  const json = command.opts<{ json?: boolean }>().json === true;
  const text = json ? JSON.stringify(value, null, 2) : render(value, paintOf(command));
  callerOf(command).write(`${text}\n`);
}

const STYLES = {
  good: 'green',
  bad: 'red',
  waiting: 'yellow',
  active: 'cyan',
  quiet: 'dim',
  title: 'bold',
} as const satisfies Record<Tone, Parameters<typeof styleText>[0]>;

const coloured: Paint = (tone, text) => styleText(STYLES[tone], text, { validateStream: false });

/** The library reads NO_COLOR and FORCE_COLOR for its help; answers follow the same. */
function paintOf(command: Command): Paint {
  const hasColours = command.configureOutput().getOutHasColors?.() ?? false;
  // guard: cli: no colour in a pipe
  return hasColours ? coloured : plain;
}

export interface Opened {
  database: Database;
  config: LoadedConfig;
}

type Work<T> = (opened: Opened) => Promise<T>;

/** For commands that read beside a running service. */
export async function reading<T>(command: Command, work: Work<T>): Promise<T> {
  return await withDatabase(command, true, work);
}

/** For commands that change rows beside, or without, a running service. */
export async function writing<T>(command: Command, work: Work<T>): Promise<T> {
  return await withDatabase(command, false, work);
}

async function withDatabase<T>(command: Command, readOnly: boolean, work: Work<T>): Promise<T> {
  const config = configOf(command);
  const database = await openExisting({ url: config.database.url, readOnly });
  try {
    return await work({ database, config });
  } finally {
    await database.close();
  }
}
