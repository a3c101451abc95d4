/** Which certificates are trusted: one list for this process and for git. */
import tls from 'node:tls';

/**
 * Node alone trusts the list it brings along, and git the system's. This is both lists together, with the operator's
 * own.
 */
export function trustedCertificates(own: readonly string[]): string[] {
  const trimmed = [...tls.getCACertificates('bundled'), ...tls.getCACertificates('system'), ...own].map(
    (one) => one.trim(),
  );
  return [...new Set(trimmed)];
}

let trusted: string | null = null;

/** From here on every TLS connection of this process trusts them: fetch, https and the database. */
export function trustInThisProcess(certificates: readonly string[]): void {
  const text = certificates.join('\n');
  if (trusted === text) return;
  // This exists since Node 24.5; an older Node keeps trusting the list it brings along.
  tls.setDefaultCACertificates?.(certificates);
  trusted = text;
}
