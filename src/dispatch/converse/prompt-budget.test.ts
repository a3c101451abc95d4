import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DispatchContext } from '../screen/context.ts';
import { type Budgeted, readTexts, withinBudget } from './prompt-budget.ts';

const eve = { id: 9, login: 'eve' };
const comment = (id: number, body: string) => ({ id, author: eve, body });
const woken = (id: number, body: string) => ({
  event: { item: { body: 'The description.' }, comment: { id, body }, review: null },
});

function budgeted(parts: Partial<Budgeted>): Budgeted {
  return { item: { number: 5, body: 'The description.' }, comments: [], reviews: [], messages: [], ...parts };
}

function lengthOf({ item, comments, reviews, messages }: Budgeted): number {
  const texts = [
    item.body,
    ...comments.map((c) => c.body),
    ...reviews.flatMap((r) => [r.body, ...r.inline.map((i) => i.body)]),
    ...messages.flatMap(({ event }) => [event.comment?.body ?? '', event.review?.body ?? '']),
  ];
  return texts.reduce((sum, text) => sum + text.length, 0);
}

async function texts(bodies: string[]): Promise<Awaited<ReturnType<typeof readTexts>>> {
  const comments = bodies.map((body, id) => comment(id, body));
  const item = { body: '' };
  return await readTexts({
    item,
    comments,
    reviews: [],
    messages: [],
    elsewhere: [],
  } as unknown as DispatchContext);
}

describe('one text', () => {
  test('is shown whole while it is of a usual length', async () => {
    const body = 'word '.repeat(3_000).trim();
    expect((await texts([body])).body(body)).toBe(body);
  });

  test('is cut in its middle and says how much is missing: a log tells at its end what went wrong', async () => {
    const log = `begin ${'step '.repeat(8_000)}the error`;
    const shown = (await texts([log])).body(log);
    expect(shown.length).toBeLessThan(16_200);
    expect(shown).toMatch(
      /^begin step[\s\S]*\n\[cut by claude-hooks: 24015 characters are left out here\]\n[\s\S]*the error$/,
    );
  });

  test('of any length costs no more than its beginning, and says that it goes on', async () => {
    const log = 'x'.repeat(25 << 20);
    const shown = (await texts([log])).body(log);
    expect(shown).toContain('and all behind the first 64 KiB, are left out here]');
    expect(shown.length).toBeLessThan(12_200);
  });

  test('what was taken out of it is said once, by kind and number', async () => {
    const bodies = ['a <!-- KEYS -->', 'b <!-- KEYS -->', 'c'];
    const read = await texts(bodies);
    expect(read.removedFrom(bodies)).toContain('2 HTML comments (26 characters)');
    expect(read.removedFrom(['c'])).toBeNull();
  });
});

describe('a prompt', () => {
  test('shows what woke the agent whatever else there is, then the newest; the rest is named', () => {
    const comments = Array.from({ length: 100 }, (_, id) => comment(id + 1, `${id + 1} `.repeat(1_000)));
    const message = woken(1, comments[0]!.body);
    const { shown, notes } = withinBudget(budgeted({ comments, messages: [message] }), true);
    expect(shown.comments[0]!.id).toBe(1);
    expect(shown.comments.at(-1)!.id).toBe(100);
    expect(shown.comments.length).toBeGreaterThan(20);
    expect(notes).toHaveLength(1);
    const left = 100 - shown.comments.length;
    expect(notes[0]).toContain(`There was no room for ${left} older comments: ${left - 20} more and `);
    expect(notes[0]).toContain('by eve (');
    expect(notes[0]).toContain('`mcp__forge__list_comments` (number 5)');
  });

  test('of many who woke it shows the newest whole and of each other the first words', () => {
    const messages = Array.from({ length: 50 }, (_, id) => woken(id, `${id} ${'y'.repeat(15_000)}`));
    const comments = messages.map(({ event }) => comment(event.comment.id, event.comment.body));
    const { shown } = withinBudget(budgeted({ comments, messages }), true);
    expect(shown.comments.map(({ id }) => id)).toEqual(comments.map(({ id }) => id));
    expect(shown.comments.at(-1)!.body).toBe(comments.at(-1)!.body);
    expect(shown.comments[0]!.body).toMatch(/^0 y{398}\n\[cut by claude-hooks: this prompt has no room/);
    expect(lengthOf(shown)).toBeLessThan(2 * 160_000);
  });

  test('stays below its bound for any number of texts of any length', () => {
    const body = fc.nat({ max: 16_000 }).map((length) => 'z'.repeat(length));
    const entry = fc.tuple(fc.nat({ max: 10_000 }), body).map(([id, text]) => comment(id, text));
    const review = fc.tuple(entry, fc.array(body, { maxLength: 5 })).map(([head, inline]) => ({
      ...head,
      inline: inline.map((text) => ({ path: 'a', body: text })),
    }));
    const parts = fc.record({
      item: fc.record({ number: fc.constant(5), body }),
      comments: fc.array(entry, { maxLength: 60 }),
      reviews: fc.array(review, { maxLength: 20 }),
      messages: fc.array(
        entry.map(({ id, body: text }) => woken(id, text)),
        { maxLength: 20 },
      ),
    });
    fc.assert(
      fc.property(parts, fc.boolean(), (all, hasItem) => {
        const { shown, notes } = withinBudget<Budgeted>(all, hasItem);
        expect(lengthOf(shown)).toBeLessThan(2 * 130_000);
        expect(notes.join('').length).toBeLessThan(5_000);
      }),
      { seed: 20, numRuns: 100 },
    );
  });
});
