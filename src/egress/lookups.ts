/** Names, and this machine's own addresses. Names are resolved outside of the container, as every program of this machine resolves them. */
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';

/** Answers all addresses of a name; rejects where there are none. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/**
 * The system's resolver takes one of Node's four threads for each name that is slow, and files are read by the same
 * threads. So names of agents have two of them at most, however many are asked for.
 */
const MOST_AT_ONCE = 2;

export function systemLookup(): Lookup {
  let free = MOST_AT_ONCE;
  const waiting: (() => void)[] = [];
  return async (host) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

/** Asked each time, because an interface may come up while the service runs. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
}
