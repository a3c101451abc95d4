import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { commentEvent } from '../../test/support/sample-events.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { endStack, keepStack, openStacks, wakeStacks } from './stacks.ts';

const NOW = 1_000_000;

function stack(conversation: string, parent: number) {
  return {
    conversation_id: conversation,
    agent: 'dev',
    forge: 'home',
    repository_id: '3',
    repository_name: 'team/shop',
    parent,
    parent_branch: `dev/${parent}`,
    parent_head: 'a'.repeat(40),
    look_at: NOW + 600_000,
  };
}

function merged(number: number): ForgeEvent {
  const event = commentEvent('hello');
  const repository = { ...event.repository, id: '3' };
  return { ...event, name: 'pull.merged', repository, item: { ...event.item!, number } } as ForgeEvent;
}

describeDatabases('stacks', (open) => {
  test('a merge wakes what stands on it, and nothing else', async () => {
    const { rows } = await open();
    await keepStack(rows, stack('one', 2));
    await keepStack(rows, stack('two', 4));
    await wakeStacks(rows, merged(2), NOW);
    await wakeStacks(rows, { ...merged(4), name: 'pull.closed' } as ForgeEvent, NOW);
    const due = (await openStacks(rows)).filter(({ look_at }) => Number(look_at) <= NOW);
    expect(due.map((one) => one.conversation_id)).toEqual(['one']);
  });

  test('what has ended stays so, until it stands on another', async () => {
    const { rows } = await open();
    await keepStack(rows, stack('one', 2));
    expect(await endStack(rows, 'one', NOW)).toBe(true);
    expect(await endStack(rows, 'one', NOW)).toBe(false);
    await keepStack(rows, stack('one', 2));
    expect(await openStacks(rows)).toEqual([]);
    await keepStack(rows, stack('one', 9));
    expect((await openStacks(rows)).map(({ parent }) => parent)).toEqual([9]);
  });
});
