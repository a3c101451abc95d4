/** The hosts of `container.network: { allow: […] }`, as text and as values. Pure. */
import { isIP } from 'node:net';

export interface AllowedHost {
  /** in lower case and without a dot at its end; an address without brackets */
  host: string;
  /** true: the names below `host`, and not `host` itself */
  below: boolean;
  port: number;
}

export type HostReading = { kind: 'host'; host: AllowedHost } | { kind: 'not'; problem: string };

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

export function readAllowedHost(text: string): HostReading {
  const split = /^(.+):(\d{1,5})$/.exec(text.trim().toLowerCase());
  const port = Number(split?.[2]);
  if (split === null || port < 1 || port > 65_535) return not('has no port');
  const written = split[1]!;
  const literal = /^\[(.*)\]$/.exec(written)?.[1] ?? written;
  if (isIP(literal) !== 0) {
    if (literal.includes('%')) return not('is an address of one link');
    if (isIP(literal) === 6 && literal === written) return not('is an address that needs brackets');
    return { kind: 'host', host: { host: literal, below: false, port } };
  }
  const below = written.startsWith('*.');
  const host = below ? written.slice(2) : written;
  const labels = host.split('.');
  if (host.length > 253 || !labels.every((label) => LABEL.test(label))) return not('is no name of a host');
  // Resolvers read such a name as an address: 127.1, 0x7f.1.
  if (/^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1)!)) return not('ends in a number and is no address');
  // All names below `com` would be nearly all names.
  if (below && labels.length < 2) return not('covers too much');
  return { kind: 'host', host: { host, below, port } };
}

/** For a text that the option table has let through. */
export function allowedHost(text: string): AllowedHost {
  const read = readAllowedHost(text);
  if (read.kind === 'not') throw new Error(`${text} ${read.problem}. This is a bug.`);
  return read.host;
}

function not(problem: string): HostReading {
  return { kind: 'not', problem };
}

export function showAllowedHost({ host, below, port }: AllowedHost): string {
  return `${below ? '*.' : ''}${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
