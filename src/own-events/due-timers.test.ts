import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { conversationOn, dispatchesIn, lease, messagesIn, NOW, say } from '../../test/support/mailbox.ts';
import type { Database } from '../database/database.ts';
import { silentLog } from '../log.ts';
import type { Lease } from '../mailbox/leases.ts';
import { cancelTimers, setTimer, timersOf } from '../mailbox/timers.ts';
import { noteOf } from '../vocabulary.ts';
import { tellDue } from './due-timers.ts';

const LIMITS = { most: 2, shortestMs: 60_000, longestMs: 3_600_000 };
const HALF_HOUR = NOW + 1_800_000;

async function running(open: () => Promise<Database>): Promise<{ database: Database; held: Lease }> {
  const database = await open();
  await say(database.rows, await conversationOn(database.rows));
  return { database, held: await lease(database) };
}

const wish = (call: string, dueAt = HALF_HOUR) => ({
  reason: `Look at ${call}.`,
  dueAt,
  call,
  limits: LIMITS,
  now: NOW,
});

describeDatabases('a timer', (open) => {
  test('is set once for one call, ends as one message when it is due, and is told once', async () => {
    const { database, held } = await running(open);
    expect(await setTimer(database, held, wish('a'))).toEqual({ kind: 'set', dueAt: HALF_HOUR });
    expect(await setTimer(database, held, wish('a', HALF_HOUR + 5))).toEqual({
      kind: 'set',
      dueAt: HALF_HOUR,
    });
    const at = (now: number) => tellDue({ database, log: silentLog, now: () => now });
    expect(await at(HALF_HOUR - 1)).toBe(false);
    expect(await Promise.all([at(HALF_HOUR), at(HALF_HOUR)])).toContain(true);
    expect(await at(HALF_HOUR + 1)).toBe(false);
    const [, told] = await messagesIn(database.rows);
    const { event } = await database.rows
      .selectFrom('events')
      .select('event')
      .where('id', '=', told!.event_id)
      .executeTakeFirstOrThrow();
    expect(noteOf(JSON.parse(event!))).toEqual({ text: 'Look at a.', by: 'timer' });
    expect(await messagesIn(database.rows)).toHaveLength(2);
    expect((await dispatchesIn(database.rows)).at(-1)).toMatchObject({ state: 'queued', due_at: HALF_HOUR });
  });

  test('is refused beyond its limits, in words that say what to do, and cancelled by name', async () => {
    const { database, held } = await running(open);
    for (const dueAt of [NOW + 1000, NOW + 3_600_001, Number.NaN]) {
      const refused = await setTimer(database, held, wish('x', dueAt));
      expect(refused).toMatchObject({ kind: 'refused', why: expect.stringContaining('60 to 3600 seconds') });
    }
    await setTimer(database, held, wish('a'));
    await setTimer(database, held, wish('b'));
    const third = await setTimer(database, held, wish('c'));
    expect(third).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('2 timers of this conversation'),
    });
    const [first] = await timersOf(database.rows);
    expect(await cancelTimers(database.rows, { ids: [first!.id], by: 'ada', now: NOW })).toEqual([first!.id]);
    expect(await cancelTimers(database.rows, { ids: [first!.id], by: 'ada', now: NOW })).toEqual([]);
    expect(await setTimer(database, held, wish('c'))).toMatchObject({ kind: 'set' });
  });
});
