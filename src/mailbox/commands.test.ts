/** What becomes of commands, on the rows alone. */
import { describe, expect, test } from 'vitest';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { dispatchesIn, lease, messagesIn, NOW, tryLease, waitingOn } from '../../test/support/mailbox.ts';
import type { ConversationRow } from '../database/tables.ts';
import type { DispatchDeps } from '../dispatch/dispatch.ts';
import { Hint } from '../dispatch/hint.ts';
import { runDispatch } from '../dispatch.ts';
import { silentLog } from '../log.ts';
import type { CommandVerb } from '../vocabulary.ts';
import { openAsks } from './asks.ts';
import type { CommandResult } from './command.ts';
import { carryOut } from './commands.ts';
import { rescueExpired, settleDispatch } from './settlement.ts';

let ordinal = 0;

async function tell(
  database: TestDatabase,
  verb: CommandVerb,
  o: { conversation: ConversationRow; argument?: string; ordinal?: number },
): Promise<CommandResult | null> {
  ordinal += 1;
  const command = {
    cause: 'event',
    ordinal: o.ordinal ?? ordinal,
    source: 'forge' as const,
    verb,
    word: verb,
    argument: o.argument ?? '',
    by: 'ada',
    conversations: [o.conversation],
    now: NOW,
  };
  return await database.transaction((tx) => carryOut(tx, command));
}

const states = async ({ rows }: TestDatabase) => (await dispatchesIn(rows)).map(({ state }) => state);

describeDatabases('commands', (open) => {
  test('the same one is done once', async () => {
    const database = await open();
    const conversation = await waitingOn(database.rows);
    expect(await tell(database, 'cancel', { conversation, ordinal: 1000 })).toMatchObject({ done: true });
    expect(await tell(database, 'retry', { conversation, ordinal: 1001 })).toMatchObject({ done: true });
    expect(await tell(database, 'cancel', { conversation, ordinal: 1000 })).toBeNull();
    expect(await states(database)).toEqual(['cancelled', 'queued']);
  });

  test('cancel drops what waits, and retry brings its messages back', async () => {
    const database = await open();
    const conversation = await waitingOn(database.rows);
    await tell(database, 'cancel', { conversation });
    expect(await tryLease(database)).toBeNull();
    expect((await messagesIn(database.rows)).map(({ state, reason }) => [state, reason])).toEqual([
      ['declined', 'ada cancelled it'],
    ]);
    await tell(database, 'retry', { conversation });
    expect((await lease(database)).messages).toHaveLength(1);
    expect(await tell(database, 'retry', { conversation })).toMatchObject({
      done: false,
      answer: expect.stringContaining('at work'),
    });
  });

  test('retry goes on at once with what waits for a time, and again with what failed; nothing else', async () => {
    const database = await open();
    const conversation = await waitingOn(database.rows);
    const first = await lease(database);
    const settlement = { state: 'parked', reason: 'away', until: NOW + 600_000 } as const;
    await settleDispatch(database, first, { settlement, now: NOW });
    expect(await tryLease(database)).toBeNull();
    await tell(database, 'retry', { conversation });
    const second = await lease(database);
    await settleDispatch(database, second, { settlement: { state: 'failed', reason: 'x' }, now: NOW });
    expect(await openAsks(database.rows, 5)).toMatchObject([{ kind: 'failed', text: 'x' }]);
    await tell(database, 'retry', { conversation });
    expect(await openAsks(database.rows, 5)).toEqual([]);
    const third = await lease(database);
    expect(third.messages.map(({ id }) => id)).toEqual(second.messages.map(({ id }) => id));
    await settleDispatch(database, third, { settlement: { state: 'succeeded' }, now: NOW });
    expect(await tell(database, 'retry', { conversation })).toMatchObject({ done: false });
    expect(await states(database)).toEqual(['failed', 'succeeded']);
  });

  test('a run that was told to stop does not begin again after its worker died', async () => {
    const database = await open();
    const conversation = await waitingOn(database.rows);
    await lease(database);
    expect(await tell(database, 'cancel', { conversation })).toMatchObject({ done: true });
    await rescueExpired(database, { now: NOW, deadWorkers: ['worker-1'], reason: 'died' });
    const again = await lease(database);
    // Nothing else is there: a run that began would fail for want of a configuration.
    const deps = { database, now: () => NOW, log: silentLog, attempted: () => {} } as unknown as DispatchDeps;
    await runDispatch(again, deps, { signal: new AbortController().signal, routed: new Hint() });
    expect(await dispatchesIn(database.rows)).toMatchObject([
      { state: 'cancelled', reason: 'ada cancelled it' },
    ]);
  });

  test('hold and resume, and what explain says of it', async () => {
    const database = await open();
    const conversation = await waitingOn(database.rows);
    await tell(database, 'hold', { conversation, argument: 'until Monday' });
    expect(await tryLease(database)).toBeNull();
    const explained = await tell(database, 'explain', { conversation });
    expect(explained!.answer).toBe(
      'I was asked something here and have not begun yet. On hold since 1970-01-01 00:16 UTC: ada asked for it (“until Monday”). `/claude resume` in a comment lets me go on. I have ended nothing here yet.',
    );
    expect(await tell(database, 'resume', { conversation })).toMatchObject({ done: true, isAsked: false });
    expect(await tell(database, 'resume', { conversation })).toMatchObject({ done: false });
    expect(await tryLease(database)).not.toBeNull();
  });

  test('an answer that was refused is an ask until a later answer is given', async () => {
    const database = await open();
    await waitingOn(database.rows);
    const first = await lease(database);
    await settleDispatch(database, first, { settlement: { state: 'unposted', reason: 'kept' }, now: NOW });
    expect(await openAsks(database.rows, 5)).toMatchObject([{ kind: 'unposted', text: 'kept' }]);
    await waitingOn(database.rows);
    const second = await lease(database);
    await settleDispatch(database, second, { settlement: { state: 'succeeded' }, now: NOW });
    expect(await openAsks(database.rows, 5)).toEqual([]);
  });
});

describe('without a conversation', () => {
  test('there is nobody to tell', async () => {
    const { openSqlite } = await import('../../test/support/databases.ts');
    const database = await openSqlite();
    const result = await database.transaction((tx) =>
      carryOut(tx, {
        cause: 'e',
        ordinal: 0,
        source: 'forge',
        verb: 'hold',
        word: 'hold',
        argument: '',
        by: 'ada',
        conversations: [],
        now: NOW,
      }),
    );
    expect(result).toMatchObject({
      done: false,
      answer: expect.stringMatching(/^No agent has worked here yet/),
    });
  });
});
