/** What all commands share: where the configuration is, and the two forms of an answer. */
import type { Command } from 'commander';

export function configFile(command: Command): string {
  return command.optsWithGlobals<{ config: string }>().config;
}

/** The value as JSON, or its text for people. */
export function answer<T>(value: T, options: { json?: boolean }, render: (value: T) => string): void {
  process.stdout.write(`${options.json === true ? JSON.stringify(value, null, 2) : render(value)}\n`);
}
