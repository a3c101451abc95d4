import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { conversationOn, NOW } from '../../test/support/mailbox.ts';
import type { Rows } from '../database/database.ts';
import type { SessionRow } from '../database/tables.ts';
import {
  abandonSession,
  countFailedResume,
  currentSession,
  newestSession,
  proposeSession,
  recordIncident,
  verifySession,
} from '../sessions.ts';

async function propose(rows: Rows, follows: SessionRow | null = null): Promise<SessionRow> {
  const conversation = await conversationOn(rows);
  return await proposeSession(rows, {
    conversationId: conversation.id,
    configFolder: '/state/cli',
    synthesised: false,
    follows,
    reason: 'policy-fresh',
    now: NOW,
  });
}

async function verify(rows: Rows, sessionId: string): Promise<void> {
  await verifySession(rows, { sessionId, head: 'head-1', size: 4096, cliVersion: '2.1.330', now: NOW + 1 });
}

async function stored(rows: Rows, id: string): Promise<SessionRow> {
  return await rows.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

describeDatabases('a session', (open) => {
  test('is proposed before anything ran, and current from then on', async () => {
    const { rows } = await open();
    const conversation = await conversationOn(rows);
    expect(await currentSession(rows, conversation.id)).toBeNull();
    expect(await newestSession(rows, conversation.id)).toBeNull();
    const session = await propose(rows);
    expect(session).toMatchObject({ ordinal: 1, state: 'proposed', head: null, failed_resumes: 0 });
    expect(await currentSession(rows, conversation.id)).toEqual(session);
  });

  test('is verified by the head that was seen, again after every answer', async () => {
    const { rows } = await open();
    const { id } = await propose(rows);
    await countFailedResume(rows, id);
    await verify(rows, id);
    const proof = { head: 'head-1', size: 4096, cli_version: '2.1.330', verified_at: NOW + 1 };
    expect(await stored(rows, id)).toMatchObject({ state: 'verified', failed_resumes: 0, ...proof });
    await verifySession(rows, { sessionId: id, head: 'head-2', size: 8192, cliVersion: null, now: NOW + 2 });
    expect(await stored(rows, id)).toMatchObject({ head: 'head-2', size: 8192, verified_at: NOW + 2 });
  });

  test('that was abandoned stays so, whatever comes late', async () => {
    const { rows } = await open();
    const session = await propose(rows);
    await abandonSession(rows, session.id, 'operator');
    await verify(rows, session.id);
    await abandonSession(rows, session.id, 'a second reason');
    expect(await stored(rows, session.id)).toMatchObject({
      state: 'abandoned',
      reason: 'operator',
      head: null,
    });
    expect(await currentSession(rows, session.conversation_id)).toBeNull();
    expect((await newestSession(rows, session.conversation_id))?.id).toBe(session.id);
  });

  test('counts its failed resumes, all of them', async () => {
    const { rows } = await open();
    const { id } = await propose(rows);
    const counts = await Promise.all(Array.from({ length: 5 }, () => countFailedResume(rows, id)));
    expect(counts.sort()).toEqual([1, 2, 3, 4, 5]);
  });
});

describeDatabases('the chain of sessions', (open) => {
  test('grows at its end, and says what followed what and why', async () => {
    const { rows } = await open();
    const first = await propose(rows);
    await verify(rows, first.id);
    const second = await propose(rows, await stored(rows, first.id));
    expect(second.ordinal).toBe(2);
    expect(await stored(rows, first.id)).toMatchObject({
      state: 'replaced',
      reason: 'policy-fresh',
      replaced_by: second.id,
    });
    expect((await currentSession(rows, first.conversation_id))?.id).toBe(second.id);
  });

  test('keeps the reason of an abandoned session', async () => {
    const { rows } = await open();
    const first = await propose(rows);
    await abandonSession(rows, first.id, 'head-missing');
    const second = await propose(rows, await stored(rows, first.id));
    expect(await stored(rows, first.id)).toMatchObject({
      state: 'abandoned',
      reason: 'head-missing',
      replaced_by: second.id,
    });
  });

  test('has no branches: of two successors proposed at once one is refused', async () => {
    const database = await open();
    const first = await propose(database.rows);
    const both = await Promise.allSettled([
      database.transaction((tx) => propose(tx, first)),
      database.transaction((tx) => propose(tx, first)),
    ]);
    expect(both.map((b) => b.status).sort()).toEqual(['fulfilled', 'rejected']);
    const winner = both.find((b) => b.status === 'fulfilled')!.value;
    expect((await currentSession(database.rows, first.conversation_id))?.id).toBe(winner.id);
    expect((await stored(database.rows, first.id)).replaced_by).toBe(winner.id);
  });

  test('of one conversation is none of another', async () => {
    const { rows } = await open();
    await propose(rows);
    const other = await conversationOn(rows, { number: 13 });
    expect(await newestSession(rows, other.id)).toBeNull();
  });
});

describeDatabases('an incident', (open) => {
  test('is kept with its evidence', async () => {
    const { rows } = await open();
    const session = await propose(rows);
    const evidence = { disk: { state: 'missing', bytes: 0 } };
    await recordIncident(rows, {
      conversationId: session.conversation_id,
      dispatchId: 'dispatch-1',
      sessionId: session.id,
      rung: 'restored',
      reason: 'disk-missing',
      evidence,
      now: NOW,
    });
    const [incident] = await rows.selectFrom('incidents').selectAll().execute();
    expect(incident).toMatchObject({ rung: 'restored', reason: 'disk-missing', at: NOW });
    expect(JSON.parse(incident!.evidence)).toEqual(evidence);
  });
});
