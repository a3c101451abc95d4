import { expect, test } from 'vitest';
import type { Comment, Forge, Item, Review } from '../../forges/forge.ts';
import { asideSet, forgeWithoutTexts, textsThatWoke } from './set-aside.ts';

const REFUSED = 'marker-refused';
const FINE = 'marker-fine';

/** Only what is read here. */
const forge = {
  getItem: async (_: unknown, number: number) => ({ number, body: FINE }) as Item,
  listComments: async () => [{ id: 4, body: `${REFUSED}\n` } as Comment, { id: 5, body: FINE } as Comment],
  listReviews: async () => [
    {
      body: REFUSED,
      inline: [
        { id: 4, body: REFUSED },
        { id: 9, body: FINE },
      ],
    } as Review,
  ],
} as unknown as Forge;

type Woken = Parameters<typeof textsThatWoke>[0];
const woken = (event: object, reviews: object[] = []): Woken =>
  ({
    messages: [{ event: { item: null, comment: null, review: null, ...event } }],
    reviews,
    elsewhere: [],
  }) as never;

const repository = { id: '1', fullName: 'ada/greeter' };

test('a comment that was set aside is shown by no tool, and the others are', async () => {
  const aside = asideSet(textsThatWoke(woken({ comment: { id: 4, body: REFUSED } })));
  const read = forgeWithoutTexts(forge, aside);
  expect((await read.getItem(repository, 4)).body).toBe(FINE);
  const [four, five] = await read.listComments(repository, 1);
  expect(four!.body).toMatch(/^\[set aside by claude-hooks: the model would not take this text/);
  expect(five!.body).toBe(FINE);
  // Another text under the same number is another text.
  expect((await read.listReviews(repository, 1))[0]!.inline[0]!.body).toBe(REFUSED);
});

test('so are the words of a review with its remarks, and a description', async () => {
  const review = { body: REFUSED, inline: [{ id: 4, body: REFUSED }] };
  const aside = asideSet([
    ...textsThatWoke(woken({ review }, [review])),
    ...textsThatWoke(woken({ item: { number: 4, body: FINE } })),
  ]);
  const read = forgeWithoutTexts(forge, aside);
  const [shown] = await read.listReviews(repository, 1);
  expect(JSON.stringify(shown)).not.toContain(REFUSED);
  expect(shown!.inline[1]!.body).toBe(FINE);
  expect((await read.getItem(repository, 4)).body).toContain('set aside');
  expect((await read.getItem(repository, 6)).body).toBe(FINE);
});
