/** What becomes of a request at the network door, and the words for it: for the tool that asked, and for the audit. */
import type { HelloRefusal } from './client-hello.ts';
import type { NameRefusal } from './hello-gate.ts';

/** `opened`: the tunnel stands. `ended`: it is over, as its client or its server wished */
export type Passed = 'opened' | 'ended';

export type Refused =
  | 'no-connect'
  | 'bad-target'
  | 'not-allowed'
  | 'shut'
  | 'behind-a-proxy'
  | 'too-many'
  | 'forbidden-address'
  | 'hello-too-late'
  | 'sent-too-much'
  | 'received-too-much'
  | 'idle'
  | 'too-long'
  | HelloRefusal
  | NameRefusal;

/** nobody refused, and still nothing came of it */
export type Failed = 'unresolved' | 'unreachable' | 'broken';

export type EgressVerdict = Passed | Refused | Failed;

const FAILED: readonly EgressVerdict[] = ['unresolved', 'unreachable', 'broken'];

export function decisionOf(verdict: EgressVerdict): 'allowed' | 'denied' | 'failed' {
  if (verdict === 'opened' || verdict === 'ended') return 'allowed';
  return FAILED.includes(verdict) ? 'failed' : 'denied';
}

const STATUS: Partial<Record<EgressVerdict, number>> = {
  'no-connect': 405,
  'bad-target': 400,
  'too-many': 429,
  unresolved: 502,
  unreachable: 502,
};

export function statusOf(verdict: EgressVerdict): number {
  return STATUS[verdict] ?? 403;
}

/** One line without line ends, because tools print it as the reason of the status. */
export const SENTENCES: Readonly<Record<Exclude<EgressVerdict, Passed>, string>> = {
  'no-connect': 'Only CONNECT to a host and port is taken here. Use https.',
  'bad-target': 'This is no host and port.',
  'not-allowed': 'This host and port are not on the list container.network.allow. A person can add them.',
  shut: 'This session has read words of people who may not give it work, so the network is shut for it.',
  'behind-a-proxy': 'The service reaches this host only through a proxy, so its address cannot be checked.',
  'too-many': 'There are too many connections. Wait until some have ended.',
  'forbidden-address': 'The name leads to an address that is not public, or is of this machine.',
  'hello-too-late': 'The client did not begin TLS in time.',
  'sent-too-much': 'The run has sent as many bytes as it may.',
  'received-too-much': 'The run has received as many bytes as it may.',
  idle: 'Nothing was sent or received for too long.',
  'too-long': 'The connection lasted as long as it may.',
  'not-tls': 'Only TLS passes here, and the client sent something else.',
  'hidden-server-name': 'The client hides the name of its server (Encrypted Client Hello). Switch that off.',
  'early-data': 'The client sends early data (0-RTT). Switch that off.',
  'hello-too-long': "The client's first message is too long.",
  'no-server-name': 'The client named no server in TLS. It has to name the host that it asked for.',
  'other-server-name': 'The client named another server in TLS than it had asked for.',
  unresolved: 'The name could not be resolved.',
  unreachable: 'The host could not be reached.',
  broken: 'The connection broke.',
};
