/** What CI tells of the agent's commits, and what it told before anybody could place it: one message for one failure. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { type RecordedKind, recorded } from '../../test/fixtures/recorded.ts';
import { ConfigFolder, SMALL_CONFIG } from '../../test/support/config-folder.ts';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { conversationOn, dispatchesIn, messagesWithEvents } from '../../test/support/mailbox.ts';
import { trustWith } from '../../test/support/trust.ts';
import type { ConversationRow, DeliveryRow } from '../database/tables.ts';
import { ForgeUnavailable } from '../errors.ts';
import type { CiState, Item } from '../forges/forge.ts';
import { acceptDelivery } from '../inbox.ts';
import { silentLog } from '../log.ts';
import { recordPush } from '../mailbox/pushes.ts';
import { joinPull } from '../outcome/pulls.ts';
import { routeNext } from '../router.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import type { RoutingConfig } from './routing.ts';

const CONFIG: RoutingConfig = (() => {
  using folder = new ConfigFolder({
    'claude-hooks.yaml': SMALL_CONFIG.replace('[team/shop', '[owner/ci, owner/play, team/shop'),
  });
  return folder.load();
})();

const RECEIVED = Date.parse('2026-11-28T12:00:00Z');
const KNOWN = 'its conversation has been told that CI failed on this commit, and deals with it once';

interface Told {
  headers?: Record<string, string>;
  body: object;
}

async function accept(database: TestDatabase, { headers, body }: Told): Promise<string> {
  const { id } = await acceptDelivery(database.rows, {
    forge: 'home',
    forgeDeliveryId: randomUUID(),
    source: 'webhook',
    headers: headers!,
    body: Buffer.from(JSON.stringify(body)),
    now: RECEIVED,
  });
  return id;
}

function told(kind: RecordedKind, name: string, change: object = {}): Told {
  const { headers, body } = recorded(kind, name);
  return { headers, body: { ...body, ...change } };
}

interface Truth {
  ci?: () => CiState;
  /** of the pull request */
  headSha?: string;
  author?: string;
  states?: Record<number, 'open' | 'closed'>;
}

async function decide(database: TestDatabase, truth: Truth = {}, now = RECEIVED): Promise<boolean> {
  const author = { id: 41, login: truth.author ?? 'dev-bot' };
  const pull = { headSha: truth.headSha } as NonNullable<Item['pull']>;
  const trust = trustWith({
    permissionOf: () => 'write',
    item: () => ({ kind: 'pull', number: 13, author, pull }) as Item,
    ...(truth.ci === undefined ? {} : { ci: truth.ci }),
    ...(truth.states === undefined ? {} : { states: truth.states }),
  });
  return await routeNext({ database, config: () => CONFIG, trust, now: () => now, log: silentLog });
}

/** Everything there is to decide; answers the last delivery as it is stored then. */
async function decideAll(database: TestDatabase, truth?: Truth): Promise<DeliveryRow> {
  while (await decide(database, truth));
  return (await deliveriesIn(database)).at(-1)!;
}

async function deliveriesIn({ rows }: TestDatabase): Promise<DeliveryRow[]> {
  return await rows.selectFrom('deliveries').selectAll().orderBy('seq').execute();
}

async function route(database: TestDatabase, one: Told): Promise<[string, string | null]> {
  await accept(database, one);
  const { state, reason } = await decideAll(database);
  return [state, reason];
}

/** A run began with everything that waited, and has answered it. */
async function answerAll({ rows }: TestDatabase, began: number): Promise<void> {
  const [dispatch] = await rows.selectFrom('dispatches').select('id').where('state', '=', 'queued').execute();
  const { id } = dispatch!;
  const changed = { state: 'succeeded', started_at: began, ended_at: began } as const;
  await rows.updateTable('dispatches').set(changed).where('id', '=', id).execute();
  const answered = { state: 'answered', dispatch_id: id } as const;
  await rows.updateTable('messages').set(answered).where('state', '=', 'waiting').execute();
}

const eventOf = ({ event }: { event: string }) => JSON.parse(event) as ForgeEvent;

async function pushed(database: TestDatabase, sha: string, repository?: { id: number }) {
  const where = repository === undefined ? {} : { repositoryId: String(repository.id) };
  const conversation = await conversationOn(database.rows, where);
  await recordPush(database.rows, { conversation, sha, now: RECEIVED });
  return conversation;
}

describeDatabases('one failing run of Gitea, told by its jobs and by itself', (open) => {
  const first = told('gitea', '0119-status-failure');
  const { sha, repository } = first.body as { sha: string; repository: { id: number } };
  // Of two jobs that failed, the list of recordings has one; the other's differs in these fields.
  const second = told('gitea', '0119-status-failure', {
    id: 1119,
    context: 'Test / lint (pull_request)',
    updated_at: '2026-11-28T11:57:04Z',
  });
  const whole = told('gitea', '0127-workflow_run-completed');

  test('is one message while that waits, and after a run has dealt with it', async () => {
    const database = await open();
    await pushed(database, sha, repository);
    expect(await route(database, first)).toEqual(['routed', null]);
    expect(await route(database, second)).toEqual(['ignored', KNOWN]);
    await answerAll(database, Date.parse('2026-11-28T11:57:12Z'));
    expect(await route(database, whole)).toEqual(['ignored', KNOWN]);
    expect((await messagesWithEvents(database.rows)).map((m) => m.flow)).toEqual(['dev-ci-failed']);
  });

  test('is told again when it is repeated, and fails after that run had begun', async () => {
    const database = await open();
    await pushed(database, sha, repository);
    await route(database, first);
    await answerAll(database, Date.parse('2026-11-28T11:57:06Z'));
    expect(await route(database, whole)).toEqual(['routed', null]);
    expect(await messagesWithEvents(database.rows)).toHaveLength(2);
  });
});

describeDatabases('a failure that nobody told, of a commit whose pull request is opened', (open) => {
  const sha = '7'.repeat(40);
  const failed: Truth = {
    headSha: sha,
    ci: () => ({ state: 'failure', failed: ['ci / test', 'ci / lint'] }),
  };

  const opened = async (database: TestDatabase, conversation: ConversationRow, number = 13) => {
    const repository = { id: conversation.repository_id, fullName: conversation.repository_name };
    const deps = { database, now: () => RECEIVED, assertMine: async () => {} };
    const by = { key: { conversationId: conversation.id }, agent: conversation.agent };
    await joinPull(deps, by, { forge: 'home', repository, number });
  };
  const late = (conversation: ConversationRow, id = 5) =>
    told('gitea', '0119-status-failure', {
      id,
      sha,
      repository: {
        ...(recorded('gitea', '0119-status-failure').body.repository as object),
        id: Number(conversation.repository_id),
        full_name: conversation.repository_name,
      },
    });

  test('becomes one message, however often the publication is repeated, and the same told late is the same', async () => {
    const database = await open();
    const conversation = await pushed(database, sha);
    await opened(database, conversation);
    await opened(database, conversation);
    expect(await deliveriesIn(database)).toMatchObject([{ source: 'look', state: 'received' }]);
    expect(await decideAll(database, failed)).toMatchObject({ state: 'routed', event_name: 'ci.failed' });
    const [message, ...others] = await messagesWithEvents(database.rows);
    expect(others).toEqual([]);
    expect(message).toMatchObject({ flow: 'dev-ci-failed', conversation_id: conversation.id });
    expect(eventOf(message!)).toMatchObject({ ci: { workflow: 'ci / test, ci / lint', headSha: sha } });
    expect(await dispatchesIn(database.rows)).toMatchObject([{ state: 'queued' }]);

    expect(await route(database, late(conversation))).toEqual(['ignored', KNOWN]);
    await answerAll(database, RECEIVED);
    expect(await route(database, late(conversation, 6))).toEqual(['ignored', KNOWN]);
    expect(await messagesWithEvents(database.rows)).toHaveLength(1);
  });

  test('is no second message where the delivery was placed, even when a run has dealt with it since', async () => {
    const database = await open();
    const conversation = await pushed(database, sha);
    expect(await route(database, late(conversation))).toEqual(['routed', null]);
    await answerAll(database, RECEIVED - 10 * 60_000);
    await opened(database, conversation);
    expect(await decideAll(database, failed)).toMatchObject({ state: 'ignored', reason: KNOWN });
    expect(await messagesWithEvents(database.rows)).toHaveLength(1);
  });

  test('waits in its row while the forge is away, and is looked up after that', async () => {
    const database = await open();
    await opened(database, await pushed(database, sha));
    const away = () => {
      throw new ForgeUnavailable('The forge is away. It is asked again later.');
    };
    expect(await decide(database, { ...failed, ci: away })).toBe(true);
    expect(await deliveriesIn(database)).toMatchObject([{ state: 'received', attempts: 1 }]);
    expect(await decide(database, failed, RECEIVED + 60_000)).toBe(true);
    expect(await messagesWithEvents(database.rows)).toHaveLength(1);
  });

  const nothing: [string, Truth, string][] = [
    [
      'CI still runs',
      { headSha: sha, ci: () => ({ state: 'pending', failed: [] }) },
      'CI of #13 had not failed when the pull request was opened (pending)',
    ],
    ['somebody else opened it', { ...failed, author: 'bo' }, '#13 was not opened by an account of ours'],
    [
      'its item is closed',
      { ...failed, states: { 12: 'closed', 13: 'closed' } },
      '#12 is closed, and what CI says of it wakes nobody',
    ],
  ];
  test.each(nothing)('is no message where %s', async (_why, truth, reason) => {
    const database = await open();
    await opened(database, await pushed(database, sha));
    expect(await decideAll(database, truth)).toMatchObject({ state: 'ignored', reason });
    expect(await messagesWithEvents(database.rows)).toEqual([]);
  });

  test('is looked up for the delivery of our own pull request, too, before that has joined its conversation', async () => {
    const database = await open();
    const { body, headers } = recorded('gitea', '0073-pull_request-opened');
    const ours = { id: 41, login: 'dev-bot' };
    const pull = { ...body.pull_request, number: 13, user: ours };
    const head = { ...pull.head, sha };
    const of = (user: object) => ({
      headers,
      body: { ...body, number: 13, pull_request: { ...pull, head, user }, sender: user },
    });
    const conversation = await pushed(database, sha, body.repository);

    await accept(database, of(ours));
    expect(await decideAll(database, failed)).toMatchObject({ source: 'look', state: 'routed' });
    const [message] = await messagesWithEvents(database.rows);
    expect(message!.conversation_id).toBe(conversation.id);
    await opened(database, conversation);
    expect(await decideAll(database, failed)).toMatchObject({ source: 'look', state: 'duplicate' });
    expect(await messagesWithEvents(database.rows)).toHaveLength(1);
  });

  test('is not looked up for the pull requests of others', async () => {
    const database = await open();
    await accept(database, told('gitea', '0073-pull_request-opened'));
    await decideAll(database);
    expect((await deliveriesIn(database)).map(({ source }) => source)).toEqual(['webhook']);
  });
});
