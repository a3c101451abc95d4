import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { conversationOn } from '../../test/support/mailbox.ts';
import type { Item } from '../forges/forge.ts';
import { itemKey } from '../item-key.ts';
import { findConversation } from '../mailbox/conversations.ts';
import { once } from './effects.ts';
import {
  choosePull,
  joinPull,
  OPEN_PULL_TOOL,
  openedEarlier,
  readyForReview,
  withoutDraftPrefix,
} from './pulls.ts';

test.each([
  ['ours, into its base', ['ours main 1', 'ours next 2'], 1],
  ['ours, although somebody changed its base', ['ours next 2', 'theirs main 3'], 2],
  ["somebody else's into the same base, which is in the way", ['theirs main 3', 'theirs next 4'], 3],
  ["not somebody else's into another base", ['theirs next 4'], null],
])('of the open ones of a branch: %s', (_what, pulls, expected) => {
  const items = pulls.map((words) => {
    const [login, baseRef, number] = words.split(' ');
    return { number: Number(number), author: { id: 1, login }, pull: { baseRef } } as Item;
  });
  const chosen = choosePull(items, { base: 'main', isOurs: ({ login }) => login === 'ours' });
  expect(chosen?.number ?? null).toBe(expected);
});

describeDatabases('pull requests of a conversation', (open) => {
  const stage = async () => {
    const database = await open();
    const conversation = await conversationOn(database.rows);
    const deps = { database, now: () => 5, assertMine: async () => {} };
    const now = { dispatchId: 'd2', conversationId: conversation.id };
    const opened = async (dispatchId: string, kind: 'pull' | typeof OPEN_PULL_TOOL) =>
      await once(deps, {
        dispatchId,
        conversationId: conversation.id,
        kind,
        request: {},
        find: async () => null,
        perform: async () => ({ number: 13 }),
      });
    return { deps, now, opened, conversation };
  };

  test.each([
    ['by nothing', [], false],
    ['by the publication under way', [['d2', 'pull']], false],
    ['by an earlier publication', [['d1', 'pull']], true],
    ['by the agent in this very run', [['d2', OPEN_PULL_TOOL]], true],
  ] as [string, ['d1' | 'd2', 'pull' | typeof OPEN_PULL_TOOL][], boolean][])(
    'opened %s',
    async (_by, effects, expected) => {
      const { deps, now, opened } = await stage();
      for (const [dispatchId, kind] of effects) await opened(dispatchId, kind);
      expect(await openedEarlier(deps, now)).toBe(expected);
    },
  );

  test('a pull request that joined is found as the conversation', async () => {
    const { deps, now, conversation } = await stage();
    const repository = { id: conversation.repository_id, fullName: 'team/shop' };
    const pull = { forge: 'home', repository, number: 13 };
    await joinPull(deps, { key: now, agent: 'dev' }, pull);
    await joinPull(deps, { key: now, agent: 'dev' }, pull);
    const found = await findConversation(deps.database.rows, {
      item: itemKey(pull, { kind: 'pull', number: pull.number }),
      agent: 'dev',
    });
    expect(found?.id).toBe(conversation.id);
  });
});

test.each([
  ['WIP: Mend totals', 'Mend totals'],
  ['[wip] Draft: (WIP)Mend', 'Mend'],
  ['Wipe the draft: now', 'Wipe the draft: now'],
  ['Mend WIP: totals', 'Mend WIP: totals'],
])('an issue called %j gives a pull request called %j', (title, expected) => {
  expect(withoutDraftPrefix(title)).toBe(expected);
});

test('a prefix that only the server knows makes no draft either', async () => {
  const changed: unknown[] = [];
  const forge = { updatePull: async (...args: unknown[]) => void changed.push(args) as never };
  const repository = { id: '1', fullName: 'a/b' };
  const pull = { number: 6, title: 'PoC Mend', pull: { draft: true } } as never;
  expect(await readyForReview({ forge }, { repository, closes: 5 }, pull)).toEqual({ number: 6 });
  expect(changed).toEqual([[repository, 6, { title: '#5: PoC Mend' }]]);
  await readyForReview({ forge }, { repository, closes: 5 }, { number: 6, title: 'x', pull: null });
  expect(changed).toHaveLength(1);
});
