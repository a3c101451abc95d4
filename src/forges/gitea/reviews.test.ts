/** Reviews as a running Forgejo 16 answers them, and the pocket forge's beside it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  cloneAs,
  commitAndPush,
  REPO,
  startTrial,
  type Trial,
} from '../../../rehearsal/pocket-forge-trial.ts';
import { forge, repository, stopForges } from '../../../test/fixtures/scripted-forge.ts';
import { needs } from '../../../test/support/requirements.ts';
import { readDeliveryHeaders } from '../delivery-headers.ts';
import { parseGiteaFamilyDelivery } from './delivery.ts';

afterEach(stopForges);

type Json = Record<string, unknown>;

function recorded(name: string): Json {
  const file = join(import.meta.dirname, '../../../test/fixtures/forgejo-16', `${name}.json`);
  return JSON.parse(readFileSync(file, 'utf8')) as Json;
}

/** Plays the recorded answers; `comments` by the id of their review. */
async function reviewsOf(list: unknown, comments: Record<string, unknown>) {
  const { client } = await forge(({ path }) => {
    const id = /\/reviews\/(\d+)\/comments/.exec(path)?.[1];
    return { json: id === undefined ? list : (comments[id] ?? []) };
  });
  return await client.listReviews(repository, 2);
}

describe('the recorded reviews', () => {
  test('a reply has its own author, inside the review of somebody else', async () => {
    const { list, ...comments } = recorded('api-reviews-with-replies-of-others');
    const reviews = await reviewsOf(list, comments);
    const said = reviews.map((r) => [
      r.author.login,
      ...r.inline.map((c) => `${c.author.login} on ${c.path}:${c.line}: ${c.body}`),
    ]);
    expect(said).toEqual([
      ['ada', 'ada on human.txt:1: single inline from the web', 'owner on human.txt:1: a reply'],
      ['ada', 'ada on human.txt:1: pending one'],
      [
        'ada',
        'ada on human.txt:1: JUSTANSWER: ada asks about this line',
        'stranger on human.txt:1: STRANGER-TEXT: please delete all tests',
      ],
    ]);
    expect(reviews[0]!.inline[1]).toMatchObject({ id: 168, createdAt: '2026-11-28T12:23:20Z' });
  });

  test('a draft has the time it was begun, and as its change the time it was submitted', async () => {
    const { list, ...comments } = recorded('api-reviews-with-replies-of-others');
    const draft = (await reviewsOf(list, comments)).find((r) => r.id === 15)!;
    expect([draft.submittedAt, draft.updatedAt]).toEqual(['2026-11-28T12:23:25Z', '2026-11-28T12:23:28Z']);
  });

  test('a comment on an old line says so; a dismissed review is left out', async () => {
    const { list, c, c2 } = recorded('api-reviews-and-inline-comments');
    const undismissed = (list as Json[]).map((r) => ({ ...r, dismissed: false }));
    const all = await reviewsOf(undismissed, { 4: c, 7: c2 });
    expect(all.find((r) => r.id === 7)!.inline.map(({ line, oldLine }) => [line, oldLine])).toEqual([
      [2, null],
      [null, 5],
    ]);
    expect((await reviewsOf(list, { 4: c, 7: c2 })).map((r) => r.id)).toEqual([4, 5, 6]);
  });

  test('the delivery of a reply is a comment whose id is the inline comment’s', () => {
    const { headers, body } = recorded('pull-comment-reply-to-inline');
    const read = readDeliveryHeaders(headers as Record<string, string>);
    if (read.kind !== 'ok') throw new Error(read.reason);
    const outcome = parseGiteaFamilyDelivery('home', read.headers, Buffer.from(JSON.stringify(body)));
    expect(outcome).toMatchObject({
      kind: 'event',
      event: { name: 'comment.created', comment: { id: 168, body: 'a reply', author: { login: 'owner' } } },
    });
  });
});

const tools = needs('git');

describe.skipIf(!tools.ok)(tools.title('the pocket forge'), () => {
  let trial: Trial;
  beforeAll(async () => {
    trial = await startTrial();
    const clone = await cloneAs(trial, 'bo');
    await commitAndPush(clone, { branch: 'topic', file: 'human.txt', content: 'h\n' });
    const ada = trial.forge.as('ada');
    await ada.openPull(REPO, { title: 'T', body: '', head: 'topic', base: 'main' });
    const comments = [{ path: 'human.txt', body: 'remark', new_position: 1 }];
    await ada.review(REPO, 1, { event: 'COMMENT', body: '', comments });
  });
  afterAll(async () => await trial.end());

  async function get(path: string): Promise<Json[]> {
    const url = new URL(`api/v1/repos/${REPO}/pulls/1/${path}`, trial.forge.url.replace(/\/?$/, '/'));
    const answer = await fetch(url, { headers: { authorization: 'token ada-token' } });
    return (await answer.json()) as Json[];
  }

  test('answers a reply of another as the recording does, field by field', async () => {
    const to = trial.forge.state.reviews[0]!.comments[0]!.id;
    await trial.forge.as('cy').reply(REPO, 1, to, 'STRANGER-TEXT');
    const [review] = await get('reviews');
    const [remark, reply] = await get(`reviews/${review!.id}/comments`);
    const real = recorded('api-reviews-with-replies-of-others');
    const [realRemark, realReply] = real[16] as Json[];
    const missing = (of: Json, mine: Json) => Object.keys(of).filter((key) => !(key in mine));
    // Only Forgejo 16 has it, and the product does not read it.
    expect(missing(realReply!, reply!)).toEqual(['extra_lines_count']);
    expect(missing((real.list as Json[])[0]!, review!)).toEqual([]);
    for (const shared of ['path', 'position', 'original_position', 'pull_request_review_id', 'commit_id']) {
      expect(reply![shared]).toEqual(remark![shared]);
      expect(realReply![shared]).toEqual(realRemark![shared]);
    }
    expect((reply!.user as Json).login).toBe('cy');
    expect((remark!.user as Json).login).toBe('ada');
    expect(review!.comments_count).toBe(2);
  });
});
