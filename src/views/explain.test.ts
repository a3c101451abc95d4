import { afterAll, describe, expect, test } from 'vitest';
import { changed } from '../../test/fixtures/bodies.ts';
import { ConfigFolder } from '../../test/support/config-folder.ts';
import { openSqlite, type TestDatabase } from '../../test/support/databases.ts';
import { sampleEffect } from '../../test/support/sample-session.ts';
import { everybodyMayWrite } from '../../test/support/trust.ts';
import { renderExplanation } from '../cli/print/explanation.ts';
import { NotFound } from '../errors.ts';
import { acceptDelivery } from '../inbox.ts';
import { createLog } from '../log.ts';
import { credentialScope, placeHold } from '../mailbox/holds.ts';
import { type Lease, leaseConversation } from '../mailbox/leases.ts';
import { settleDispatch } from '../mailbox/settlement.ts';
import { routeNext } from '../router.ts';
import { recordIncident } from '../sessions.ts';
import { explainDelivery } from './explain.ts';

const folder = new ConfigFolder();
afterAll(() => folder[Symbol.dispose]());
const config = folder.load();
const log = createLog({ level: 'silent', format: 'json', secrets: () => [], write: () => {} });
const NOW = Date.parse('2026-01-02T03:04:05Z');
const MINUTE = 60_000;
const trust = everybodyMayWrite();

const REPOSITORY = { 'repository.full_name': 'team/shop' };
const bot = [{ id: 20, login: 'dev-bot' }];
const assigned = (fields: Record<string, unknown> = {}) =>
  changed('forgejo/built-issue-assigned', { ...REPOSITORY, 'issue.assignees': bot, ...fields });

interface Sent {
  database: TestDatabase;
  body: unknown;
  /** Forgejo's fine event name */
  eventType?: string;
  id?: string;
  routed?: boolean;
}

/** Through the door and the router, as the service does it. Answers our id. */
async function send({ database, body, eventType = 'issue_assign', id = 'forge-id-1', routed = true }: Sent) {
  const { id: ours } = await acceptDelivery(database.rows, {
    forge: 'home',
    forgeDeliveryId: id,
    source: 'webhook',
    headers: {
      'x-forgejo-event': 'issues',
      'x-forgejo-event-type': eventType,
      'x-forgejo-delivery': id,
    },
    body: body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body)),
    now: NOW,
  });
  if (routed) await routeNext({ database, config: () => config, trust, now: () => NOW, log });
  return ours;
}

async function lease(database: TestDatabase, now: number): Promise<Lease> {
  const agentLimits = new Map([['dev', 1]]);
  const lease = await leaseConversation(database, { worker: 'host-1', now, leaseMs: MINUTE, agentLimits });
  return lease!;
}

/** Ids of a test run, made readable and stable. */
function stable(text: string): string {
  const names = new Map<string, string>();
  return text.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
    if (!names.has(id)) names.set(id, `<id ${names.size + 1}>`);
    return names.get(id)!;
  });
}

describe('a delivery that ran', () => {
  test('from the flow that took it to what the agent left on the forge', async () => {
    const database = await openSqlite();
    const id = await send({ database, body: assigned() });
    const held = await lease(database, NOW + MINUTE);
    const of = { dispatchId: held.dispatch.id, conversationId: held.conversation.id };
    await recordIncident(database.rows, {
      ...of,
      sessionId: 's1',
      rung: 'restored',
      reason: 'disk-missing',
      evidence: { disk: { state: 'missing' } },
      now: NOW + MINUTE,
    });
    await database.rows
      .updateTable('dispatches')
      .set({
        session_id: 's1',
        continuity: 'restored',
        history_messages: 4,
        answer: 'Corrected.\n\n\u001b[31mSee\u001b[0m the branch.',
      })
      .execute();
    const url = 'https://forge.example.org/team/shop/issues/5#issuecomment-7';
    await sampleEffect(database, { ...of, kind: 'comment', result: { url } });
    await settleDispatch(database, held, { settlement: { state: 'succeeded' }, now: NOW + 3 * MINUTE });

    const explanation = await explainDelivery(database.rows, id, NOW + 5 * MINUTE);
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
    expect(stable(renderExplanation(explanation))).toMatchInlineSnapshot(`
      "delivery <id 1>: routed
        dev on team/shop#5: it ran and was answered.

        event       issue.assigned from home (webhook)
        about       team/shop#5 Pears fall too early
        by          ada
        trusted     ada has write permission in team/shop, and write is required
        received    2026-01-02 03:04:05Z
        decided     2026-01-02 03:04:05Z
        forge's id  forge-id-1

      flows
        dev-assigned  dev  matched  every clause held
        not on issue.assigned: dev-review, dev-mentioned, dev-comment, dev-rebase, dev-ci-failed, reviewer-ready, reviewer-requested, reviewer-assigned, reviewer-new-commits, reviewer-mentioned

      what followed
        message to dev on team/shop#5 (flow dev-assigned, skill work-on-issue): answered
          conversation <id 2>
          dispatch <id 3>: succeeded
            times     started 2026-01-02 03:05:05Z on host-1, took 2 min
            session   s1, restored with 4 messages of history
            answer    Corrected. [31mSee[0m the branch.
            effect    comment done: https://forge.example.org/team/shop/issues/5#issuecomment-7
            incident  2026-01-02 03:05:05Z session s1 restored: disk-missing"
    `);
  });

  test('is found by the forge id and by a beginning; an unknown one says what to give', async () => {
    const database = await openSqlite();
    const id = await send({ database, body: assigned() });
    for (const reference of [id, id.slice(0, 8), 'forge-id-1', 'forge-']) {
      expect((await explainDelivery(database.rows, reference, NOW)).delivery.id).toBe(id);
    }
    await expect(explainDelivery(database.rows, 'nothing', NOW)).rejects.toThrow(NotFound);
    await expect(explainDelivery(database.rows, 'nothing', NOW)).rejects.toThrow('Give our id from the log');
  });
});

describe('a delivery that waits', () => {
  test('for its quiet window, for a worker, for a park, behind another run, and while it runs', async () => {
    const database = await openSqlite();
    const id = await send({ database, body: assigned() });
    const answer = async (now: number) => (await explainDelivery(database.rows, id, now)).answers.join();
    expect(await answer(NOW)).toContain('more messages may come until then');
    expect(await answer(NOW + MINUTE)).toContain('waits for a worker with a free place for dev');
    const hold = await placeHold(database.rows, {
      scope: credentialScope(null),
      until: NOW + 60 * MINUTE,
      reason: 'usage limit',
      by: { kind: 'limit' },
      now: NOW,
    });
    const id8 = hold.id.slice(0, 8);
    expect(await answer(NOW + MINUTE)).toBe(
      `dev on team/shop#5: model credential is held until 2026-01-02 04:04:05Z: usage limit (hold ${id8}; \`claude-hooks resume ${id8}\` lifts it).`,
    );
    const held = await lease(database, NOW + 61 * MINUTE);
    expect(await answer(NOW + 62 * MINUTE)).toContain('it is running since 2026-01-02 04:05:05Z on host-1');

    const later = assigned({ 'issue.updated_at': '2026-01-02T05:00:00Z', 'issue.assignees': [] });
    const comment = await send({ database, body: later, id: 'forge-id-2' });
    expect((await explainDelivery(database.rows, comment, NOW)).delivery.state).toBe('ignored');

    await settleDispatch(database, held, {
      settlement: { state: 'parked', reason: 'forge is away', until: NOW + 90 * MINUTE },
      now: NOW + 63 * MINUTE,
    });
    expect(await answer(NOW + 64 * MINUTE)).toContain('parked until 2026-01-02 04:34:05Z (forge is away)');
  });

  test('behind the run of the same conversation', async () => {
    const database = await openSqlite();
    await send({ database, body: assigned() });
    const held = await lease(database, NOW + MINUTE);
    const body = changed('forgejo/built-issue-opened', {
      ...REPOSITORY,
      'issue.body': 'And @dev-bot, look here.',
    });
    const second = await send({ database, body, eventType: 'issues', id: 'forge-id-2' });
    const explanation = await explainDelivery(database.rows, second, NOW + 2 * MINUTE);
    expect(explanation.answers).toEqual([
      `dev on team/shop#5: it waits for dispatch ${held.dispatch.id}, which runs in the same conversation since 2026-01-02 03:05:05Z.`,
    ]);
  });

  test('for the router', async () => {
    const database = await openSqlite();
    const id = await send({ database, body: assigned(), routed: false });
    const { answers, considered } = await explainDelivery(database.rows, id, NOW + 90_000);
    expect(answers).toEqual([
      'Not decided yet, 1 min 30 s after it arrived. If this lasts longer than a few seconds, check that the service runs.',
    ]);
    expect(considered).toEqual([]);
  });
});

describe('a delivery that did not run', () => {
  test('each flow says what it lacked', async () => {
    const database = await openSqlite();
    const id = await send({ database, body: assigned({ 'issue.assignees': [{ id: 9, login: 'Bo' }] }) });
    const explanation = await explainDelivery(database.rows, id, NOW);
    expect(explanation.answers).toEqual([
      'It did not run: 1 flow on issue.assigned, and none of them matched. The list below names what each lacked.',
    ]);
    expect(stable(renderExplanation(explanation))).toMatchInlineSnapshot(`
      "delivery <id 1>: ignored
        It did not run: 1 flow on issue.assigned, and none of them matched. The list below names what each lacked.

        event       issue.assigned from home (webhook)
        about       team/shop#5 Pears fall too early
        by          ada
        received    2026-01-02 03:04:05Z
        decided     2026-01-02 03:04:05Z
        forge's id  forge-id-1

      flows
        dev-assigned  dev  condition-failed  \`hasLogin(event.added.assignees, agent.login)\` did not hold: event.added.assignees = ["Bo"], agent.login = "dev-bot"
        not on issue.assigned: dev-review, dev-mentioned, dev-comment, dev-rebase, dev-ci-failed, reviewer-ready, reviewer-requested, reviewer-assigned, reviewer-new-commits, reviewer-mentioned"
    `);
  });

  test('the agent did it itself', async () => {
    const database = await openSqlite();
    const id = await send({ database, body: assigned({ 'sender.login': 'dev-bot', 'sender.id': 20 }) });
    const text = renderExplanation(await explainDelivery(database.rows, id, NOW));
    expect(text).toContain('own-event  dev caused it; an agent is never woken by what it did itself');
  });

  test('no flow is on it; the repository is not listed; the body is garbage', async () => {
    const database = await openSqlite();
    const label = changed('forgejo/built-issue-label-updated', REPOSITORY);
    const ids = [
      await send({ database, body: label, eventType: 'issue_label', id: 'forge-id-1' }),
      await send({ database, body: assigned({ 'repository.full_name': 'else/where' }), id: 'forge-id-2' }),
      await send({ database, body: Buffer.from('{"action":'), id: 'forge-id-3' }),
    ];
    const answers = [];
    for (const id of ids) answers.push((await explainDelivery(database.rows, id, NOW)).answers.join());
    expect(answers).toEqual([
      expect.stringMatching(
        /^It did not run: none of \d+ flows is on issue\.labeled\. Add issue\.labeled to the/,
      ),
      'It did not run: repository else/where is not listed; add it to forges.home.repositories.',
      expect.stringMatching(/^It did not run: it could not be routed: .* Correct the cause, then replay/),
    ]);
  });

  test('a duplicate names the first, and the first its duplicates', async () => {
    const database = await openSqlite();
    const first = await send({ database, body: assigned() });
    const again = await send({ database, body: assigned(), id: 'forge-id-2' });
    expect((await explainDelivery(database.rows, again, NOW)).answers[0]).toContain(
      `delivery ${first}, which came first`,
    );
    expect((await explainDelivery(database.rows, first, NOW)).duplicates).toEqual([again]);
  });

  test('failed for good', async () => {
    const database = await openSqlite();
    const id = await send({ database, body: assigned() });
    const held = await lease(database, NOW + MINUTE);
    await settleDispatch(database, held, {
      settlement: { state: 'failed', reason: 'no session could be started' },
      now: NOW + 2 * MINUTE,
    });
    const { answers, messages } = await explainDelivery(database.rows, id, NOW + 3 * MINUTE);
    expect(answers).toEqual([
      'dev on team/shop#5: declined: no session could be started. Replay the delivery to run it again.',
    ]);
    expect(messages[0]!.dispatches).toMatchObject([
      { state: 'failed', reason: 'no session could be started' },
    ]);
  });
});
