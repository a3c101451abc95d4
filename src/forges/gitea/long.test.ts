/** Answers that strangers made long: read in pieces, cut, and never a reason to fail. */
import { afterEach, describe, expect, test } from 'vitest';
import { forge, repository, stopForges } from '../../../test/fixtures/scripted-forge.ts';
import { LONGEST_TEXT } from '../../text-limits.ts';

afterEach(stopForges);

const ada = { id: 11, login: 'ada' };
const comment = (id: number, body: string) => ({
  id,
  user: ada,
  body,
  html_url: `https://forge.example.org/c/${id}`,
  created_at: new Date(Date.parse('2026-05-04T10:00:00Z') + id * 60_000).toISOString(),
  updated_at: '2026-06-04T10:00:00Z',
});
const MEGABYTE = 1_100_000;

describe('comments', () => {
  test('32 of 1.1 MB, which this forge answers all at once: each is there, the newest with its text', async () => {
    const all = Array.from({ length: 32 }, (_, id) => comment(id + 1, 'y'.repeat(MEGABYTE)));
    const { client, seen } = await forge(({ query }) => {
      const since = Date.parse(query.get('since') ?? '1970-01-01');
      return { json: all.filter((one) => Date.parse(one.created_at) >= since) };
    });
    const found = await client.listComments(repository, 5);
    expect(found.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    expect(found.at(-1)!.body).toBe('y'.repeat(LONGEST_TEXT));
    expect(seen.map(({ query }) => query.get('since')).filter((since) => since !== null)).not.toEqual([]);
  });

  test('a single one longer than any piece is cut, and those after it are read', async () => {
    const json = [comment(1, 'a'), comment(2, 'y'.repeat(40_000_000)), comment(3, 'c')];
    const { client } = await forge(({ query }) => {
      const since = Date.parse(query.get('since') ?? '1970-01-01');
      return { json: json.filter((one) => Date.parse(one.created_at) >= since) };
    });
    const found = await client.listComments(repository, 5);
    expect(found.map(({ id, body }) => [id, body.length])).toEqual([
      [1, 1],
      [2, LONGEST_TEXT],
      [3, 1],
    ]);
  });
});

test('reviews, which know pages: a page that is too long is asked for in shorter ones', async () => {
  const all = Array.from({ length: 40 }, (_, id) => ({
    ...comment(id + 1, 'y'.repeat(MEGABYTE)),
    state: 'COMMENT',
    submitted_at: '2026-05-04T10:00:00Z',
    comments_count: 0,
  }));
  const { client, seen } = await forge(({ query }) => {
    const [page, limit] = [Number(query.get('page')), Number(query.get('limit'))];
    return { json: all.slice((page - 1) * limit, page * limit) };
  });
  const found = await client.listReviews(repository, 5);
  expect(found.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  expect(seen.map(({ query }) => query.get('limit'))).toContain('25');
});

test('a log without end to speak of is read at its end', async () => {
  const { client } = await forge(() => ({ text: `${'x'.repeat(40_000_000)}the error` }));
  const log = await client.readLog(repository, 4, 9);
  expect(log).toEqual({ kind: 'log', text: 'the error', cut: true });
});
