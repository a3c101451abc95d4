/** Deliveries as a Forgejo sends them: a comment on an issue, 11 KB, indented as the forge does it, signed. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

// biome-ignore lint/suspicious/noExplicitAny: a fixture is a foreign JSON tree
type Json = Record<string, any>;

const FIXTURE = new URL('../test/fixtures/forgejo/built-pull-comment-created.json', import.meta.url);
const fixture = JSON.parse(readFileSync(FIXTURE, 'utf8')) as Json;

export interface CommentOptions {
  id: number;
  issue: number;
  repository: { id: number; name: string };
  text: string;
}

/** Written by a person, on an open issue. Two with different ids mean different things. */
export function commentBody(o: CommentOptions): Buffer {
  const body = structuredClone(fixture);
  const full = `orchard/${o.repository.name}`;
  Object.assign(body.repository, { id: o.repository.id, name: o.repository.name, full_name: full });
  Object.assign(body.issue, { id: o.issue, number: o.issue, pull_request: null });
  Object.assign(body.issue.repository, { id: o.repository.id, name: o.repository.name, full_name: full });
  Object.assign(body.comment, { id: o.id, body: o.text });
  body.is_pull = false;
  return Buffer.from(JSON.stringify(body, null, 2));
}

export function deliveryHeaders(deliveryId: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'user-agent': 'Go-http-client/1.1',
    'x-forgejo-delivery': deliveryId,
    'x-forgejo-event': 'issue_comment',
    'x-forgejo-event-type': 'issue_comment',
  };
}

export function signatureOf(body: Uint8Array, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}
