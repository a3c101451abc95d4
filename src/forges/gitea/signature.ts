/** The signature of a delivery: HMAC-SHA256 of the raw body in hexadecimal, in one of three headers. */
import { BodyDigests } from '../../security.ts';
import type { SentClaim } from '../kit.ts';

/** In this order: Forgejo sends all of them, Gitea the last two. The first one that is present decides. */
const SIGNATURE_HEADERS = [
  { header: 'x-forgejo-signature', prefix: '' },
  { header: 'x-gitea-signature', prefix: '' },
  { header: 'x-hub-signature-256', prefix: 'sha256=' },
];

export function readClaim(headers: Headers, secrets: readonly string[]): SentClaim {
  const sent = sentSignature(headers);
  if (sent === null) return { kind: 'missing' };
  if (sent.value === '' || sent.value === sent.prefix) return { kind: 'empty' };
  const hex = sent.value.startsWith(sent.prefix) ? sent.value.slice(sent.prefix.length) : '';
  if (!/^[0-9a-f]{64}$/i.test(hex)) return { kind: 'malformed' };
  const digests = new BodyDigests(secrets);
  const digest = Buffer.from(hex, 'hex');
  return { kind: 'claim', claim: { digests, signer: () => digests.signedWith(digest) } };
}

function sentSignature(headers: Headers): { value: string; prefix: string } | null {
  for (const { header, prefix } of SIGNATURE_HEADERS) {
    const value = headers.get(header);
    if (value !== null) return { value: value.trim(), prefix };
  }
  return null;
}
