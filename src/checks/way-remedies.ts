/** The remedy where git or the API cannot reach a forge, by the error and by whether a proxy is used. Pure. */
import { shownProxy } from '../config/proxies.ts';
import type { Network } from '../network.ts';

/** How Node, OpenSSL and GnuTLS say that a certificate is not trusted. */
const CERTIFICATE = /certificate|SELF_SIGNED|UNABLE_TO|CERT_|ALTNAME|self.signed|SSL peer/i;

export const AUTHORITY_REMEDY =
  'Let network.ca_file name a PEM file with the certificates of your own authority: it counts for the API and for git alike.';

/** null: the error is about neither a certificate nor a proxy. */
export function wayRemedy(network: Pick<Network, 'proxyFor'>, url: string, said: string): string | null {
  if (CERTIFICATE.test(said)) return AUTHORITY_REMEDY;
  const proxy = network.proxyFor(url);
  if (proxy === null) return null;
  return `See that the proxy ${shownProxy(proxy)} answers and lets requests to ${new URL(url).host} through. Correct network.proxy (or http_proxy and https_proxy of the service), or reach that host without it by network.no_proxy.`;
}
