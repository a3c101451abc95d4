/** What to do where git, or the API, does not get to a forge: by what was said, and by whether a proxy lies between. Pure. */

import { shownProxy } from '../network/proxies.ts';
import type { Network } from '../network.ts';

/** As Node, OpenSSL and GnuTLS say that they do not know who signed. */
const CERTIFICATE = /certificate|SELF_SIGNED|UNABLE_TO|CERT_|ALTNAME|self.signed|SSL peer/i;

export const AUTHORITY_REMEDY =
  'Let network.ca_file name a PEM file with the certificates of your own authority: it counts for the API and for git alike.';

/** null: neither a proxy nor a certificate has to do with it. */
export function wayRemedy(network: Pick<Network, 'proxyFor'>, url: string, said: string): string | null {
  if (CERTIFICATE.test(said)) return AUTHORITY_REMEDY;
  const proxy = network.proxyFor(url);
  if (proxy === null) return null;
  return `See that the proxy ${shownProxy(proxy)} answers and lets requests to ${new URL(url).host} through. Correct network.proxy (or http_proxy and https_proxy of the service), or reach that host without it by network.no_proxy.`;
}
