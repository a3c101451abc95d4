/** Certificates and clocks of the forges, the certificate of our public address, and our port. */
import { Agent, request } from 'node:https';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { Network } from '../network.ts';
import type { Check } from './check.ts';
import type { DoctorContext, Look } from './context.ts';
import { checkPort } from './port.ts';
import { AUTHORITY_REMEDY, wayRemedy } from './way-remedies.ts';

const MOST_SKEW_MS = 30_000;
const SOON_DAYS = 14;
const DAY_MS = 24 * 3600_000;

export const checkNetwork: Look = async (context) => {
  const { config } = context;
  const findings: Check[] = [];
  const addresses = new Map(Object.values(config.forges).map((f) => [f.url, `forge ${f.name}`]));
  if (config.server.publicUrl !== null) addresses.set(config.server.publicUrl, 'server.public_url');
  for (const [url, subject] of addresses) {
    if (url.startsWith('https:')) findings.push(...(await checkCertificate(context, url, subject)));
  }
  for (const forge of Object.values(config.forges)) {
    const agent = Object.keys(forge.accounts)[0];
    if (agent === undefined) continue;
    findings.push(...(await checkClock(context, `forge ${forge.name}`, context.forge(forge, agent))));
  }
  return [...findings, ...(await checkPort(config.server, context.service))];
};

async function checkClock(
  context: DoctorContext,
  subject: string,
  client: { serverTime(): Promise<number | null> },
): Promise<Check[]> {
  const before = context.now();
  const theirs = await client.serverTime().catch(() => null);
  if (theirs === null) return [];
  // The forge answered between our two readings of the clock, in whole seconds.
  const ours = (before + context.now()) / 2;
  const skew = theirs - ours;
  if (Math.abs(skew) <= MOST_SKEW_MS) return [];
  const words = `${Math.round(Math.abs(skew) / 1000)} s ${skew > 0 ? 'ahead of' : 'behind'} ours`;
  return [
    {
      check: 'clock-skew',
      severity: 'risk',
      subject,
      problem: 'the clocks of the forge and of this machine differ',
      evidence: `its clock is ${words}`,
      remedy: 'Let both machines synchronise their clocks (NTP): what is newer is decided by time.',
    },
  ];
}

type Handshake = { kind: 'good'; certificate: PeerCertificate } | { kind: 'bad'; code: string };

export async function checkCertificate(
  { network, now }: Pick<DoctorContext, 'network' | 'now'>,
  url: string,
  subject: string,
): Promise<Check[]> {
  const proxy = network.proxyFor(url);
  const seen = proxy === null ? await handshake(new URL(url)) : await handshakeThrough(proxy, url);
  if (seen.kind === 'bad') return [badCertificate(network, { url, subject, code: seen.code })];
  const until = Date.parse(seen.certificate.valid_to);
  const days = Math.floor((until - now()) / DAY_MS);
  if (Number.isNaN(until) || days >= SOON_DAYS) return [];
  return [
    {
      check: 'certificate-expiring',
      severity: 'risk',
      subject,
      problem: `the certificate of ${new URL(url).host} expires in ${days} days`,
      evidence: `valid to ${seen.certificate.valid_to}`,
      remedy: 'Renew it, and see that whatever renews it by itself still runs.',
    },
  ];
}

function badCertificate(
  network: Pick<Network, 'proxyFor'>,
  { url, subject, code }: { url: string; subject: string; code: string },
): Check {
  const isTrust = TRUST_CODES.test(code);
  return {
    check: isTrust ? 'certificate-refused' : 'address-unreachable',
    severity: 'broken',
    subject,
    problem: isTrust
      ? `the certificate of ${new URL(url).host} is not accepted`
      : `nothing answers at ${new URL(url).host}`,
    evidence: code,
    remedy: isTrust
      ? (REMEDIES[code] ?? 'Give the server a certificate for this name.')
      : (wayRemedy(network, url, code) ?? 'Look name, port and firewall.'),
  };
}

const TRUST_CODES = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/;
const OWN_AUTHORITY = `Give it a certificate of a known authority. ${AUTHORITY_REMEDY}`;
const REMEDIES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'Renew the certificate.',
  DEPTH_ZERO_SELF_SIGNED_CERT: OWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: OWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `Let the server send its whole chain. ${OWN_AUTHORITY}`,
  ERR_TLS_CERT_ALTNAME_INVALID:
    'The certificate is for another name: use that name in the url, or add this one to it.',
};

const PATIENCE_MS = 10_000;

function handshakeThrough(proxy: string, url: string): Promise<Handshake> {
  const agent = new Agent({ timeout: PATIENCE_MS, proxyEnv: { https_proxy: proxy } });
  return new Promise((resolve) => {
    const sent = request(url, { method: 'HEAD', agent, timeout: PATIENCE_MS });
    const end = (result: Handshake) => {
      sent.destroy();
      resolve(result);
    };
    sent.once('timeout', () => end({ kind: 'bad', code: 'no answer within 10 s' }));
    sent.once('response', ({ socket }) =>
      end({ kind: 'good', certificate: (socket as TLSSocket).getPeerCertificate() }),
    );
    sent.on('error', (error: NodeJS.ErrnoException) =>
      end({ kind: 'bad', code: error.code ?? error.message }),
    );
    sent.end();
  });
}

function handshake(url: URL): Promise<Handshake> {
  return new Promise((resolve) => {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(url.port || 443), servername: isName(host) ? host : '' });
    const end = (result: Handshake) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(PATIENCE_MS, () => end({ kind: 'bad', code: 'no answer within 10 s' }));
    socket.once('secureConnect', () => end({ kind: 'good', certificate: socket.getPeerCertificate() }));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end({ kind: 'bad', code: error.code ?? error.message }),
    );
  });
}

/** TLS takes names only, no addresses, as the server name. */
function isName(host: string): boolean {
  return /[a-z]/i.test(host) && !host.includes(':');
}
