/** The log: structured lines with a scope, from which known secrets are removed. */
import pino from 'pino';
import { redactSecrets } from './security.ts';

export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** the same log with these fields on every line */
  child(fields: Record<string, unknown>): Log;
}

export interface LogOptions {
  level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  format: 'json' | 'pretty';
  /** values that may never appear in a line, whatever field they came in */
  secrets: () => readonly string[];
  write: (line: string) => void;
}

export function createLog(options: LogOptions): Log {
  const stream = {
    write: (line: string) => {
      const safe = redactSecrets(line, [...options.secrets()]);
      options.write(options.format === 'json' ? safe : pretty(safe));
    },
  };
  return wrap(pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream));
}

function wrap(logger: pino.Logger): Log {
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}

/** For tests and one-shot commands that have nothing to say. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};

function pretty(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
  const word = pino.levels.labels[Number(level)] ?? String(level);
  return `${String(time).slice(11, 19)} ${word.toUpperCase().padEnd(5)} ${String(msg)}${rest}\n`;
}
