/**
 * How HTTP leaves this machine, for the service and for git alike: as the options say, else as the usual environment
 * variables say.
 */
import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import type { NetworkSettings } from './config.ts';
import type { Options } from './options.ts';
import type { Preparation } from './prepare.ts';

type Scheme = 'http' | 'https';

/** The first variable that is set counts. An empty variable is not set, as in curl. */
const PROXY_VARIABLES: Readonly<Record<Scheme, readonly string[]>> = {
  http: ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'],
  https: ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'],
};
const NO_PROXY_VARIABLES = ['no_proxy', 'NO_PROXY'];
/** Node reads the first, OpenSSL the second, git the third; here each counts for all three. */
const AUTHORITY_VARIABLES = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'GIT_SSL_CAINFO'];

/** All environment variables that decide how connections leave this machine. */
export const NETWORK_VARIABLES: readonly string[] = [
  ...new Set([...Object.values(PROXY_VARIABLES).flat(), ...NO_PROXY_VARIABLES, ...AUTHORITY_VARIABLES]),
  'SSL_CERT_DIR',
  'GIT_SSL_CAPATH',
];

const ADDRESS_REMEDY = 'Write it as http://proxy.example.org:3128; proxies for SOCKS are not used.';

export function networkSettings(options: Options['network'], to: Preparation): NetworkSettings {
  const own = options.proxy;
  const proxies =
    own === undefined
      ? { http: proxyOfEnvironment('http', to), https: proxyOfEnvironment('https', to) }
      : bothThrough(own, to);
  return { proxies, noProxy: options.no_proxy ?? exceptions(to), authorities: authorities(options, to) };
}

/** The proxies' passwords, both as they are written in the addresses and decoded. */
export function secretsOfProxies({ proxies }: NetworkSettings): string[] {
  return Object.values(proxies).flatMap((proxy) => {
    const written = proxy === null ? '' : new URL(proxy).password;
    return written === '' ? [] : [written, decodeURIComponent(written)];
  });
}

function bothThrough(written: string, to: Preparation): NetworkSettings['proxies'] {
  const read = proxyAddress(written);
  if (read.kind === 'proxy') return { http: read.url, https: read.url };
  to.problems.push({
    file: to.file,
    path: 'network.proxy',
    value: null,
    problem: read.problem,
    remedy: ADDRESS_REMEDY,
  });
  return { http: null, https: null };
}

function proxyOfEnvironment(scheme: Scheme, to: Preparation): string | null {
  const variable = PROXY_VARIABLES[scheme].find((name) => (to.env[name] ?? '').trim() !== '');
  if (variable === undefined) return null;
  const read = proxyAddress(to.env[variable]!.trim());
  if (read.kind === 'proxy') return read.url;
  const problem = `the environment variable ${variable} ${read.problem}`;
  // `all_proxy` counts for both schemes, so its problem would be reported twice.
  if (!to.problems.some((one) => one.problem === problem)) {
    const remedy = `${ADDRESS_REMEDY} Correct ${variable} for the service, or set network.proxy, which counts in its place.`;
    to.problems.push({ file: to.file, path: 'network.proxy', value: null, problem, remedy });
  }
  return null;
}

/** The problem never repeats the address: it may hold a password. */
function proxyAddress(written: string): { kind: 'proxy'; url: string } | { kind: 'not'; problem: string } {
  // An address without a scheme, as `proxy.example.org:3128`, is accepted; curl takes it as well.
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(written) ? written : `http://${written}`;
  if (!URL.canParse(text)) return { kind: 'not', problem: 'is not the address of a proxy' };
  const url = new URL(text);
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== 'http' && scheme !== 'https') {
    return { kind: 'not', problem: `names a proxy of the kind ${scheme}; http and https are used` };
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || !isDecodable(url)) {
    return { kind: 'not', problem: 'is not the address of a proxy alone' };
  }
  return { kind: 'proxy', url: url.href.replace(/\/$/, '') };
}

function isDecodable({ username, password }: URL): boolean {
  try {
    return !/[\u0000-\u001f\u007f]/.test(decodeURIComponent(username) + decodeURIComponent(password));
  } catch {
    return false;
  }
}

function exceptions({ env }: Preparation): string[] {
  const written = NO_PROXY_VARIABLES.map((name) => env[name] ?? '').find((value) => value.trim() !== '');
  return (written ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
}

/** One PEM text for each certificate. */
function authorities({ ca_file: own }: Options['network'], to: Preparation): string[] {
  const found = AUTHORITY_VARIABLES.flatMap((variable) => {
    const path = (to.env[variable] ?? '').trim();
    if (path === '') return [];
    const read = readAuthorities(resolve(path), to);
    if (typeof read !== 'string') return read;
    to.warnings.push(
      `The environment variable ${variable} names ${path}, which ${read}. Its authorities are not trusted until that is mended; network.ca_file takes the same.`,
    );
    return [];
  });
  if (own === undefined) return [...new Set(found)];
  const read = readAuthorities(resolve(to.folder, own), to);
  if (typeof read !== 'string') return [...new Set([...found, ...read])];
  to.problems.push({
    file: to.file,
    path: 'network.ca_file',
    value: own,
    problem: read,
    remedy:
      'Name a file that the service may read, with the certificates of your authorities in PEM form (`openssl x509 -inform der -in ca.cer -out ca.pem` makes one of a DER file).',
  });
  return [];
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Answers the certificates, or a text that says what is wrong with the file. */
function readAuthorities(file: string, { sources }: Preparation): string[] | string {
  const text = sources.text(file);
  if (text === null) return sources.trouble(file);
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) return 'holds no certificate in PEM form';
  const broken = blocks.findIndex((block) => !isCertificate(block));
  return broken === -1 ? [...blocks] : `holds a certificate that cannot be read (number ${broken + 1})`;
}

function isCertificate(block: string): boolean {
  try {
    new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
}
