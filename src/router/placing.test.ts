import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openSqlite } from '../../test/support/databases.ts';
import {
  assignedEvent,
  ciFailedEvent,
  commentEvent,
  labeledEvent,
} from '../../test/support/sample-events.ts';
import type { Database } from '../database/database.ts';
import { acceptDelivery } from '../inbox.ts';
import { resolveConversation } from '../mailbox/conversations.ts';
import type { ForgeEvent } from '../vocabulary.ts';
import { placeEvent, rememberItem } from './placing.ts';
import { readStanding, type Standing } from './standing.ts';

const time = (minute: number) => `2026-01-02T03:${String(minute).padStart(2, '0')}:00Z`;

interface Seen {
  name: ForgeEvent['name'];
  minute: number;
  assignees?: string[];
  labels?: string[];
}

/** As the parser leaves it: the complete sets, and as `added` all of the one the event is about. */
function eventWith({ name, minute, assignees = [], labels = [] }: Seen): ForgeEvent {
  const base = commentEvent('');
  return {
    ...base,
    name,
    item: { ...base.item!, assignees, labels },
    occurredAt: minute < 0 ? '' : time(minute),
    added: {
      assignees: name === 'issue.assigned' ? assignees : [],
      labels: name === 'issue.labeled' ? labels : [],
    },
  };
}

async function placeOf(rows: Database['rows'], event: ForgeEvent): Promise<Standing> {
  const { id } = await acceptDelivery(rows, {
    forge: event.forge,
    forgeDeliveryId: randomUUID(),
    source: 'webhook',
    headers: {},
    body: new Uint8Array(),
    now: 1,
  });
  return await readStanding(rows, { delivery: { id, source: 'webhook' }, event });
}

async function seeOne(rows: Database['rows'], event: ForgeEvent, replayed = false): Promise<ForgeEvent> {
  const placed = placeEvent(event, await placeOf(rows, event), { replayed });
  if (placed.row !== null) await rememberItem(rows, placed.row);
  return placed.event;
}

async function see(database: Database, ...events: Seen[]): Promise<ForgeEvent['added'][]> {
  const added: ForgeEvent['added'][] = [];
  for (const seen of events) {
    added.push((await seeOne(database.rows, eventWith(seen))).added);
  }
  return added;
}

const assigned = (minute: number, ...assignees: string[]): Seen => ({
  name: 'issue.assigned',
  minute,
  assignees,
});
const unassigned = (minute: number, ...assignees: string[]): Seen => ({
  name: 'issue.unassigned',
  minute,
  assignees,
});
const opened = (minute: number, sets: Partial<Seen>): Seen => ({ name: 'issue.opened', minute, ...sets });
const comment = (minute: number, sets: Partial<Seen>): Seen => ({ name: 'comment.created', minute, ...sets });
const labeled = (minute: number, ...labels: string[]): Seen => ({ name: 'issue.labeled', minute, labels });

describe('what an event added', () => {
  test.each<[string, Seen[], string[][]]>([
    [
      'the difference to what was announced before',
      [assigned(1, 'a'), assigned(2, 'a', 'b')],
      [['a'], ['b']],
    ],
    ['nothing new, in another letter case', [assigned(1, 'Dev'), assigned(2, 'dev')], [['Dev'], []]],
    ['again after a removal', [assigned(1, 'a'), unassigned(2), assigned(3, 'a')], [['a'], [], ['a']]],
    ['nothing, when the newer one came first', [assigned(2, 'a', 'b'), assigned(1, 'a')], [['a', 'b'], []]],
    [
      'an older one does not bring the older state back',
      [assigned(2, 'a', 'b'), assigned(1, 'a'), assigned(3, 'a', 'b', 'c')],
      [['a', 'b'], [], ['c']],
    ],
    [
      'the assignee, though `opened` overtook it',
      [opened(1, { assignees: ['a'] }), assigned(1, 'a')],
      [[], ['a']],
    ],
    [
      'the assignee, though a comment overtook it',
      [comment(2, { assignees: ['a'] }), assigned(1, 'a')],
      [[], ['a']],
    ],
    [
      'again, when the removal itself was lost and a comment shows it',
      [assigned(1, 'a'), comment(2, {}), assigned(3, 'a')],
      [['a'], [], ['a']],
    ],
    [
      'nothing again, when an older comment comes late',
      [assigned(2, 'a'), comment(1, {}), assigned(3, 'a', 'b')],
      [['a'], [], ['b']],
    ],
    [
      'without forgetting the time over an event that has none',
      [assigned(2, 'a', 'b'), assigned(-1, 'a', 'b'), assigned(1, 'a'), assigned(3, 'a', 'b', 'c')],
      [['a', 'b'], [], [], ['c']],
    ],
    [
      'after an event without a time',
      [assigned(-1, 'a'), assigned(1, 'a', 'b'), assigned(2, 'a', 'b', 'c')],
      [['a'], ['b'], ['c']],
    ],
  ])('assignees: %s', async (_, events, expected) => {
    const added = await see(await openSqlite(), ...events);
    expect(added.map((a) => a.assignees)).toEqual(expected);
  });

  test('labels: of a new issue that was assigned, opened and labelled, in that order', async () => {
    const sets = { assignees: ['a'], labels: ['bug'] };
    const added = await see(
      await openSqlite(),
      { ...assigned(1, 'a'), labels: ['bug'] },
      opened(1, sets),
      { ...labeled(1, 'bug'), assignees: ['a'] },
      { ...labeled(2, 'bug', 'urgent'), assignees: ['a'] },
      { ...labeled(3, 'urgent'), assignees: ['a'] },
    );
    expect(added.map((a) => a.labels)).toEqual([[], [], ['bug'], ['urgent'], []]);
    expect(added.map((a) => a.assignees)).toEqual([['a'], [], [], [], []]);
  });

  test('is whole in a replay, and a replay changes nothing that is newer', async () => {
    const database = await openSqlite();
    await see(database, assigned(1, 'a'), assigned(2, 'a', 'b'));
    const replayed = await seeOne(database.rows, eventWith(assigned(1, 'a')), true);
    expect(replayed.added.assignees).toEqual(['a']);
    expect(await see(database, assigned(3, 'a', 'b', 'c'))).toEqual([{ assignees: ['c'], labels: [] }]);
  });

  test('is kept apart by item, repository and forge', async () => {
    const { rows } = await openSqlite();
    const event = { ...assignedEvent('a'), item: { ...assignedEvent('a').item!, assignees: ['a'] } };
    const others: Partial<ForgeEvent>[] = [
      {},
      { item: { ...event.item, number: 99 } },
      { repository: { ...event.repository, id: '99' } },
      { forge: 'work' },
    ];
    for (const other of others) {
      expect((await seeOne(rows, { ...event, ...other })).added.assignees).toEqual(['a']);
      expect((await seeOne(rows, { ...event, ...other })).added.assignees).toEqual([]);
    }
  });
});

describe('a CI run that names only a commit', () => {
  const nameless = (headSha?: string) => ({ ...ciFailedEvent({ headSha }), item: null, pull: null });

  test('belongs to the pull request whose head it ran on, and changes nothing about it', async () => {
    const { rows } = await openSqlite();
    const pull = { ...assignedEvent('a', 'pull') };
    expect((await seeOne(rows, nameless())).item).toBeNull();
    await seeOne(rows, { ...pull, item: { ...pull.item!, labels: ['bug'], assignees: ['a'] } });
    const before = await rows.selectFrom('items').selectAll().execute();
    const placed = await seeOne(rows, nameless());
    expect(placed.item).toMatchObject({ kind: 'pull', number: pull.item!.number });
    expect(await rows.selectFrom('items').selectAll().execute()).toEqual(before);
  });

  test('belongs to nobody once the head has moved', async () => {
    const { rows } = await openSqlite();
    const pull = assignedEvent('a', 'pull');
    await seeOne(rows, pull);
    const moved = { ...pull.pull!, headSha: 'c'.repeat(40) };
    await seeOne(rows, { ...pull, name: 'pull.synchronized', pull: moved, occurredAt: time(50) });
    expect((await seeOne(rows, nameless())).item).toBeNull();
    // Late news of the old head does not move it back.
    await seeOne(rows, { ...pull, occurredAt: time(1) });
    expect((await seeOne(rows, nameless(moved.headSha))).item?.number).toBe(pull.item!.number);
  });

  test('belongs to pull request 12, and not to the conversation of issue 12', async () => {
    const { rows } = await openSqlite();
    const pull = assignedEvent('a', 'pull');
    const { forge, repository } = pull;
    const issue = { ...pull.item!, kind: 'issue' as const };
    await seeOne(rows, pull);
    await seeOne(rows, { ...pull, item: { ...pull.item!, number: 13 } });
    await seeOne(rows, { ...assignedEvent('b'), repository, item: issue });
    await resolveConversation(rows, { forge, repository, agent: 'dev', item: issue, now: 1 });
    // Neither is in a conversation: the newest counts.
    expect((await seeOne(rows, nameless())).item).toMatchObject({ kind: 'pull', number: 13 });
    const items = await rows.selectFrom('items').select(['number', 'kind']).orderBy('kind').execute();
    expect(items).toContainEqual({ number: issue.number, kind: 'issue' });
    expect(items).toContainEqual({ number: issue.number, kind: 'pull' });
  });

  test("belongs to the one in a conversation, although a stranger's newer one has the same head", async () => {
    const { rows } = await openSqlite();
    const pull = assignedEvent('a', 'pull');
    const { forge, repository } = pull;
    const { number } = pull.item!;
    await seeOne(rows, pull);
    await seeOne(rows, { ...pull, item: { ...pull.item!, number: number + 1 } });
    await resolveConversation(rows, { forge, repository, agent: 'dev', item: pull.item!, now: 1 });
    expect((await seeOne(rows, nameless())).item?.number).toBe(number);
  });

  test('a label event has no commit and keeps the head', async () => {
    const { rows } = await openSqlite();
    const pull = assignedEvent('a', 'pull');
    await seeOne(rows, pull);
    await seeOne(rows, { ...labeledEvent('bug'), item: pull.item, occurredAt: time(50) });
    expect((await seeOne(rows, nameless())).item?.number).toBe(pull.item!.number);
  });
});
