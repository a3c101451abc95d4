/** From a target to a connection: the name is resolved once, each address is judged, and that very address is reached. */
import { isIP, connect as open, type Socket } from 'node:net';
import { type AddressRules, whyForbidden } from './addresses.ts';
import type { Lookup } from './lookups.ts';
import type { Target } from './target.ts';
import type { Failed, Refused } from './verdict.ts';

export interface Reach {
  lookup: Lookup;
  rules: AddressRules;
  /** this machine's addresses now */
  own: () => readonly string[];
  lookupMs: number;
  /** for each address */
  connectMs: number;
}

export type Reached =
  | { kind: 'connected'; socket: Socket; address: string }
  /** `detail`: for the audit */
  | { kind: 'not'; verdict: Refused | Failed; detail: Record<string, unknown> };

/** A name with more addresses than this is tried on the first of them. */
const MOST_TRIED = 3;

export async function reach(target: Target, at: Reach): Promise<Reached> {
  const found = isIP(target.host) === 0 ? await within(at.lookupMs, at.lookup(target.host)) : [target.host];
  if (!Array.isArray(found)) return { kind: 'not', verdict: 'unresolved', detail: { error: String(found) } };
  const { open: allowed, shut } = judge(found as string[], at);
  if (allowed.length === 0) {
    return { kind: 'not', verdict: shut.length === 0 ? 'unresolved' : 'forbidden-address', detail: { shut } };
  }
  let error = '';
  for (const address of allowed.slice(0, MOST_TRIED)) {
    const socket = await connectTo(address, target, at);
    if (typeof socket !== 'string') return { kind: 'connected', socket, address };
    error = socket;
  }
  return { kind: 'not', verdict: 'unreachable', detail: { error, addresses: allowed.slice(0, MOST_TRIED) } };
}

function judge(found: readonly string[], { rules, own }: Reach): { open: string[]; shut: string[] } {
  const ours = own();
  const open: string[] = [];
  const shut: string[] = [];
  for (const address of found.slice(0, MOST_JUDGED)) {
    // guard: egress: public addresses
    const why = whyForbidden(address, { rules, own: ours });
    if (why === null) open.push(address);
    else shut.push(`${address} (${why})`);
  }
  return { open, shut };
}

const MOST_JUDGED = 32;

/** Answers a text when it does not come to a connection. */
function connectTo(address: string, target: Target, at: Reach): Promise<Socket | string> {
  const { port } = target;
  return new Promise((resolve) => {
    // The address and not the name: a second look-up might answer another one.
    // guard: egress: the address is pinned
    const socket = open({ host: address, port, allowHalfOpen: true });
    const timer = setTimeout(() => fail('no answer in time'), at.connectMs);
    const fail = (why: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(why);
    };
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      // Until a tunnel takes it, an error must not end the service.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

/** The value, or the error as a text. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('no answer in time'), ms);
  });
  try {
    return await Promise.race([
      work.catch((error: NodeJS.ErrnoException) => error.code ?? error.message),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
