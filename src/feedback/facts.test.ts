import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { lease, NOW, waitingOn } from '../../test/support/mailbox.ts';
import { claimNotice, dueNotices, nextNotice, planNotice, settleNotice } from '../mailbox/notices.ts';
import { settleDispatch } from '../mailbox/settlement.ts';
import { SEEN, unseenMessages, workFacts } from './facts.ts';
import { wantedOf } from './wanted.ts';

describeDatabases('what the rows say of work', (open) => {
  test('each message is unseen once, and a dispatch is there until its notices are closed', async () => {
    const database = await open();
    const { rows } = database;
    await waitingOn(rows);
    const [unseen] = await unseenMessages(rows);
    const place = { forge: 'home', repository: unseen!.repository, number: unseen!.number, agent: 'dev' };
    const eyes = { ...place, kind: 'reaction' as const, target: { on: 'item' as const }, dispatchId: null };
    await planNotice(
      rows,
      { ...eyes, key: `${SEEN}${unseen!.messageId}`, wanted: 'eyes', closed: true },
      NOW,
    );
    expect(await unseenMessages(rows)).toEqual([]);

    const held = await lease(database);
    const later = NOW + 120_000;
    const around = { now: later, urlOf: () => null, modelOf: () => null };
    for (const state of ['running', 'failed'] as const) {
      const [facts] = await workFacts(rows, around);
      expect(facts).toMatchObject({ dispatch: { id: held.dispatch.id, state }, number: 12 });
      for (const notice of wantedOf(facts!, 'full', later)) await planNotice(rows, notice, later);
      for (const due of await dueNotices(rows, { now: later, limit: 9 })) {
        const claimed = await claimNotice(rows, due, later + 1);
        const end = due.wanted === null ? { kind: 'gone' as const } : { kind: 'shown' as const, remoteId: 7 };
        await settleNotice(rows, claimed!, end, later);
      }
      if (state === 'failed') continue;
      await settleDispatch(database, held, { settlement: { state: 'failed', reason: 'x' }, now: later });
    }
    expect(await workFacts(rows, around)).toEqual([]);
    expect(await nextNotice(rows)).toBeNull();
  });
});
