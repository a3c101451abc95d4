import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findMentions } from './mentions.ts';
import { BodyDigests, neutraliseMentions, readSignature, redactSecrets } from './security.ts';

const body = readFileSync(new URL('../test/fixtures/forgejo/HookPullRequestReopened.json', import.meta.url));
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
  const sent = readSignature(headers);
  if (sent.kind !== 'digest') return sent.kind;
  const digests = new BodyDigests(secrets);
  for (let at = 0; at < body.length; at += 1000) digests.update(body.subarray(at, at + 1000));
  return digests.signedWith(sent.digest) === null ? 'wrong' : 'valid';
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

describe('neutraliseMentions', () => {
  test('mentions in prose no longer name anybody; the text looks the same', () => {
    expect(neutraliseMentions('@ada, (@org/team) **@bo**')).toBe(
      '@\u200dada, (@\u200dorg/team) **@\u200dbo**',
    );
    expect(neutraliseMentions('\\@ada')).toBe('\\@\u200dada');
  });

  test.each([
    ['ada@forge.example and a_@b'],
    ['https://social.example/@ada'],
    ['`npm i @types/node`\n\n```ts\nimport x from "@ada/x";\n```\n'],
    ['<!-- claude-hooks:dispatch=1@2 @x -->'],
    ['a lone @ and @!'],
  ])('%j stays as it is', (text) => {
    expect(neutraliseMentions(text)).toBe(text);
  });

  test('the result mentions nobody, doing it twice changes nothing, and undoing it gives the text back', () => {
    const text = fc
      .array(fc.constantFrom('@ada', ' ', '`', '\n', '```', '_', '(', 'x'))
      .map((p) => p.join(''));
    fc.assert(
      fc.property(text, (input) => {
        const once = neutraliseMentions(input);
        expect(neutraliseMentions(once)).toBe(once);
        expect(once.replaceAll('\u200d', '')).toBe(input);
        expect(findMentions(once)).toEqual([]);
      }),
    );
  });
});

describe('redactSecrets', () => {
  test('every occurrence goes, also percent-encoded and JSON-escaped', () => {
    const token = 'to/ken"1+';
    const log = `a ${token} b ${encodeURIComponent(token)} c ${JSON.stringify({ token })}`;
    expect(redactSecrets(log, [token])).toBe('a [redacted] b [redacted] c {"token":"[redacted]"}');
  });

  test('a secret that contains another one leaves no tail', () => {
    expect(redactSecrets('x abcdef y', ['abcd', 'abcdef'])).toBe('x [redacted] y');
  });

  test('the empty secret and very short ones do not blank out the text', () => {
    expect(redactSecrets('a word', ['', 'a'])).toBe('a word');
  });

  test('no secret survives, whatever characters it has', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4, unit: 'binary' }), fc.string(), (token, around) => {
        fc.pre(!`${around}[redacted]${around}`.includes(token));
        expect(redactSecrets(`${around}${token}${around}`, [token])).not.toContain(token);
      }),
    );
  });
});
