/**
 * What protects the service at its borders, without I/O: signatures of deliveries are checked, text is cleaned on its
 * way into a prompt and on its way out, and secrets are kept out of the log.
 */
import { createHmac, type Hmac, timingSafeEqual } from 'node:crypto';
import { MENTION_START, splitMarkdown } from './mentions.ts';

/**
 * HMAC-SHA256 of a body that arrives in pieces, for every secret that may have signed it. The raw bytes are hashed: the
 * forge indents and escapes its JSON, so a body that is serialised again never matches.
 */
export class BodyDigests {
  readonly #digests: readonly (Hmac | null)[];

  constructor(secrets: readonly string[]) {
    // Anybody can sign with an empty key, so an empty secret never verifies.
    this.#digests = secrets.map((secret) => (secret === '' ? null : createHmac('sha256', secret)));
  }

  /**
   * `from` and `to` choose secrets by their number: with hundreds of secrets one piece is hashed in several turns.
   */
  update(piece: Uint8Array, from = 0, to = this.#digests.length): void {
    for (let n = from; n < to; n++) this.#digests[n]?.update(piece);
  }

  get count(): number {
    return this.#digests.length;
  }

  /**
   * Finishes the hashes. Answers the number of the first secret that made this digest, or null. All of them are
   * compared, in constant time.
   */
  signedWith(sent: Uint8Array): number | null {
    let found: number | null = null;
    for (const [n, digest] of this.#digests.entries()) {
      if (digest !== null && timingSafeEqual(digest.digest(), sent)) found ??= n;
    }
    return found;
  }
}

/**
 * The text with mentions that notify nobody: a zero-width joiner is put behind the @. Rejected: backticks, because they
 * break inside links and beside other backticks. Code, HTML comments, e-mail addresses and URLs stay as they are. Doing
 * it twice changes nothing.
 */
export function neutraliseMentions(text: string): string {
  return splitMarkdown(text)
    .map((part) => (part.prose ? neutraliseAllMentions(part.text) : part.text))
    .join('');
}

/** The same for a text without Markdown code: a title, or the raw text that a robot reads. */
export function neutraliseAllMentions(text: string): string {
  return text.replace(PINGING_AT, '@\u200d');
}

const PINGING_AT = new RegExp(`${MENTION_START}(?=[A-Za-z0-9_-])`, 'gu');

/** Shorter values are not redacted: they would blank out ordinary words, and are worth little as secrets. */
const SHORTEST_SECRET = 4;

/** The text with every secret replaced, also in its percent-encoded and JSON-escaped form. */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .flatMap((secret) => [secret, percentEncoded(secret), JSON.stringify(secret).slice(1, -1)]);
  // Longest first: a secret that contains another one must be replaced whole.
  const ordered = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return ordered.reduce((cleaned, form) => cleaned.replaceAll(form, () => '[redacted]'), text);
}

function percentEncoded(secret: string): string {
  try {
    return encodeURIComponent(secret);
  } catch {
    // A lone surrogate has no percent-encoding.
    return secret;
  }
}
