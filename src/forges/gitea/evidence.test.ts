import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { startPocketForge } from '../../../rehearsal/pocket-forge.ts';
import { fixture, type Json } from '../../../test/fixtures/bodies.ts';
import { forge, repository, stopForges } from '../../../test/fixtures/scripted-forge.ts';
import { ForgeMissing, ForgeUnavailable } from '../../errors.ts';
import { createGiteaFamilyClient } from './client.ts';

afterEach(stopForges);

describe('which repository an id is', () => {
  const pears = { id: 42, full_name: 'orchard/pears', private: false };

  test.each<[string, string, (path: string) => Json, boolean]>([
    ['its name', 'orchard/pears', () => ({ status: 500 }), true],
    ['its name in another letter case', 'Orchard/PEARS', () => ({ status: 500 }), true],
    ['an old name', 'orchard/old', () => redirect('/api/v1/repos/orchard/pears'), true],
    ['an old name of another', 'orchard/old', () => redirect('/api/v1/repos/orchard/plums'), false],
    ['the name of another', 'orchard/plums', () => ({ json: { id: 43 } }), false],
    ['nobody’s name', 'orchard/none', () => ({ status: 404, json: {} }), false],
    ['a name that leads somewhere else', 'orchard/x', () => redirect('https://elsewhere.example/'), false],
    ['no name', '../admin', () => ({ json: pears }), false],
  ])('%s', async (_, fullName, other, named) => {
    const { client, seen } = await forge(({ path }) =>
      path === '/repositories/42' ? { json: pears } : other(path),
    );
    const found = await client.identifyRepository({ id: '42', fullName });
    expect(found).toMatchObject({ repository: { id: '42', fullName: 'orchard/pears' }, named });
    expect(seen.length).toBeLessThanOrEqual(2);
  });
  const redirect = (location: string) => ({ status: 301, headers: { location } });

  test('that it may not see is missing; a forge in trouble has not answered', async () => {
    const missing = await forge(() => ({ status: 404, json: {} }));
    await expect(missing.client.identifyRepository(repository)).rejects.toBeInstanceOf(ForgeMissing);
    const down = await forge(({ path }) =>
      path === '/repositories/42' ? { json: { ...pears, full_name: 'a/b' } } : { status: 502 },
    );
    await expect(down.client.identifyRepository(repository)).rejects.toBeInstanceOf(ForgeUnavailable);
  });

  test('after a rename on the pocket forge, the old name leads to it until another takes it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'evidence-'));
    const pocket = await startPocketForge({ folder, users: [{ login: 'ada', token: 't' }] });
    const client = createGiteaFamilyClient({ name: 'home', url: pocket.url, token: 't' });
    const made = await pocket.createRepository({ owner: 'ada', name: 'old', files: { a: 'a' } });
    const claimed = { id: String(made.id), fullName: 'ada/old' };
    await pocket.as('ada').renameRepository('ada/old', 'new');
    expect(await client.identifyRepository(claimed)).toMatchObject({
      repository: { fullName: 'ada/new' },
      named: true,
    });
    await pocket.createRepository({ owner: 'ada', name: 'old', files: { a: 'a' } });
    expect((await client.identifyRepository(claimed)).named).toBe(false);
    await pocket.close();
    await rm(folder, { recursive: true });
  });
});

describe('the timeline', () => {
  const by = { id: 7, login: 'alice' };
  const entry = (type: unknown, more: Json = {}): Json => ({
    id: 1,
    type,
    user: by,
    created_at: '2026-01-02T03:04:05Z',
    ...more,
  });

  test.each<[Json, string, string[]]>([
    [entry('assignees', { assignee: { id: 2, login: 'bob' } }), 'assigned', ['bob']],
    [
      entry('assignees', { assignee: { id: 2, login: 'bob' }, removed_assignee: true }),
      'unassigned',
      ['bob'],
    ],
    [entry('label', { body: '1', label: { name: 'bug' } }), 'labeled', ['bug']],
    [entry('label', { body: '', label: { name: 'bug' } }), 'unlabeled', ['bug']],
    [entry('review_request', { assignee: { id: 2, login: 'bob' } }), 'requested', ['bob']],
    [entry('review_request', { assignee_team: { name: 'crew' } }), 'team-requested', []],
    [entry('pull_push', { body: '{"is_force_push":true,"commit_ids":["a","b"]}' }), 'pushed', ['a', 'b']],
    [entry('pull_push', { body: 'no JSON' }), 'pushed', []],
    [entry('merge_pull'), 'merged', []],
  ])('%j means %s %j', async (answer, kind, subjects) => {
    const { client, seen } = await forge(() => ({ json: [null, entry('comment'), entry(21), answer] }));
    const page = await client.timeline(repository, 5, { since: '2026-01-01T00:00:00Z', page: 2 });
    expect(page).toEqual({
      kind: 'timeline',
      entries: [{ id: 1, by, at: '2026-01-02T03:04:05Z', kind, subjects }],
      isLast: false,
    });
    expect(Object.fromEntries(seen[0]!.query)).toMatchObject({ since: '2026-01-01T00:00:00Z', page: '2' });
  });

  test('of an old server is not offered, and an empty page is the last', async () => {
    const old = await forge(() => ({ status: 404, json: {} }));
    const at = { since: null, page: 1 };
    expect(await old.client.timeline(repository, 5, at)).toMatchObject({ kind: 'not-offered' });
    const empty = await forge(() => ({ json: [] }));
    expect(await empty.client.timeline(repository, 5, at)).toMatchObject({ entries: [], isLast: true });
  });
});

test('a reply on the web is found in the review it answers to, with its own author', async () => {
  const recorded = fixture('forgejo/recorded-review-comments-with-replies') as Record<string, Json[]>;
  const { client } = await forge(({ path, query }) => {
    const id = /\/reviews\/(\d+)\/comments$/.exec(path)?.[1];
    if (id !== undefined) return { json: recorded[id] };
    const reviews = Object.keys(recorded).map((one) => ({ id: Number(one), state: 'COMMENT' }));
    return { json: query.get('page') === '1' ? reviews : [] };
  });
  expect(await client.findReviewComment(repository, 2, 168)).toMatchObject({
    body: 'a reply',
    author: { id: 2, login: 'owner' },
  });
  expect(await client.findReviewComment(repository, 2, 4711)).toBeNull();
});
