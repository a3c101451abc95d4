import { afterAll, expect, test } from 'vitest';
import { changed } from '../../test/fixtures/bodies.ts';
import { ConfigFolder } from '../../test/support/config-folder.ts';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { everybodyMayWrite } from '../../test/support/trust.ts';
import { renderDeliveries } from '../cli/print/deliveries.ts';
import { renderExplained } from '../cli/print/explanation.ts';
import { NotFound } from '../errors.ts';
import { acceptDelivery } from '../inbox.ts';
import { silentLog } from '../log.ts';
import { leaseConversation } from '../mailbox/leases.ts';
import { settleDispatch } from '../mailbox/settlement.ts';
import { routeNext } from '../router.ts';
import { type DeliveryQuery, deliveryPage, listDeliveries } from './deliveries.ts';
import { explain, type ItemExplanation } from './explain-item.ts';

const folder = new ConfigFolder();
afterAll(() => folder[Symbol.dispose]());
const config = folder.load();
const NOW = Date.parse('2026-01-02T03:04:05Z');
const MINUTE = 60_000;
const ALL: DeliveryQuery = { repository: null, state: null, since: null, limit: 50 };

interface Sent {
  repository?: string;
  number?: number;
  assigned?: boolean;
  at?: number;
  routed?: boolean;
}

async function send(database: TestDatabase, id: string, sent: Sent = {}): Promise<string> {
  const { repository = 'team/shop', number = 5, assigned = true, at = NOW, routed = true } = sent;
  const body = changed('forgejo/built-issue-assigned', {
    'repository.full_name': repository,
    'issue.number': number,
    'issue.assignees': assigned ? [{ id: 20, login: 'dev-bot' }] : [],
  });
  const { id: ours } = await acceptDelivery(database.rows, {
    forge: 'home',
    forgeDeliveryId: id,
    source: 'webhook',
    headers: {
      'x-forgejo-event': 'issues',
      'x-forgejo-event-type': 'issue_assign',
      'x-forgejo-delivery': id,
    },
    body: Buffer.from(JSON.stringify(body)),
    now: at,
  });
  const deps = { database, config: () => config, trust: everybodyMayWrite(), now: () => at, log: silentLog };
  if (routed) await routeNext(deps);
  return ours;
}

async function run(database: TestDatabase): Promise<string> {
  const agentLimits = new Map([['dev', 1]]);
  const lease = { worker: 'w', now: NOW + MINUTE, leaseMs: MINUTE, agentLimits };
  const held = (await leaseConversation(database, lease))!;
  await settleDispatch(database, held, { settlement: { state: 'succeeded' }, now: NOW + 2 * MINUTE });
  return held.dispatch.id;
}

describeDatabases('deliveries', (open) => {
  test('newest first, with what each was about and what came of it; by repository, state, time and number', async () => {
    const database = await open();
    const first = await send(database, 'forge-1');
    const dispatch = await run(database);
    const again = await send(database, 'forge-2');
    const foreign = await send(database, 'forge-3', {
      repository: 'other/thing',
      number: 8,
      assigned: false,
    });
    const fresh = await send(database, 'forge-4', { at: NOW + 9 * MINUTE, routed: false });
    const list = await listDeliveries(database.rows, ALL);
    expect(list.total).toBe(4);
    expect(list.deliveries).toMatchObject([
      { id: fresh, state: 'received', repository: null, number: null, woke: [] },
      { id: foreign, state: 'ignored', repository: 'other/thing', number: 8, sender: 'ada' },
      { id: again, state: 'duplicate', duplicateOf: first, repository: 'team/shop', number: 5 },
      {
        id: first,
        state: 'routed',
        eventName: 'issue.assigned',
        repository: 'team/shop',
        number: 5,
        woke: [{ agent: 'dev', message: 'answered', dispatch, state: 'succeeded' }],
      },
    ]);
    const ids = async (query: Partial<DeliveryQuery>) =>
      (await listDeliveries(database.rows, { ...ALL, ...query })).deliveries.map((d) => d.id);
    expect(await ids({ repository: { forge: null, repository: 'TEAM/Shop' } })).toEqual([again, first]);
    expect(await ids({ repository: { forge: 'work', repository: 'team/shop' } })).toEqual([]);
    expect(await ids({ state: 'ignored' })).toEqual([foreign]);
    expect(await ids({ since: NOW + MINUTE })).toEqual([fresh]);
    const shown = await listDeliveries(database.rows, { ...ALL, limit: 1 });
    expect(shown).toMatchObject({ total: 4, deliveries: [{ id: fresh }] });
    const page = await deliveryPage(database.rows, { ...ALL, limit: 3, after: null });
    expect(page.items.map((d) => d.id)).toEqual([fresh, foreign, again]);
    expect(await deliveryPage(database.rows, { ...ALL, limit: 3, after: page.next })).toMatchObject({
      items: [{ id: first, woke: [{ dispatch }] }],
      next: null,
    });
    const text = renderDeliveries(list);
    expect(text).toMatch(/routed +dev: answered by dispatch [0-9a-f-]{13}, succeeded$/m);
    expect(text).toContain(`duplicate  the same as ${first.slice(0, 13)}`);
    expect(text).toMatch(/home:other\/thing#8 +ada +ignored +\S/);
    expect(renderDeliveries(shown)).toContain('… and 3 more; raise --limit to see them');
    expect(renderDeliveries({ deliveries: [], total: 0 })).toMatch(/^No such deliveries\. .*doctor/);
  });

  test('an item is explained by its deliveries, also those that woke nobody, and what followed', async () => {
    const database = await open();
    const first = await send(database, 'forge-1');
    const dispatch = await run(database);
    const again = await send(database, 'forge-2');
    await send(database, 'forge-3', { number: 6 });
    const options = { limit: 50, now: NOW + 3 * MINUTE };
    const explained = (await explain(database.rows, 'home:team/shop#5', options)) as ItemExplanation;
    expect(JSON.parse(JSON.stringify(explained))).toEqual(explained);
    expect(explained).toMatchObject({
      item: { forge: 'home', repository: 'team/shop', number: 5 },
      total: 2,
      deliveries: [{ id: again }, { id: first }],
      conversations: [{ agent: 'dev', state: { kind: 'idle' }, dispatches: [{ id: dispatch }] }],
    });
    const text = renderExplained(explained);
    expect(text).toMatch(/^home:team\/shop#5: 2 deliveries, 1 conversation\n/);
    expect(text).toContain(`dispatch ${dispatch}: succeeded`);
    // The conversation's id, and its dispatch's, lead to the same.
    const { id } = explained.conversations[0]!;
    for (const reference of [id, dispatch.slice(0, 8)]) {
      expect(await explain(database.rows, reference, options)).toEqual(explained);
    }
    // What was pushed, or told by CI, names no item: its messages lead there.
    await database.rows
      .updateTable('deliveries')
      .set({ item_number: null })
      .where('id', '=', first)
      .execute();
    const told = (await explain(database.rows, 'team/shop#5', options)) as ItemExplanation;
    expect(told.deliveries.map((d) => [d.id, d.number])).toEqual([
      [again, 5],
      [first, 5],
    ]);
    const silent = await send(database, 'forge-4', { number: 7, assigned: false });
    const nobody = (await explain(database.rows, 'team/shop#7', options)) as ItemExplanation;
    expect(nobody).toMatchObject({ conversations: [], deliveries: [{ id: silent, state: 'ignored' }] });
    expect(renderExplained(nobody)).toContain(
      'No agent was woken; `claude-hooks explain <delivery>` tells why',
    );
    expect(await explain(database.rows, 'FORGE-1', options)).toMatchObject({ delivery: { id: first } });
    await expect(explain(database.rows, 'team/shop#99', options)).rejects.toThrow(NotFound);
    await expect(explain(database.rows, 'nothing', options)).rejects.toThrow(
      'Nothing is named by nothing. Give',
    );
  });
});
