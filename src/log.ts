/** The log: one line for each event, with fields; known secrets are removed. */
import pino from 'pino';
import { bounded, type Fields, jsonLine, prettyLine } from './log/line.ts';
import { redactSecrets } from './security.ts';

export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** the same log with these fields on every line */
  child(fields: Record<string, unknown>): Log;
}

export type LogFormat = 'json' | 'pretty';

export interface LogOptions {
  level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  format: LogFormat;
  /** values that may never appear in a line, whichever field they are in */
  secrets: () => readonly string[];
  write: (line: string) => void;
}

export function createLog(options: LogOptions): Log {
  const line = options.format === 'json' ? jsonLine : prettyLine;
  const stream = {
    write: (text: string) => {
      // A secret with quotes or line breaks may arrive as JSON inside of JSON, so it is also looked for in its escaped
      // form.
      const secrets = options.secrets().flatMap((s) => [s, JSON.stringify(s).slice(1, -1)]);
      // Cut only after the secrets are removed: half a secret would not be recognised.
      options.write(line(bounded(redacted(JSON.parse(text), secrets)) as Fields));
    },
  };
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  return wrap(pino(settings, stream));
}

function wrap(logger: pino.Logger): Log {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: Fields = {}) =>
      logger[level](ownNames(fields), message);
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(logger.child(ownNames(fields))),
  };
}

// guard: a field is no level
const TAKEN = ['level', 'time', 'msg'];

/**
 * These names are changed: when a line has two members with one name the last counts, so a field could replace the
 * line's level.
 */
function ownNames(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      TAKEN.includes(name) ? `field_${name}` : name,
      // pino prints errors only under the name `err`; others would become {}.
      value instanceof Error ? String(value) : value,
    ]),
  );
}

/** For tests, and for short commands that log nothing. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};

/**
 * Each value is redacted by itself and not the finished line: a password of digits may equal a number, and replacing
 * that in the line would break the JSON.
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
