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
      // A secret with quotes or line breaks may come in as JSON inside of JSON, so escaped once more than the line is.
      const secrets = options.secrets().flatMap((s) => [s, JSON.stringify(s).slice(1, -1)]);
      const safe = redacted(JSON.parse(line), secrets) as Record<string, unknown>;
      options.write(options.format === 'json' ? `${JSON.stringify(safe)}\n` : pretty(safe));
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

/**
 * Value by value rather than on the finished line: a password of digits may stand where a number does, and replacing it
 * there would leave no JSON.
 */
function redacted(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return redactSecrets(value, secrets);
  if (typeof value === 'number') {
    const text = redactSecrets(String(value), secrets);
    return text === String(value) ? value : text;
  }
  if (Array.isArray(value)) return value.map((entry) => redacted(entry, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [redactSecrets(name, secrets), redacted(entry, secrets)]),
  );
}

function pretty(record: Record<string, unknown>): string {
  const { level, time, msg, ...fields } = record;
  const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
  const word = pino.levels.labels[Number(level)] ?? String(level);
  return `${String(time).slice(11, 19)} ${word.toUpperCase().padEnd(5)} ${String(msg)}${rest}\n`;
}
