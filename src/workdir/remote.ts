import { refused } from './names.ts';
import type { Remote, WorkdirNetwork } from './port.ts';

/** A remote in two parts: what may be shown, and what only the environment of one command may hold. */
export interface Address {
  /** without user and password: it appears in argument lists and messages */
  url: string;
  /** scheme, host and port; keeps repository 1 of one forge apart from repository 1 of another */
  origin: string;
  /** git configuration for just one command */
  config: [key: string, value: string][];
  /** value of the Authorization header for our own requests to the same origin; null = anonymous */
  authorization: string | null;
  /** secrets to remove from everything git prints */
  secrets: string[];
  /** for our own requests: goes the same way as git */
  fetch: typeof fetch;
}

/** git sends extra headers also to wherever the first answer redirects it, even to another host. */
// guard: clone: redirects
const STAY: [string, string] = ['http.followRedirects', 'false'];

export function parseRemote(remote: Remote, network?: WorkdirNetwork): Address {
  if (/[\u0000-\u001f\u007f]/.test(remote.url)) {
    throw refused(
      'The clone URL contains control characters',
      'Correct it in the configuration of the forge',
    );
  }
  const send = network?.fetch ?? fetch;
  const local = { config: [], authorization: null, secrets: [], fetch: send };
  if (remote.url.startsWith('/')) return { url: remote.url, origin: remote.url, ...local };
  const url = URL.canParse(remote.url) ? new URL(remote.url) : null;
  if (url === null || !['http:', 'https:', 'file:'].includes(url.protocol)) {
    throw refused(
      'The clone URL is neither http, https, file nor an absolute path',
      "Set the forge's clone URL to its https address; ssh is not used",
    );
  }
  if (url.protocol === 'file:') return { url: url.href, origin: url.href, ...local };
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  url.username = '';
  url.password = '';
  const token = remote.token || password || null;
  const way = wayTo(url, network);
  if (token === null)
    return {
      ...local,
      url: url.href,
      origin: url.origin,
      config: [STAY, ...way.config],
      secrets: way.secrets,
    };
  if (/[\u0000-\u001f\u007f]/.test(token)) {
    throw refused(
      'The token contains control characters',
      'Remove line ends from the token file of the agent',
    );
  }
  const name = !remote.token && user !== '' ? user : 'x-access-token';
  const basic = Buffer.from(`${name}:${token}`).toString('base64');
  return {
    url: url.href,
    origin: url.origin,
    config: [[`http.${url.origin}/.extraHeader`, `Authorization: Basic ${basic}`], STAY, ...way.config],
    authorization: `Basic ${basic}`,
    secrets: [basic, token, ...way.secrets],
    fetch: send,
  };
}

/** Set for each origin, also when there is no proxy: then no other configuration can name one. */
function wayTo({ origin }: URL, network: WorkdirNetwork | undefined): Pick<Address, 'config' | 'secrets'> {
  // guard: network: git obeys
  const proxy = network?.proxyFor(`${origin}/`) ?? null;
  if (proxy === null) return { config: [[`http.${origin}/.proxy`, '']], secrets: [] };
  const { password } = new URL(proxy);
  const config: Address['config'] = [
    [`http.${origin}/.proxy`, proxy],
    // The service does the same. Asking the proxy first which method it wants costs a request, and some proxies then
    // close the connection.
    [`http.${origin}/.proxyAuthMethod`, 'basic'],
  ];
  return { config, secrets: password === '' ? [] : [password, decodeURIComponent(password)] };
}
