/**
 * How a registry is asked: by GET, with headers of ours alone, its credential for its own address and for no other, and
 * redirects only to hosts that are configured.
 */
import type { RegistrySettings } from '../config/config.ts';
import type { Metadata } from './ecosystem.ts';
import { PackageRefused } from './refused.ts';

export interface Asking {
  url: string;
  registry: RegistrySettings;
  headers: Readonly<Record<string, string>>;
  fetch: typeof fetch;
  signal: AbortSignal;
}

const MOST_REDIRECTS = 5;
/** Documents are held in memory. The largest of npm in its short form are about 5 MB. */
const MOST_DOCUMENT = 24 * 1024 * 1024;
const USER_AGENT = 'claude-hooks';

/** Answers 2xx only; everything else is thrown as PackageRefused. */
export async function askRegistry(asking: Asking): Promise<Response> {
  let at = new URL(asking.url);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const answer = await askOnce(at, asking);
    const location = answer.headers.get('location');
    if (answer.status < 300 || answer.status >= 400 || location === null) return checked(answer, at);
    await answer.body?.cancel();
    at = new URL(location, at);
  }
  throw new PackageRefused(
    502,
    'redirect',
    `The registry redirected more than ${MOST_REDIRECTS} times. A person should look at the address in packages.registries.`,
  );
}

async function askOnce(at: URL, { registry, headers, fetch, signal }: Asking): Promise<Response> {
  const own = at.origin === new URL(registry.url).origin;
  // guard: packages: redirect to another host
  if (!own && !isFileHost(at, registry)) throw elsewhere(at);
  const sent = { ...headers, 'user-agent': USER_AGENT, ...(own ? registry.headers : {}) };
  try {
    return await fetch(at.href, { headers: sent, redirect: 'manual', signal });
  } catch (error) {
    const why = signal.aborted ? 'it gave no whole answer in time' : wordsOf(error);
    throw new PackageRefused(502, 'registry', `The registry was not reached: ${why}. Try again later.`);
  }
}

function isFileHost(at: URL, { url, artefactHosts }: RegistrySettings): boolean {
  // TLS is not given up on the way.
  if (at.protocol !== 'https:' && at.protocol !== new URL(url).protocol) return false;
  return artefactHosts.some((host) => {
    const written = host.toLowerCase();
    return written === at.host || (at.port === '' && written === at.hostname);
  });
}

function elsewhere(at: URL): PackageRefused {
  return new PackageRefused(
    502,
    'redirect',
    `The registry sends its readers to ${at.host}, which is not configured for it. A person can add the host to artefact_hosts of this registry.`,
  );
}

async function checked(answer: Response, at: URL): Promise<Response> {
  const { status } = answer;
  if (status >= 200 && status < 300) return answer;
  await answer.body?.cancel();
  if (status === 404 || status === 410) {
    throw new PackageRefused(404, 'not-found', 'The registry does not have it.');
  }
  if (status === 401 || status === 403) {
    throw new PackageRefused(
      502,
      'registry',
      `The registry refused the service (${status} of ${at.host}). A person should look at its credential in packages.registries.`,
    );
  }
  throw new PackageRefused(502, 'registry', `The registry answered ${status}. Try again later.`);
}

/** The whole answer, which must be small. */
export async function readDocument(answer: Response): Promise<Metadata> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of bodyOf(answer)) {
    bytes += chunk.byteLength;
    if (bytes > MOST_DOCUMENT) {
      await answer.body?.cancel().catch(() => {});
      throw new PackageRefused(
        502,
        'limit',
        `The registry's document has more than ${MOST_DOCUMENT} bytes and is not read.`,
      );
    }
    chunks.push(chunk);
  }
  return {
    body: Buffer.concat(chunks),
    contentType: answer.headers.get('content-type') ?? 'application/octet-stream',
  };
}

/** The bytes as they come; a cut is thrown as PackageRefused. */
export async function* bodyOf(answer: Response): AsyncGenerator<Uint8Array> {
  if (answer.body === null) return;
  try {
    for await (const chunk of answer.body) yield chunk as Uint8Array;
  } catch (error) {
    if (error instanceof PackageRefused) throw error;
    throw new PackageRefused(
      502,
      'registry',
      `The registry's answer broke off: ${wordsOf(error)}. Try again.`,
    );
  }
}

function wordsOf(error: unknown): string {
  const { message, cause, name } = error as Error;
  if (name === 'TimeoutError' || name === 'AbortError') return 'no answer in time';
  return cause instanceof Error ? wordsOf(cause) : message;
}
