/** What a decision of the team does in the rows: one head, one review; asks; looks at the others after a merge. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { conversationOn, messagesIn } from '../../test/support/mailbox.ts';
import { alice, ciFailedEvent, devBot, reviewBot, reviewEvent } from '../../test/support/sample-events.ts';
import { trustWith } from '../../test/support/trust.ts';
import type { Review } from '../forges/forge.ts';
import { acceptDelivery } from '../inbox.ts';
import { silentLog } from '../log.ts';
import { routeNext } from '../router.ts';
import { SETTLES_MS } from '../team/decided.ts';
import type { SeenPull } from '../team/look.ts';
import type { EventItem, ForgeEvent } from '../vocabulary.ts';

const CONFIG = (() => {
  using folder = new ConfigFolder({
    'claude-hooks.yaml': SMALL_CONFIG.replace('forges:', 'team: { merge: boss }\nforges:').replace(
      '    accounts:\n',
      '    accounts:\n      boss: { login: boss-bot, token: "${DEV_TOKEN}" }\n',
    ),
  });
  return folder.load();
})();

const NOW = 1_700_000_000_000;
const HEAD = 'a'.repeat(40);
const succeeded: ForgeEvent = { ...ciFailedEvent({ sender: devBot }), name: 'ci.succeeded' };
const item = reviewEvent({ verdict: 'approved', body: '' }).item as EventItem;
const pullOf = reviewEvent({ verdict: 'approved', body: '' }).pull!;

function review(author: typeof devBot, verdict: Review['verdict'], body = ''): Review {
  return { id: 1, author, verdict, body, commitId: HEAD, submittedAt: '', updatedAt: '', inline: [] };
}

/** A pull request of dev whose CI passes. */
function seen(change: Partial<SeenPull> & { headSha?: string; mergeable?: boolean } = {}): SeenPull {
  const { headSha = HEAD, mergeable = true, ...rest } = change;
  return {
    item: { ...item, updatedAt: '', pull: { ...pullOf, htmlUrl: '', headSha, mergeable } },
    author: 'dev',
    ci: { state: 'success', failed: [] },
    expectsCi: true,
    reviews: [],
    agentOf: ({ id }) => (id === reviewBot.id ? 'reviewer' : id === devBot.id ? 'dev' : null),
    needed: ['reviewer'],
    trusted: true,
    rules: null,
    ...rest,
  };
}

class Play {
  readonly database: TestDatabase;
  now = NOW;
  look: () => SeenPull | Promise<SeenPull> = () => seen();
  #count = 0;

  constructor(database: TestDatabase) {
    this.database = database;
  }

  /** Tells an event that no delivery told before, and decides all there is. Answers the last delivery's reason. */
  async tell(event: ForgeEvent): Promise<string | null> {
    this.#count += 1;
    const semanticKey = `test:${this.#count}`;
    await this.database.transaction(async (tx) => {
      await acceptDelivery(tx, {
        forge: 'home',
        forgeDeliveryId: randomUUID(),
        source: 'reconciled',
        headers: {},
        body: new Uint8Array(),
        event: { ...event, semanticKey },
        scope: '*',
        now: this.now,
      });
    });
    while (await this.decide());
    const row = await this.database.rows
      .selectFrom('deliveries')
      .selectAll()
      .orderBy('seq', 'desc')
      .executeTakeFirstOrThrow();
    return row.reason;
  }

  async decide(): Promise<boolean> {
    const trust = trustWith({ permissionOf: () => 'write', states: { 13: 'open' } });
    const team = { look: async () => await this.look() };
    const deps = {
      database: this.database,
      config: () => CONFIG,
      trust,
      team,
      now: () => this.now,
      log: silentLog,
    };
    return await routeNext(deps);
  }

  async woken(): Promise<string[]> {
    const messages = await messagesIn(this.database.rows);
    const agents = await this.database.rows.selectFrom('conversations').select(['id', 'agent']).execute();
    return messages.map((m) => `${agents.find(({ id }) => id === m.conversation_id)!.agent} ${m.skill}`);
  }

  async asks(): Promise<string[]> {
    const rows = await this.database.rows.selectFrom('asks').selectAll().orderBy('seq').execute();
    return rows.map(({ kind, state }) => `${kind} ${state}`);
  }
}

describeDatabases('the team in the rows', (open) => {
  test('one head is told to the reviewer once, the next head again', async () => {
    const play = new Play(await open());
    await play.tell(succeeded);
    expect(await play.woken()).toEqual(['reviewer review-pull']);
    expect(await play.tell(succeeded)).toMatch(/told of this before, at the same head/);
    expect(await play.woken()).toHaveLength(1);
    play.look = () => seen({ headSha: 'c'.repeat(40) });
    await play.tell(succeeded);
    expect(await play.woken()).toHaveLength(2);
  });

  test('a head that another process told of meanwhile is not told again', async () => {
    const database = await open();
    const play = new Play(database);
    play.look = async () => {
      await database.rows
        .insertInto('pull_acts')
        .values({
          forge: 'home',
          repository_id: '3',
          number: 13,
          agent: 'reviewer',
          act_key: `review:${HEAD}`,
          delivery_id: 'other',
          told_at: NOW,
        })
        .onConflict((c) => c.doNothing())
        .execute();
      return seen();
    };
    await play.tell(succeeded);
    expect(await play.woken()).toEqual([]);
  });

  test('approved and green wakes the boss, whose message says why', async () => {
    const play = new Play(await open());
    play.look = () => seen({ reviews: [review(reviewBot, 'approved')] });
    await play.tell(succeeded);
    expect(await play.woken()).toEqual(['boss merge']);
    const [message] = await messagesIn(play.database.rows);
    expect(JSON.parse(message!.parameters).decision).toMatchObject({ act: 'merge', head: HEAD });
  });

  test('at the cap of rounds a person is asked once, with what is open, and no more once it went on', async () => {
    const play = new Play(await open());
    await conversationOn(play.database.rows, { number: 13, item: { kind: 'pull' } });
    const rounds = [1, 2, 3].map((n) => review(reviewBot, 'changes_requested', `- grave: point ${n}`));
    play.look = () => seen({ reviews: rounds });
    await play.tell(succeeded);
    await play.tell(succeeded);
    expect(await play.asks()).toEqual(['question open']);
    const notices = await play.database.rows.selectFrom('notices').selectAll().execute();
    expect(notices.map(({ wanted }) => wanted)).toEqual([
      expect.stringMatching(/asked for 3 times.*Still open:\n- grave: point 3$/s),
    ]);
    play.look = () => seen({ reviews: [...rounds, review(alice, 'approved')] });
    await play.tell(succeeded);
    expect(await play.asks()).toEqual(['question answered']);
  });

  test('a conflict counts once the forge has looked, is rebased in turn, and a merge lets the others be looked at', async () => {
    const play = new Play(await open());
    play.look = () => seen({ reviews: [review(reviewBot, 'approved')], mergeable: false });
    await play.tell(succeeded);
    expect(await play.woken()).toEqual([]);
    play.now = NOW + SETTLES_MS;
    await play.tell(succeeded);
    expect(await play.woken()).toEqual(['dev rebase']);
    await play.tell({
      ...succeeded,
      name: 'pull.merged',
      ci: null,
      item: { ...item, number: 14, body: '' },
      pull: pullOf,
    });
    const looks = await play.database.rows
      .selectFrom('deliveries')
      .select('forge_delivery_id')
      .where('source', '=', 'look')
      .orderBy('seq')
      .execute();
    expect(looks.map(({ forge_delivery_id }) => forge_delivery_id)).toEqual([
      expect.stringMatching(/^look-settles-/),
      expect.stringMatching(/^look-after-.*-13$/),
    ]);
  });
});
