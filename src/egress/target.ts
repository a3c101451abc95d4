/** What a CONNECT asks for, and whether it is on the list. Pure. */
import { isIP } from 'node:net';
import type { AllowedHost } from '../config/allowed-hosts.ts';

export interface Target {
  /** in lower case and without a dot at its end; an address without brackets */
  host: string;
  port: number;
}

/** Null: the text is no `host:port`. */
export function readTarget(authority: string): Target | null {
  const split = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,254}):(\d{1,5})$/i.exec(authority);
  if (split === null) return null;
  const port = Number(split[2]);
  const host = split[1]!
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
  return host === '' || port < 1 || port > 65_535 ? null : { host, port };
}

export function showTarget({ host, port }: Target): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

export function isAllowed({ host, port }: Target, allowed: readonly AllowedHost[]): boolean {
  return allowed.some((one) => {
    // guard: egress: the port
    if (one.port !== port) return false;
    // guard: egress: names on the list
    return one.below ? isIP(host) === 0 && host.endsWith(`.${one.host}`) : host === one.host;
  });
}
