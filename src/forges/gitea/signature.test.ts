import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readClaim } from './signature.ts';

const body = readFileSync(
  new URL('../../../test/fixtures/forgejo/HookPullRequestReopened.json', import.meta.url),
);
const secret = 'pears-fall-in-may';

function sign(bytes: Uint8Array | string, key = secret): string {
  return createHmac('sha256', key).update(bytes).digest('hex');
}

interface SignedRequest {
  headers: Headers | Record<string, string>;
  body: Uint8Array;
  secrets: string[];
}

/** As the edge does it: what the header says first, then the body in pieces. */
function verifySignature({ headers, body, secrets }: SignedRequest): string {
  const sent = readClaim(new Headers(headers), secrets);
  if (sent.kind !== 'claim') return sent.kind;
  const { digests, signer } = sent.claim;
  for (let at = 0; at < body.length; at += 1000) digests.update(body.subarray(at, at + 1000));
  return signer() === null ? 'wrong' : 'valid';
}

describe('signatures', () => {
  test.each([
    ['x-forgejo-signature', ''],
    ['X-Gitea-Signature', ''],
    ['x-hub-signature-256', 'sha256='],
  ])('a digest of the raw bytes in %s is valid', (name, prefix) => {
    const headers = { [name]: `${prefix}${sign(body)}` };
    expect(verifySignature({ headers, body, secrets: [secret] })).toBe('valid');
    expect(verifySignature({ headers: new Headers(headers), body, secrets: [secret] })).toBe('valid');
  });

  test('the same JSON serialised again is other bytes: indentation and \\u003c escapes are signed too', () => {
    const again = Buffer.from(JSON.stringify(JSON.parse(body.toString())));
    const headers = { 'x-forgejo-signature': sign(body) };
    expect(verifySignature({ headers, body: again, secrets: [secret] })).toBe('wrong');
    const indented = Buffer.from(JSON.stringify(JSON.parse(body.toString()), null, 2));
    expect(verifySignature({ headers, body: indented, secrets: [secret] })).toBe('wrong');
  });

  test('a form delivery signs the decoded JSON, so its raw body never verifies', () => {
    const form = Buffer.from(`payload=${encodeURIComponent(body.toString())}`);
    const headers = { 'x-forgejo-signature': sign(body) };
    expect(verifySignature({ headers, body: form, secrets: [secret] })).toBe('wrong');
  });

  test('a hook without a secret sends empty headers, and they are told from missing ones', () => {
    expect(verifySignature({ headers: {}, body, secrets: [secret] })).toBe('missing');
    expect(verifySignature({ headers: { 'x-forgejo-signature': '' }, body, secrets: [secret] })).toBe(
      'empty',
    );
    expect(verifySignature({ headers: { 'x-hub-signature-256': 'sha256=' }, body, secrets: [secret] })).toBe(
      'empty',
    );
  });

  test('the forge-specific header decides: a good one further down does not mend it', () => {
    const headers = { 'x-forgejo-signature': '', 'x-hub-signature-256': `sha256=${sign(body)}` };
    expect(verifySignature({ headers, body, secrets: [secret] })).toBe('empty');
  });

  test.each([
    ['too short', { 'x-forgejo-signature': 'abc123' }],
    ['no hex', { 'x-forgejo-signature': 'z'.repeat(64) }],
    ['a prefix where none belongs', { 'x-gitea-signature': `sha256=${sign(body)}` }],
    ['no prefix where one belongs', { 'x-hub-signature-256': sign(body) }],
    ['SHA-1', { 'x-hub-signature-256': `sha1=${'a'.repeat(40)}` }],
    ['sent twice', { 'x-forgejo-signature': `${sign(body)}, ${sign(body)}` }],
  ])('%s is malformed', (_name, headers: Record<string, string>) => {
    expect(verifySignature({ headers, body, secrets: [secret] })).toBe('malformed');
  });

  test('while a secret is rotated both are good; afterwards the old one is not', () => {
    const headers = { 'x-forgejo-signature': sign(body, 'old') };
    expect(verifySignature({ headers, body, secrets: ['new', 'old'] })).toBe('valid');
    expect(verifySignature({ headers, body, secrets: ['new'] })).toBe('wrong');
  });

  test('no secret and the empty secret verify nothing, not even what was signed with the empty key', () => {
    const headers = { 'x-forgejo-signature': sign(body, '') };
    expect(verifySignature({ headers, body, secrets: [] })).toBe('wrong');
    expect(verifySignature({ headers, body, secrets: [''] })).toBe('wrong');
  });

  test('one flipped bit anywhere in the body is noticed', () => {
    const headers = { 'x-forgejo-signature': sign(body) };
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.nat(7), (at, bit) => {
        const changed = Buffer.from(body);
        changed[at] = changed[at]! ^ (1 << bit);
        expect(verifySignature({ headers, body: changed, secrets: [secret] })).toBe('wrong');
      }),
    );
  });
});
