/**
 * What protects the service at its borders, without I/O: the signature of a delivery, text on its way into a prompt,
 * text on its way out, and secrets on their way into a log.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { MENTION_START, splitMarkdown } from './mentions.ts';

/**
 * - `missing`: no signature header at all
 * - `empty`: the header is there without a digest, which is what a hook without a secret sends
 * - `malformed`: not a SHA-256 digest in the form that header uses
 * - `wrong`: a digest, but of other bytes or with another secret
 */
export type SignatureCheck = 'valid' | 'missing' | 'empty' | 'malformed' | 'wrong';

export interface SignedRequest {
  headers: Headers | Record<string, string | undefined>;
  /** the raw bytes as received: the forge indents and escapes its JSON, so a re-serialised body never matches */
  body: Uint8Array;
  /** every secret that is good at the moment; more than one while a secret is being rotated */
  secrets: readonly string[];
}

/** In order of trust in detection: Forgejo sends all of them, Gitea the last two. The first one present decides. */
const SIGNATURE_HEADERS = [
  { header: 'x-forgejo-signature', prefix: '' },
  { header: 'x-gitea-signature', prefix: '' },
  { header: 'x-hub-signature-256', prefix: 'sha256=' },
];

/** HMAC-SHA256 over the raw body, compared in constant time against every secret. */
export function verifySignature(request: SignedRequest): SignatureCheck {
  const sent = sentSignature(request.headers);
  if (sent === null) return 'missing';
  if (sent.value === '' || sent.value === sent.prefix) return 'empty';
  const digest = sent.value.startsWith(sent.prefix) ? sent.value.slice(sent.prefix.length) : '';
  if (!/^[0-9a-f]{64}$/i.test(digest)) return 'malformed';
  const given = Buffer.from(digest, 'hex');
  let valid = false;
  for (const secret of request.secrets) {
    // Anybody can sign with an empty key, so an unset secret must never verify.
    if (secret === '') continue;
    const expected = createHmac('sha256', secret).update(request.body).digest();
    if (timingSafeEqual(expected, given)) valid = true;
  }
  return valid ? 'valid' : 'wrong';
}

function sentSignature(headers: SignedRequest['headers']): { value: string; prefix: string } | null {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers);
  const byName = new Map(entries.map(([name, value]) => [name.toLowerCase(), value]));
  for (const { header, prefix } of SIGNATURE_HEADERS) {
    const value = byName.get(header);
    if (value !== undefined) return { value: value.trim(), prefix };
  }
  return null;
}

/**
 * The text with mentions that notify nobody: a zero-width joiner stands after the @. Rejected: backticks, because they
 * break inside links and beside other backticks. Code, HTML comments, e-mail addresses and URLs stay as they are.
 * Doing it twice changes nothing.
 */
export function neutraliseMentions(text: string): string {
  return splitMarkdown(text)
    .map((part) => (part.prose ? neutraliseAllMentions(part.text) : part.text))
    .join('');
}

/** The same for a text in which nobody knows code: a title, or raw text in the eyes of a robot. */
export function neutraliseAllMentions(text: string): string {
  return text.replace(PINGING_AT, '@\u200d');
}

const PINGING_AT = new RegExp(`${MENTION_START}(?=[A-Za-z0-9_-])`, 'gu');

/** Shorter values would blank out ordinary words and tell nobody anything. */
const SHORTEST_SECRET = 4;

/** The text with every secret replaced, also in its percent-encoded and JSON-escaped form. */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .flatMap((secret) => [secret, percentEncoded(secret), JSON.stringify(secret).slice(1, -1)]);
  // Longest first, so that a secret which contains another one leaves no tail.
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
