import { afterEach, describe, expect, test } from 'vitest';
import { forge, repository, stopForges, TOKEN } from '../../../test/fixtures/scripted-forge.ts';
import { ForgeMissing, ForgeRefused, ForgeUnavailable } from '../../errors.ts';
import { createGiteaFamilyClient } from './client.ts';

afterEach(stopForges);

const ada = { id: 11, login: 'ada' };
const comment = (id: number) => ({
  id,
  user: ada,
  body: `comment ${id}`,
  html_url: `https://forge.example.org/c/${id}`,
  created_at: '2026-05-04T10:00:00Z',
  updated_at: '2026-05-04T10:00:00Z',
});
describe('a call', () => {
  test('goes to the sub path of the url, with the token in its header and nowhere else', async () => {
    const { client, seen } = await forge(() => ({ json: { ...ada, is_admin: false } }));
    expect(await client.self()).toEqual(ada);
    expect(seen).toMatchObject([
      { method: 'GET', path: '/user', headers: { authorization: `token ${TOKEN}` } },
    ]);
    expect([...seen[0]!.query]).toEqual([]);
  });

  test('writes JSON', async () => {
    const { client, seen } = await forge(() => ({ status: 201, json: comment(7) }));
    expect(await client.createComment(repository, 5, 'Ünïcode ✓')).toMatchObject({ id: 7, author: ada });
    expect(seen).toMatchObject([
      {
        method: 'POST',
        path: '/repos/orchard/pears/issues/5/comments',
        headers: { 'content-type': 'application/json' },
        body: { body: 'Ünïcode ✓' },
      },
    ]);
  });

  test('to a renamed repository finds the new name by id and is repeated once, as a POST', async () => {
    const { client, seen } = await forge(({ path }) => {
      if (path === '/repositories/42') return { json: { id: 42, full_name: 'orchard/apples' } };
      if (path.startsWith('/repos/orchard/apples/')) return { status: 201, json: comment(8) };
      return { status: 301, headers: { location: '/git/api/v1/repos/orchard/apples/issues/5/comments' } };
    });
    expect((await client.createComment(repository, 5, 'hi')).id).toBe(8);
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /repos/orchard/pears/issues/5/comments',
      'GET /repositories/42',
      'POST /repos/orchard/apples/issues/5/comments',
    ]);
    expect(seen[2]!.body).toEqual({ body: 'hi' });
  });

  test('never follows a redirect, so the token stays with the forge', async () => {
    const elsewhere = await forge(() => ({ json: ada }));
    const location = `${elsewhere.url}api/v1/user?token=x`;
    const { client } = await forge(() => ({ status: 307, headers: { location } }));
    const refusal = await client.self().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ForgeRefused);
    expect((refusal as Error).message).toContain(`307 to ${elsewhere.url}api/v1/user.`);
    await expect(client.getItem(repository, 1)).rejects.toThrow(/Set the forge's url/);
    expect(elsewhere.seen).toEqual([]);
  });

  test('getRepository asks by id, because another repository may have taken the name', async () => {
    const json = {
      id: 42,
      full_name: 'orchard/apples',
      default_branch: 'trunk',
      clone_url: 'https://x/a.git',
    };
    const { client, seen } = await forge(() => ({ json }));
    expect(await client.getRepository(repository)).toEqual({
      id: '42',
      fullName: 'orchard/apples',
      defaultBranch: 'trunk',
      cloneUrl: 'https://x/a.git',
      htmlUrl: '',
      private: true,
    });
    expect(seen[0]!.path).toBe('/repositories/42');
  });
});

describe('an error', () => {
  test.each([
    [401, ForgeRefused, /token is valid/],
    [403, ForgeRefused, /write:issue/],
    [405, ForgeRefused, /repeating it changes nothing/],
    [409, ForgeRefused, /there already/],
    [422, ForgeRefused, /repeating it changes nothing/],
    [423, ForgeRefused, /Unarchive/],
    [404, ForgeMissing, /may see it/],
    [429, ForgeUnavailable, /Wait/],
    [500, ForgeUnavailable, /log of the forge/],
    [503, ForgeUnavailable, /log of the forge/],
  ])(
    '%i: its class, the call, the forge’s words, the remedy, and never the token',
    async (status, kind, remedy) => {
      const message = `no,\n  not with ${TOKEN}`;
      const { client } = await forge(() => ({ status, json: { message, url: 'https://docs' } }));
      const error = await client.createComment(repository, 5, 'x').catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(kind);
      const sentence = (error as Error).message;
      expect(sentence).toContain(
        `home: POST /repos/orchard/pears/issues/5/comments answered ${status} (“no, not with [redacted]”).`,
      );
      expect(sentence).toMatch(remedy);
      expect(sentence).not.toContain(TOKEN);
      if (!(error instanceof ForgeMissing)) expect(error).toMatchObject({ status });
    },
  );

  test('403 names the scope of the route: pull requests are repository, comments on them are issue', async () => {
    const { client } = await forge(() => ({ status: 403, text: '<html>no</html>' }));
    const pullRequest = { title: 't', body: '', head: 'h', base: 'b' };
    await expect(client.openPull(repository, pullRequest)).rejects.toThrow(/scope write:repository/);
    await expect(client.listComments(repository, 6)).rejects.toThrow(/scope read:issue/);
    await expect(client.self()).rejects.toThrow(/scope read:user/);
  });

  test('Retry-After is read as seconds and as a date', async () => {
    const after = ['17', new Date(Date.now() + 60_000).toUTCString(), 'soon'];
    const { client } = await forge(() => ({ status: 429, headers: { 'retry-after': after.shift()! } }));
    const wait = async () =>
      ((await client.self().catch((e: unknown) => e)) as ForgeUnavailable).retryAfterSeconds;
    expect(await wait()).toBe(17);
    const seconds = (await wait())!;
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(await wait()).toBeNull();
  });

  test('no answer in time, no server, and no JSON mean "later"', async () => {
    const slow = await forge(() => 'hang', { timeoutMs: 50 });
    await expect(slow.client.self()).rejects.toThrow(ForgeUnavailable);
    await expect(slow.client.self()).rejects.toThrow(/GET \/user got no answer: it took too long/);
    const gone = await forge(() => ({ json: ada }));
    await stopForges();
    await expect(gone.client.self()).rejects.toThrow(/ECONNREFUSED/);
    await expect(gone.client.self()).rejects.toThrow(ForgeUnavailable);
    const page = await forge(() => ({ text: '<html>maintenance</html>' }));
    await expect(page.client.self()).rejects.toThrow(ForgeUnavailable);
  });

  test('JSON of something else is refused; 204 where an object was asked for is missing', async () => {
    const other = await forge(() => ({ json: { hello: 'world' } }));
    await expect(other.client.self()).rejects.toThrow(ForgeRefused);
    const empty = await forge(() => ({ status: 204 }));
    await expect(empty.client.getItem(repository, 5)).rejects.toThrow(ForgeMissing);
  });
});

describe('lists', () => {
  test('a page shorter than the limit is not the last one: the server may have cut the limit', async () => {
    const pages = [[1, 2], [3, 4], [5], []];
    const { client, seen } = await forge(({ query }) => ({
      json: pages[Number(query.get('page')) - 1]!.map(comment),
    }));
    expect((await client.listComments(repository, 5)).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
    expect(seen.map(({ query }) => query.get('page'))).toEqual(['1', '2', '3', '4']);
  });

  test('X-Total-Count ends a list without another question; null is an empty list', async () => {
    const counted = await forge(() => ({ headers: { 'x-total-count': '2' }, json: [2, 1].map(comment) }));
    expect((await counted.client.listComments(repository, 5)).map(({ id }) => id)).toEqual([1, 2]);
    expect(counted.seen).toHaveLength(1);
    const none = await forge(() => ({ text: 'null' }));
    expect(await none.client.listComments(repository, 5)).toEqual([]);
  });

  test('a list that knows no pages answers all of it each time, and does not go on for ever', async () => {
    const { client, seen } = await forge(() => ({ json: [1, 2, 3].map(comment) }));
    expect(await client.listComments(repository, 5)).toHaveLength(3);
    expect(seen).toHaveLength(2);
  });
});

test('an answer without end is given up, and is no reason to try again', async () => {
  const endless: typeof fetch = async () =>
    new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(1 << 20)) }));
  const account = { name: 'home', url: 'http://127.0.0.1:9', token: 't', fetch: endless };
  const call = createGiteaFamilyClient(account).readLog({ id: '1', fullName: 'a/b' }, 4, 10);
  await expect(call).rejects.toThrow(/more than 256 MiB/);
  await expect(call).rejects.toBeInstanceOf(ForgeRefused);
});
