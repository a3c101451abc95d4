/** Who may wake an agent, from a stored delivery to the decision, on every database. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ASSIGNED, COMMENT, changed, type Json, RUN_FAILED } from '../../test/fixtures/bodies.ts';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { type KnownForge, trustWith } from '../../test/support/trust.ts';
import type { ForgeConfig } from '../config/config.ts';
import { ForgeRefused, ForgeUnavailable } from '../errors.ts';
import { acceptDelivery } from '../inbox.ts';
import { silentLog } from '../log.ts';
import { routeNext } from '../router.ts';
import type { Trust } from '../trust.ts';
import type { StoredDecision } from './routing.ts';

const NOW = 1_800_000_000_000;
const CONFIG = (() => {
  using folder = new ConfigFolder({
    'claude-hooks.yaml': SMALL_CONFIG.replace('dev-bot', 'pear-bot').replace('team/shop', 'orchard/pears'),
  });
  return folder.load();
})();
const HOME = CONFIG.forges.home!;

interface World {
  trust: Trust;
  forge?: Partial<ForgeConfig>;
  now?: () => number;
}

interface Arrival {
  eventType: string;
  body: Json;
}

const assigned: Arrival = { eventType: 'issue_assign', body: changed(ASSIGNED, {}) };
const mention = (fields: Json = {}): Arrival => ({
  eventType: 'pull_request_comment',
  body: changed(COMMENT, fields),
});

async function accept(database: TestDatabase, { eventType, body }: Arrival): Promise<string> {
  const forgeDeliveryId = randomUUID();
  const { id } = await acceptDelivery(database.rows, {
    forge: 'home',
    forgeDeliveryId,
    source: 'webhook',
    headers: {
      'x-forgejo-delivery': forgeDeliveryId,
      'x-forgejo-event': eventType,
      'x-forgejo-event-type': eventType,
    },
    body: Buffer.from(JSON.stringify(body)),
    now: NOW,
  });
  return id;
}

async function decide(database: TestDatabase, { trust, forge, now = () => NOW }: World): Promise<boolean> {
  const config = () => ({ ...CONFIG, forges: { home: { ...HOME, ...forge } } });
  return await routeNext({ database, config, trust, now, log: silentLog });
}

async function stored(database: TestDatabase, id: string) {
  const row = await database.rows
    .selectFrom('deliveries')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return { ...row, decision: JSON.parse(row.decision ?? 'null') as StoredDecision | null };
}

async function route(database: TestDatabase, arrival: Arrival, world: World) {
  const id = await accept(database, arrival);
  expect(await decide(database, world)).toBe(true);
  return await stored(database, id);
}

const count = async (database: TestDatabase, table: 'messages' | 'events' | 'audit') =>
  (await database.rows.selectFrom(table).selectAll().execute()).length;

/** A forge that counts what it is asked. */
function counting(answer: KnownForge['permissionOf'], more: Partial<KnownForge> = {}) {
  const asked: string[] = [];
  const permissionOf: KnownForge['permissionOf'] = (login, agent) => {
    asked.push(`${agent} about ${login}`);
    return answer(login, agent);
  };
  return { asked, trust: trustWith({ permissionOf, now: () => NOW, ...more }) };
}

describeDatabases('the permission of a sender', (open) => {
  test.each([
    ['write', 'write', 'routed'],
    ['owner', 'write', 'routed'],
    ['read', 'write', 'ignored'],
    ['none', 'write', 'ignored'],
    ['unknown', 'write', 'ignored'],
    ['read', 'read', 'routed'],
    ['none', 'read', 'ignored'],
  ] as const)('%s where %s is required: %s', async (permission, requiredPermission, state) => {
    const database = await open();
    const { trust } = counting(() => permission);
    const delivery = await route(database, assigned, { trust, forge: { requiredPermission } });
    expect(delivery.state).toBe(state);
    expect(delivery.decision!.sender).toMatchObject({ permission, allowed: state === 'routed' });
    expect(await count(database, 'messages')).toBe(state === 'routed' ? 1 : 0);
    expect(await count(database, 'audit')).toBe(state === 'routed' ? 0 : 1);
  });

  test('is asked for once, by the account that can tell, and by no event that nobody wants', async () => {
    const database = await open();
    const { asked, trust } = counting((_, agent) => (agent === 'reviewer' ? 'write' : 'unknown'));
    const world = { trust };
    const unwanted = changed(ASSIGNED, { 'issue.assignees': [{ id: 99, login: 'somebody' }] });
    expect((await route(database, { eventType: 'issue_assign', body: unwanted }, world)).reason).toMatch(
      /^no flow wants it/,
    );
    expect(asked).toEqual([]);
    expect((await route(database, assigned, world)).state).toBe('routed');
    expect(asked).toEqual(['dev about ada', 'reviewer about ada']);
    const again = changed(ASSIGNED, { 'issue.number': 7, 'issue.id': 70 });
    expect((await route(database, { eventType: 'issue_assign', body: again }, world)).state).toBe('routed');
    expect(asked).toHaveLength(2);
  });

  test('is not asked for where none is required, and a refusal names the person and the remedy', async () => {
    const database = await open();
    const open_ = counting(() => 'none');
    const free = await route(database, assigned, {
      trust: open_.trust,
      forge: { requiredPermission: 'none' },
    });
    expect([free.state, open_.asked]).toEqual(['routed', []]);
    const { trust } = counting(() => 'unknown');
    const refused = await route(await open(), assigned, { trust });
    expect(refused.reason).toBe(
      'the forge does not tell what ada may do in orchard/pears, and waking an agent takes write permission. Make one of ' +
        "the agents' accounts an administrator of the repository, so that it can be asked, give its token the scope " +
        'read:organization where the repository belongs to an organization, or list ada in forges.home.trusted_senders, ' +
        'which then counts as permission',
    );
  });

  test('counts a listed person where the forge cannot tell, and never instead of a clear answer', async () => {
    const forge = { trustedSenders: ['ADA'] };
    const state = async (permission: 'unknown' | 'read' | 'write') =>
      (await route(await open(), assigned, { trust: counting(() => permission).trust, forge })).state;
    expect([await state('unknown'), await state('read'), await state('write')]).toEqual([
      'routed',
      'ignored',
      'routed',
    ]);
  });
});

describeDatabases('a forge that cannot be asked', (open) => {
  test.each([
    ['is down', new ForgeUnavailable('home is down')],
    ['takes none of our tokens', new ForgeRefused('home refuses the token', 401)],
  ])('%s: the delivery waits, however long, and is routed whole afterwards', async (_, error) => {
    const database = await open();
    let now = NOW;
    let isUp = false;
    const permissionOf = () => {
      if (!isUp) throw error;
      return 'write' as const;
    };
    const world = { trust: trustWith({ permissionOf, now: () => now }), now: () => now };
    const id = await accept(database, assigned);
    for (let attempt = 1; attempt <= 12; attempt++) {
      expect(await decide(database, world)).toBe(true);
      const row = await stored(database, id);
      expect(row).toMatchObject({ state: 'received', attempts: attempt, reason: error.message });
      expect(await count(database, 'events')).toBe(0);
      now = row.next_attempt_at;
    }
    // One step short of its time it is not even tried.
    now -= 1;
    expect(await decide(database, world)).toBe(false);
    now += 1;
    isUp = true;
    expect(await decide(database, world)).toBe(true);
    expect((await stored(database, id)).state).toBe('routed');
    expect(await count(database, 'messages')).toBe(1);
  });

  test('a second sender is not asked about while the forge is known to be down', async () => {
    const database = await open();
    const { asked, trust } = counting(() => {
      throw new ForgeUnavailable('home is down');
    });
    await route(database, assigned, { trust });
    const other = changed(COMMENT, { 'sender.id': 44, 'sender.login': 'someone' });
    await route(database, { eventType: 'pull_request_comment', body: other }, { trust });
    expect(asked.map((line) => line.split(' ').at(-1))).toEqual(['ada', 'ada']);
  });
});

describeDatabases('accounts that are no people', (open) => {
  const own = { id: 20, login: 'pear-bot' };
  const reviewer = { id: 21, login: 'review-bot' };
  const known = (more: Partial<KnownForge> = {}) =>
    counting(() => 'none', {
      self: (agent) => (agent === 'dev' ? own : reviewer),
      forges: { home: HOME },
      ...more,
    });
  const by = (user: { id: number; login: string }) =>
    ({
      eventType: 'pull_request_review_rejected',
      body: changed('forgejo/built-review-rejected', { sender: user }),
    }) satisfies Arrival;

  test('another agent of ours is trusted by its id, without a question', async () => {
    const database = await open();
    const { asked, trust } = known();
    await trust.checkIdentities();
    await route(database, assigned, { trust: counting(() => 'write').trust });
    const delivery = await route(database, by(reviewer), { trust });
    expect([delivery.state, asked]).toEqual(['routed', []]);
    expect(delivery.decision!.sender!.reason).toBe('review-bot is the account of our agent reviewer');
  });

  test('a stranger under the login of ours is a stranger, and our own account under a new login is ours', async () => {
    const database = await open();
    const { trust } = known();
    await trust.checkIdentities();
    await route(database, assigned, { trust: counting(() => 'write').trust });
    const squatter = await route(database, by({ id: 666, login: 'review-bot' }), { trust });
    expect([squatter.state, squatter.decision!.sender!.permission]).toEqual(['ignored', 'none']);
    const renamed = mention({ 'sender.login': 'pear-bot-2', 'sender.id': own.id, 'comment.id': 9001 });
    const verdicts = (await route(database, renamed, { trust })).decision!.considered;
    expect(verdicts.find((c) => c.flow === 'dev-mentioned')!.verdict).toBe('own-event');
  });

  test.each<[string, { id: number; login: string }, Partial<ForgeConfig>, string]>([
    ['a deleted account', { id: -1, login: 'Ghost' }, {}, 'ignored'],
    ["the forge's robot", { id: -2, login: 'forgejo-actions' }, {}, 'ignored'],
    [
      "the forge's robot, listed",
      { id: -2, login: 'forgejo-actions' },
      { allowedBots: ['forgejo-actions'] },
      'routed',
    ],
    ['a robot', { id: 70, login: 'renovate' }, {}, 'ignored'],
    ['a robot, listed', { id: 70, login: 'Renovate' }, { allowedBots: ['renovate'] }, 'routed'],
    [
      'a robot, listed, beside a list of people',
      { id: 70, login: 'renovate' },
      { allowedBots: ['renovate'], trustedSenders: ['ada'] },
      'routed',
    ],
  ])('%s', async (_, sender, forge, state) => {
    const { trust } = known();
    const body = changed(ASSIGNED, { sender });
    expect((await route(await open(), { eventType: 'issue_assign', body }, { trust, forge })).state).toBe(
      state,
    );
  });

  test('a listed robot is still no person to a flow that wants one', async () => {
    const database = await open();
    await route(database, assigned, { trust: counting(() => 'write').trust });
    const forge = { allowedBots: ['renovate'] };
    const arrival = mention({ 'sender.login': 'renovate', 'sender.id': 70, 'comment.id': 9002 });
    const delivery = await route(database, arrival, { trust: known().trust, forge });
    expect(delivery.decision!.considered.find((c) => c.flow === 'dev-mentioned')).toMatchObject({
      verdict: 'condition-failed',
      clause: 'sender.person',
    });
  });

  test('what the robot says of a CI run is the word of the forge', async () => {
    const database = await open();
    const everybody = counting(() => 'write').trust;
    await route(database, assigned, { trust: everybody });
    await route(database, mention(), { trust: everybody });
    const run = changed(RUN_FAILED, {
      'run.event_payload': '',
      'run.prettyref': 'main',
      'run.commit_sha': '2'.repeat(40),
      'run.trigger_user': { id: -2, login: 'forgejo-actions' },
    });
    const delivery = await route(database, { eventType: 'action_run_failure', body: run }, known());
    expect([delivery.state, delivery.event_name]).toEqual(['routed', 'ci.failed']);
  });
});

describeDatabases('a pull request from a fork', (open) => {
  const fork = {
    'pull_request.head.repo_id': 77,
    'pull_request.head.repo': {
      id: 77,
      full_name: 'eve/pears',
      name: 'pears',
      owner: { id: 9, login: 'eve' },
    },
  };

  test.each([
    [false, 'ignored'],
    [true, 'routed'],
  ])('with fork_pulls %s is %s, whoever asks for it', async (forkPulls, state) => {
    const database = await open();
    const { asked, trust } = counting(() => 'owner');
    const delivery = await route(database, mention(fork), { trust, forge: { forkPulls } });
    expect(delivery.state).toBe(state);
    if (forkPulls) return;
    expect(delivery.reason).toMatch(/fork.*forges\.home\.fork_pulls to true/);
    expect(asked).toEqual([]);
    expect(await count(database, 'audit')).toBe(1);
  });
});
