import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  APPROVED,
  ASSIGNED,
  COMMENT,
  EDITED,
  fixture,
  ISSUE,
  type Json,
  type Kind,
  parse,
  RUN_FAILED,
  STATUS,
  SYNCHRONIZED,
  WORKFLOW_RUN,
} from '../../../test/fixtures/bodies.ts';

describe('whatever comes in, an outcome comes out', () => {
  const deliveries: [Kind, string, Json][] = [
    ['forgejo', 'issues', fixture(ISSUE)],
    ['forgejo', 'issue_assign', fixture(ASSIGNED)],
    ['forgejo', 'pull_request_comment', fixture(COMMENT)],
    ['forgejo', 'pull_request_comment', fixture(EDITED)],
    ['forgejo', 'pull_request_sync', fixture(SYNCHRONIZED)],
    ['forgejo', 'pull_request_review_approved', fixture(APPROVED)],
    ['forgejo', 'push', fixture('forgejo/HookPushBranch')],
    ['forgejo', 'action_run_failure', fixture(RUN_FAILED)],
    ['gitea', 'workflow_run', fixture(WORKFLOW_RUN)],
    ['gitea', 'status', fixture(STATUS)],
  ];
  const anyDelivery = fc.constantFrom(...deliveries);
  const known = ['event', 'ignored', 'malformed'];

  test('random bytes and random JSON, and the body of one kind under the name of another', () => {
    const body = fc.oneof(
      fc.uint8Array(),
      fc.json().map((text) => Buffer.from(text)),
      anyDelivery.map(([, , json]) => Buffer.from(JSON.stringify(json))),
    );
    fc.assert(
      fc.property(anyDelivery, body, ([kind, type], bytes) => {
        expect(known).toContain(parse(kind, type, bytes).kind);
      }),
    );
  });

  test('recorded bodies with one to four values anywhere replaced or removed', () => {
    const junk = fc.oneof(
      fc.constant(undefined),
      fc.jsonValue(),
      fc.constantFrom<unknown>('', 0, -1, 1e308, [], {}),
    );
    const wounds = fc.array(fc.tuple(fc.nat(), junk), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(anyDelivery, wounds, ([kind, type, body], cuts) => {
        const wounded = structuredClone(body);
        for (const [at, value] of cuts) wound(wounded, at, value);
        const outcome = parse(kind, type, wounded);
        expect(known).toContain(outcome.kind);
        if (outcome.kind !== 'event') return;
        expect(outcome.event.repository.id).not.toBe('');
        expect(outcome.event.semanticKey).toContain(outcome.event.name);
        for (const login of outcome.event.mentions) expect(login).toBe(login.toLowerCase());
      }),
      { numRuns: 300 },
    );
  });
});

/** Replaces the value at one of all the places in a JSON tree. */
function wound(tree: Json, at: number, value: unknown): void {
  const places: [Json, string][] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      places.push([node as Json, key]);
      visit((node as Json)[key]);
    }
  };
  visit(tree);
  const place = places[at % Math.max(1, places.length)];
  if (place) place[0][place[1]] = value;
}
