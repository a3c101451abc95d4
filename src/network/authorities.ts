/** Which certificates are trusted: one list, which this process and git both go by. */
import tls from 'node:tls';

/**
 * Node alone trusts what it brings along, and git what the system has. Together they are what either trusts, with the
 * operator's own.
 */
export function trustedCertificates(own: readonly string[]): string[] {
  const trimmed = [...tls.getCACertificates('bundled'), ...tls.getCACertificates('system'), ...own].map(
    (one) => one.trim(),
  );
  return [...new Set(trimmed)];
}

let trusted: string | null = null;

/** From here on every TLS connection of this process goes by them: of fetch, of https and of the database. */
export function trustInThisProcess(certificates: readonly string[]): void {
  const text = certificates.join('\n');
  if (trusted === text) return;
  // Node 24.5; an older one goes on with what it brings along.
  tls.setDefaultCACertificates?.(certificates);
  trusted = text;
}
