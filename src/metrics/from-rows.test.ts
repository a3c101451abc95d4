import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { conversationOn, LEASE_MS, lease, NOW, say } from '../../test/support/mailbox.ts';
import { leaseForAttach } from '../mailbox/attaching.ts';
import { carryHanded, noteTaken, steeringMessages } from '../mailbox/handing.ts';
import { cancelTimers, setTimer, timersOf } from '../mailbox/timers.ts';
import type { FamilyName } from './families.ts';
import { samplesFromRows } from './from-rows.ts';

describeDatabases('what reaches runs that are under way, and later', (open) => {
  test('words handed over, wishes to be woken and people at a terminal are counted', async () => {
    const database = await open();
    const { rows } = database;
    const values = async (name: FamilyName) => {
      const found = (await samplesFromRows(database, NOW)).find(([one]) => one === name)![1];
      return Object.fromEntries(
        found.map(({ labels, value }) => [Object.values(labels)[0] ?? 'all', value] as const),
      );
    };
    expect(await values('claude_hooks_messages_handed')).toEqual({ yes: 0, no: 0 });
    expect(await values('claude_hooks_attached')).toEqual({ all: 0 });
    const conversation = await conversationOn(rows, { number: 1 });
    await say(rows, conversation);
    const held = await lease(database);
    for (const input of ['input-1', 'input-2']) {
      await say(rows, conversation);
      const messages = (await steeringMessages(rows, conversation.id)).map(({ id }) => id);
      await carryHanded(database, held, { messages, input, now: NOW });
    }
    await noteTaken(database, held, { input: 'input-1', now: NOW });
    const limits = { most: 3, shortestMs: 1000, longestMs: 3_600_000 };
    for (const call of ['a', 'b', 'c']) {
      await setTimer(database, held, { reason: 'Look.', dueAt: NOW + 60_000, call, limits, now: NOW });
    }
    await cancelTimers(rows, { ids: [(await timersOf(rows))[0]!.id], by: 'ada', now: NOW });
    const other = await conversationOn(rows, { number: 2 });
    const request = {
      conversationId: other.id,
      worker: 'attach:1',
      by: 'grace',
      now: NOW,
      leaseMs: LEASE_MS,
    };
    await leaseForAttach(database, request);
    expect(await values('claude_hooks_messages_handed')).toEqual({ yes: 1, no: 1 });
    expect(await values('claude_hooks_timers')).toEqual({ waiting: 2, cancelled: 1 });
    expect(await values('claude_hooks_attached')).toEqual({ all: 1 });
  });
});
