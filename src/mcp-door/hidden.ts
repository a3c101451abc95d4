/** Texts of a server without the secrets of the configuration: a server may repeat what it was started with. Pure. */

/** Shorter ones would take ordinary words out of the text. */
const SHORTEST = 6;

export function hidden(text: string, secrets: readonly string[]): string {
  let clean = text;
  // guard: mcp: secrets in answers
  for (const secret of secrets) if (secret.length >= SHORTEST) clean = clean.replaceAll(secret, '[secret]');
  return clean;
}
