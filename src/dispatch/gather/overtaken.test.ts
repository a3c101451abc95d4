import { expect, test } from 'vitest';
import { ciFailedEvent } from '../../../test/support/sample-events.ts';
import type { Item, Review } from '../../forges/forge.ts';
import type { CarriedMessage } from './messages.ts';
import { overtakenIn } from './overtaken.ts';

const HEAD = 'a'.repeat(40);

function message(act: string | null): CarriedMessage {
  return {
    id: 'm',
    deliveryId: 'd',
    event: ciFailedEvent(),
    with: act === null ? {} : { decision: { act } },
    flow: 'f',
    skill: 's',
    priority: 50,
    receivedAt: 1,
  };
}

async function why(act: string | null, o: { reviewed?: string; merged?: boolean; mergeable?: boolean }) {
  const pull = { headSha: HEAD, merged: o.merged ?? false, mergeable: o.mergeable ?? false };
  const reviews = o.reviewed === undefined ? [] : [{ author: { id: 21, login: 'x' }, commitId: o.reviewed }];
  const evidence = {
    item: async () => ({ pull }) as unknown as Item,
    reviews: async () => reviews as unknown as Review[],
  };
  const found = await overtakenIn([message(act)], { evidence, isSelf: ({ id }) => id === 21 });
  return found.get('m') ?? null;
}

test('a review of a head that has its review by now is not made again', async () => {
  expect(await why('review', { reviewed: HEAD })).toMatch(/has its review/);
  expect(await why('review', { reviewed: 'b'.repeat(40) })).toBeNull();
  // Somebody asked for it: that is no decision of the table.
  expect(await why(null, { reviewed: HEAD })).toBeNull();
});

test('nothing is done on what was merged meanwhile, and no conflict solved that is none any more', async () => {
  expect(await why('merge', { merged: true })).toMatch(/is merged/);
  expect(await why('rebase', { mergeable: true })).toMatch(/does not conflict/);
  expect(await why('rebase', {})).toBeNull();
  expect(await why('merge', {})).toBeNull();
});
