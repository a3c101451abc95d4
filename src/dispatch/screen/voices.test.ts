/** Whose words a text is when somebody else has edited it: screened from plain data, and told by stored deliveries. */
import { describe, expect, test } from 'vitest';
import { describeDatabases } from '../../../test/support/databases.ts';
import {
  inlineOf,
  materialOf,
  messageOf,
  shownTo,
  strangersIn,
} from '../../../test/support/prompt-context.ts';
import {
  alice,
  commentEvent,
  devBot,
  reviewBot,
  reviewRequestedEvent,
} from '../../../test/support/sample-events.ts';
import type { Snapshot } from '../../flows/changes.ts';
import type { Comment, Item, Review } from '../../forges/forge.ts';
import { acceptDelivery } from '../../inbox.ts';
import type { ForgeEvent } from '../../vocabulary.ts';
import { labelOf } from '../../voices.ts';
import { toldEdits } from './edits.ts';
import { screenTexts } from './pinned-text.ts';

const eve = { id: 66, login: 'eve' };
const OLD = '2025-12-01T00:00:00Z';
const EDITED = '2025-12-02T00:00:00Z';
const trusted = new Set([alice.id, devBot.id, reviewBot.id]);

function comment(id: number, author: Comment['author'], updatedAt = OLD): Comment {
  return { id, author, body: `comment ${id}`, htmlUrl: '', createdAt: OLD, updatedAt };
}

function screen(o: {
  event?: ForgeEvent;
  comments?: Comment[];
  reviews?: Review[];
  author?: Comment['author'];
  edits?: ForgeEvent[];
  writers?: boolean;
}) {
  const event = o.event ?? commentEvent('@dev-bot go');
  return screenTexts({
    item: { ...event.item!, author: o.author ?? alice, updatedAt: OLD, pull: null } as Item,
    comments: o.comments ?? [],
    reviews: o.reviews ?? [],
    messages: [messageOf(event)],
    vouching: { ids: trusted, writers: o.writers ?? true },
    edits: { events: o.edits ?? [], incomplete: false },
    isOurs: () => false,
  });
}

const edit = (id: number, sender: Comment['author'], author: Comment['author']): ForgeEvent => {
  const event = commentEvent('changed', { name: 'comment.edited', sender });
  return { ...event, comment: { ...event.comment!, id, author } };
};

describe('a comment that another edited', () => {
  test('is both of theirs: a stranger’s stays a stranger’s when somebody trusted edits it and so wakes the agent', () => {
    const event = edit(4, alice, eve);
    const { comments, ...text } = screen({ event, comments: [comment(4, eve, EDITED)] });
    expect(labelOf(comments[0]!.voice)).toBe('comment by eve, edited by alice (not trusted)');
    expect(comments[0]!.body).toBe('changed');
    expect(strangersIn({ ...text, comments }, [messageOf(event)])).toContain('eve');
  });

  test('is not trusted when a stranger edited it, as far as we were told', () => {
    const { comments } = screen({ comments: [comment(4, alice, EDITED)], edits: [edit(4, eve, alice)] });
    expect(labelOf(comments[0]!.voice)).toBe('comment by alice, edited by eve (not trusted)');
  });

  test('stays trusted when its author did, or somebody else who is', () => {
    for (const editor of [alice, reviewBot]) {
      const { comments } = screen({ comments: [comment(4, alice, EDITED)], edits: [edit(4, editor, alice)] });
      expect(comments[0]!.trusted).toBe(true);
    }
  });

  test('by nobody knows whom is trusted only where everybody who can edit may wake agents', () => {
    const comments = [comment(4, alice, EDITED)];
    expect(screen({ comments }).comments[0]!.trusted).toBe(true);
    const strict = screen({ comments, writers: false });
    expect(strict.comments[0]!.trusted).toBe(false);
    expect(strangersIn(strict)).toEqual(['whoever may have edited the comment of alice']);
  });
});

test('a title and a description are also whoever’s edited them', () => {
  const edited = { ...commentEvent(''), name: 'issue.edited' as const, comment: null, sender: eve };
  const { item } = screen({ edits: [edited] });
  expect([item.trusted, labelOf(item.voice), labelOf(item.titleVoice)]).toEqual([
    false,
    'description by alice, edited by eve (not trusted)',
    'title by alice, edited by eve (not trusted)',
  ]);
  expect(screen({ author: eve, edits: [{ ...edited, sender: alice }] }).item.trusted).toBe(false);
});

describe('a remark in a review', () => {
  const review = (inline: Review['inline'], over: Partial<Review> = {}): Review => ({
    id: 9,
    author: alice,
    verdict: 'commented',
    body: 'Look.',
    commitId: 'c',
    submittedAt: OLD,
    updatedAt: OLD,
    inline,
    ...over,
  });
  const at = { createdAt: OLD, updatedAt: OLD };
  const event = reviewRequestedEvent('review-bot');

  test('has its own author, whoever reviewed', () => {
    const inline = [inlineOf({ id: 1, author: alice, ...at }), inlineOf({ id: 2, author: eve, ...at })];
    const text = screen({ event, reviews: [review(inline)] });
    expect(text.reviews[0]!.inline.map((c) => c.trusted)).toEqual([true, false]);
    expect(strangersIn(text)).toEqual(['eve']);
  });

  test('without a time that proves it old is left out when it is a stranger’s', () => {
    const none = { createdAt: '', updatedAt: '' };
    const inline = [inlineOf({ id: 1, author: alice, ...none }), inlineOf({ id: 2, author: eve, ...none })];
    const { reviews, notes } = screen({ event, reviews: [review(inline)] });
    expect(reviews[0]!.inline.map((c) => c.id)).toEqual([1]);
    expect(notes).toEqual([expect.stringContaining('Inline comment 2 by eve (not trusted) is left out')]);
  });

  test('by somebody trusted stays when the stranger’s review around it is left out', () => {
    const late = '2027-01-01T00:00:00Z';
    const inline = [inlineOf({ id: 1, author: eve, ...at }), inlineOf({ id: 2, author: alice, ...at })];
    const { reviews } = screen({ event, reviews: [review(inline, { author: eve, updatedAt: late })] });
    expect(reviews).toMatchObject([{ body: '', inline: [{ id: 2 }] }]);
  });

  test('in the short form comes with what it replies to, also inside the agent’s own review', () => {
    const inline = [
      inlineOf({ id: 1, author: devBot, body: 'Why?', ...at }),
      inlineOf({ id: 2, author: alice, body: 'Because.', ...at }),
      inlineOf({ id: 3, author: eve, body: 'No.', ...at }),
    ];
    const told = { reviews: [review(inline, { author: devBot })], vouching: { ids: trusted, writers: true } };
    const seen = { ...NOTHING_SEEN, inlineIds: [2] };
    const { reviews } = shownTo(materialOf(event, { ...told, seen }), 'short');
    expect(reviews).toHaveLength(1);
    expect(reviews[0]!.known).toBe(true);
    expect(
      reviews[0]!.inline.map((c) => [c.body.fenced(undefined), c.replyTo?.body.fenced(undefined)]),
    ).toEqual([
      [
        '``` inline reply by eve (not trusted) to alice, on "src/sum.ts" line 4\nNo.\n```',
        '``` earlier inline comment by alice, on src/sum.ts line 4\nBecause.\n```',
      ],
    ]);
    // A row of an older release does not say what it showed.
    const old = shownTo(materialOf(event, { ...told, seen: NOTHING_SEEN }), 'short');
    expect(old.reviews).toEqual([]);
  });
});

const NOTHING_SEEN: Snapshot = {
  title: '',
  bodyHash: '',
  state: 'open',
  labels: [],
  assignees: [],
  commentIds: [],
  headSha: null,
  baseRef: null,
  draft: false,
  merged: false,
  reviews: [],
  ci: { state: 'none', failed: [] },
};

describeDatabases('edits we were told of', (open) => {
  test('are found by what they were about, whether a flow wanted them or not', async () => {
    const database = await open();
    // Without an event it is a row of an earlier release: the body tells it.
    const tell = async (
      key: string,
      sender: { id: number; login: string },
      object: object,
      n: number,
      event: ForgeEvent | null = null,
    ) => {
      const body = {
        action: 'edited',
        ...object,
        repository: { id: 3, full_name: 'team/shop' },
        sender,
        changes: { body: { from: 'x' } },
      };
      const { id } = await acceptDelivery(database.rows, {
        forge: 'home',
        forgeDeliveryId: `d${n}`,
        source: 'webhook',
        headers: {
          'x-forgejo-delivery': `d${n}`,
          'x-forgejo-event': 'comment' in object ? 'issue_comment' : 'issues',
          'x-forgejo-event-type': 'comment' in object ? 'issue_comment' : 'issues',
        },
        body: Buffer.from(JSON.stringify(body)),
        now: n,
      });
      await database.rows
        .insertInto('events')
        .values({
          id: `e${n}`,
          forge: 'home',
          semantic_key: `3:${key}:${'f'.repeat(32)}`,
          source: 'webhook',
          delivery_id: id,
          event: event === null ? null : JSON.stringify(event),
        })
        .execute();
    };
    const issue = { number: 12, user: alice, title: 't', body: 'b', pull_request: null };
    const edited: ForgeEvent = { ...commentEvent(''), name: 'issue.edited', comment: null, sender: eve };
    await tell('issue.edited:issue:12', eve, {}, 1, edited);
    await tell('issue.edited:issue:121', reviewBot, { issue: { ...issue, number: 121 } }, 2);
    const words = { id: 4, user: alice, body: 'y', created_at: OLD, updated_at: EDITED };
    await tell('comment.edited:comment:4', eve, { issue, comment: words }, 3);
    const item = { ...commentEvent('').item!, updatedAt: OLD, pull: null } as Item;
    const asked = { forge: 'home', repositoryId: '3', item, reviews: [] };
    const told = await toldEdits(database.rows, { ...asked, comments: [comment(4, alice, EDITED)] });
    expect(told.events.map((e) => [e.name, e.sender.login, e.comment?.id ?? null])).toEqual([
      ['issue.edited', 'eve', null],
      ['comment.edited', 'eve', 4],
    ]);
    expect(told.incomplete).toBe(false);
    // Nobody edited it, so nobody asks.
    expect((await toldEdits(database.rows, { ...asked, comments: [comment(4, alice)] })).events).toHaveLength(
      1,
    );
    expect(await toldEdits(database.rows, { ...asked, repositoryId: '4', comments: [] })).toEqual({
      events: [],
      incomplete: false,
    });
  });
});
