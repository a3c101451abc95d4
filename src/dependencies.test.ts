/** What waits, begins and goes round in circles, on a pretended forge and real rows of both databases. */
import { expect, test } from 'vitest';
import { describeDatabases, type TestDatabase } from '../test/support/databases.ts';
import { conversationOn, lease, NOW, say, tryLease } from '../test/support/mailbox.ts';
import { commentEvent } from '../test/support/sample-events.ts';
import type { ForgeConfig } from './config/config.ts';
import type { DependenciesDeps } from './dependencies/deps.ts';
import { createDependencies } from './dependencies.ts';
import { ForgeMissing, ForgeUnavailable } from './errors.ts';
import type { Item } from './forges/forge.ts';
import { silentLog } from './log.ts';
import { holdSentences } from './mailbox/command-holds.ts';
import { currentHolds, liftHold } from './mailbox/holds.ts';
import { settleDispatch } from './mailbox/settlement.ts';
import { findWait, wakeWaits } from './mailbox/waits.ts';
import type { EventName, ForgeEvent } from './vocabulary.ts';

const HOME = 'team/shop';

/** Issues by `owner/name#4`: what their text says, whether they are open, and what the forge itself has them wait for. */
class PretendForge {
  down = false;
  readonly items = new Map<string, { body: string; state: 'open' | 'closed'; native: string[] }>();

  has(name: string, body = '', native: string[] = []): void {
    this.items.set(name, { body, state: 'open', native });
  }

  is(name: string, state: 'open' | 'closed'): void {
    this.items.get(name)!.state = state;
  }

  get client(): ReturnType<DependenciesDeps['client']> {
    const at = (repository: { fullName: string }, number: number) => {
      if (this.down) throw new ForgeUnavailable('The forge is down. Try again.');
      const found = this.items.get(`${repository.fullName}#${number}`);
      if (found === undefined) throw new ForgeMissing('There is none. Check the number.');
      return found;
    };
    return {
      getItem: async (repository, number) => at(repository, number) as unknown as Item,
      listDependencies: async (repository, number) => ({
        kind: 'items',
        items: at(repository, number).native.map((name) => {
          const [fullName = '', n] = name.split('#');
          return { fullName, number: Number(n) };
        }),
      }),
      findPulls: async () => [],
      updatePull: async () => {
        throw new ForgeMissing('It has no pull requests. Make one.');
      },
      findRepository: async (fullName) => ({
        repository: { id: `id of ${fullName}`, fullName },
        cloneUrl: '',
        isEmpty: false,
        mayPush: true,
      }),
    };
  }
}

const CONFIG = {
  forges: {
    home: {
      name: 'home',
      url: 'https://forge.example.org',
      accounts: { dev: { login: 'dev-bot', token: 'x' } },
      repositories: [],
      feedback: null,
    } as unknown as ForgeConfig,
  },
} as const;

async function stageOn(database: TestDatabase) {
  const forge = new PretendForge();
  const clock = { now: NOW };
  const dependencies = createDependencies({
    database,
    config: () => CONFIG,
    client: () => forge.client,
    log: silentLog,
    now: () => clock.now,
  });
  const assigned = { ...commentEvent('hello'), name: 'issue.assigned' } as ForgeEvent;
  /** Somebody assigns the issue, and a worker takes it up. */
  const take = async (number: number) => {
    const conversation = await conversationOn(database.rows, { number, item: { kind: 'issue' } });
    await say(database.rows, conversation, { event: assigned });
    const leased = await lease(database, { now: clock.now });
    const hold = await dependencies.startHeld(leased);
    const settlement =
      hold === null
        ? ({ state: 'succeeded' } as const)
        : ({
            state: 'parked',
            reason: hold.reason,
            until: clock.now,
            isAttempt: false,
            holdId: hold.id,
          } as const);
    const ending = { settlement, seen: null, unanswered: [], now: clock.now };
    await settleDispatch(database, leased, ending as Parameters<typeof settleDispatch>[2]);
    return { conversation, hold };
  };
  const told = async (name: EventName, number: number) =>
    await database.transaction(async (tx) => {
      const event = commentEvent('hello');
      const item = { ...event.item!, number };
      const repository = { ...event.repository, id: '3', fullName: HOME };
      await wakeWaits(tx, { ...event, name, item, repository } as ForgeEvent, clock.now);
    });
  const notices = async () =>
    await database.rows.selectFrom('notices').select(['key', 'wanted']).orderBy('seq').execute();
  return { forge, clock, dependencies, take, told, notices };
}

describeDatabases('dependencies', (open) => {
  test('what is blocked waits, and begins when the last blocker is closed', async () => {
    const database = await open();
    const { forge, clock, dependencies, take, told, notices } = await stageOn(database);
    forge.has(`${HOME}#1`);
    forge.has(`${HOME}#2`);
    forge.has(`${HOME}#3`, 'Blocked by #1.', [`${HOME}#2`]);
    const { conversation, hold } = await take(3);
    expect(hold).toMatchObject({ reason: 'waits for #1 and #2', by_kind: 'dependency' });
    expect(await tryLease(database, { now: clock.now })).toBeNull();
    expect(await holdSentences(database.rows, conversation, clock.now)).toEqual([
      expect.stringContaining('I do not begin yet: this waits for #1 and #2. I begin by myself'),
    ]);
    forge.is(`${HOME}#1`, 'closed');
    clock.now += 1000;
    await told('issue.closed', 1);
    expect(await dependencies.look()).toMatchObject({ freed: 0 });
    expect((await currentHolds(database.rows, clock.now)).map(({ reason }) => reason)).toEqual([
      'waits for #2',
    ]);
    forge.is(`${HOME}#2`, 'closed');
    // Something else is closed: that is no reason to look.
    await told('issue.closed', 9);
    expect(await dependencies.look()).toMatchObject({ freed: 0 });
    await told('issue.closed', 2);
    expect(await dependencies.look()).toEqual({ freed: 1, next: null });
    expect((await lease(database, { now: clock.now })).conversation.id).toBe(conversation.id);
    expect(await notices()).toEqual([]);
  });

  test('a blocker that is open again before the run begins holds it again', async () => {
    const database = await open();
    const { forge, clock, dependencies, take, told } = await stageOn(database);
    forge.has(`${HOME}#1`);
    forge.has(`${HOME}#2`, 'depends on #1');
    await take(2);
    forge.is(`${HOME}#1`, 'closed');
    await told('issue.closed', 1);
    expect(await dependencies.look()).toMatchObject({ freed: 1 });
    forge.is(`${HOME}#1`, 'open');
    const leased = await lease(database, { now: clock.now });
    expect(await dependencies.startHeld(leased)).toMatchObject({ reason: 'waits for #1' });
  });

  test('an edit of the text counts, and without any word of the forge it is looked at after a while', async () => {
    const database = await open();
    const { forge, clock, dependencies, take, told } = await stageOn(database);
    forge.has(`${HOME}#1`);
    forge.has(`${HOME}#2`, 'blocked by #1');
    forge.has(`${HOME}#3`, 'blocked by #1');
    await take(2);
    await take(3);
    forge.has(`${HOME}#2`, 'It is not blocked any more.');
    await told('issue.edited', 2);
    expect(await dependencies.look()).toMatchObject({ freed: 1 });
    forge.is(`${HOME}#1`, 'closed');
    expect(await dependencies.look()).toMatchObject({ freed: 0 });
    clock.now += 600_000;
    forge.down = true;
    expect(await dependencies.look()).toMatchObject({ freed: 0, next: clock.now + 300_000 });
    forge.down = false;
    clock.now += 300_000;
    expect(await dependencies.look()).toMatchObject({ freed: 1 });
  });

  test('a cycle is named, once for all its items, and ends when an edge is taken out', async () => {
    const database = await open();
    const { forge, dependencies, take, told, notices } = await stageOn(database);
    forge.has(`${HOME}#1`, 'blocked by #2');
    forge.has(`${HOME}#2`, 'depends on #3');
    forge.has(`${HOME}#3`, '', [`${HOME}#1`]);
    const { hold } = await take(1);
    expect(hold!.reason).toContain('(#1 waits for #2 waits for #3 waits for #1)');
    await take(2);
    expect(await notices()).toEqual([
      {
        key: `cycle:home:${HOME}#1+${HOME}#2+${HOME}#3`,
        wanted:
          'I do not begin: this waits for itself (#1 waits for #2 waits for #3 waits for #1); take one of these out.',
      },
    ]);
    const asks = await database.rows.selectFrom('asks').select(['number', 'kind', 'state']).execute();
    expect(asks).toEqual([
      { number: 1, kind: 'stuck', state: 'open' },
      { number: 2, kind: 'stuck', state: 'open' },
    ]);
    forge.has(`${HOME}#2`, '');
    await told('issue.edited', 2);
    // 1 waits for 2, which is free and can be closed.
    expect(await dependencies.look()).toMatchObject({ freed: 1 });
    const holds = await currentHolds(database.rows, NOW);
    expect(holds.map(({ reason }) => reason)).toEqual(['waits for #2']);
  });

  test('a person lets it begin although it is blocked; what has begun goes on', async () => {
    const database = await open();
    const { forge, clock, dependencies, take } = await stageOn(database);
    forge.has(`${HOME}#1`);
    forge.has(`${HOME}#2`, 'blocked by #1');
    const { hold, conversation } = await take(2);
    await liftHold(database.rows, { id: hold!.id, by: { kind: 'person', name: 'ada' }, now: clock.now });
    const leased = await lease(database, { now: clock.now });
    expect(await dependencies.startHeld(leased)).toBeNull();
    clock.now += 600_000;
    expect(await dependencies.look()).toEqual({ freed: 1, next: null });
    expect(Number((await findWait(database.rows, conversation.id))?.ended_at)).toBe(clock.now);
  });

  test('what was answered before is not held up, and neither is a question', async () => {
    const database = await open();
    const { forge, clock, dependencies, take } = await stageOn(database);
    forge.has(`${HOME}#1`);
    forge.has(`${HOME}#2`);
    expect((await take(2)).hold).toBeNull();
    forge.has(`${HOME}#2`, 'blocked by #1');
    expect((await take(2)).hold).toBeNull();
    forge.has(`${HOME}#4`, 'blocked by #1');
    const asked = await conversationOn(database.rows, { number: 4, item: { kind: 'issue' } });
    await say(database.rows, asked);
    expect(await dependencies.startHeld(await lease(database, { now: clock.now }))).toBeNull();
  });

  test('an item of another repository is named only where the text names it; what nobody sees blocks nothing', async () => {
    const database = await open();
    const { forge, take } = await stageOn(database);
    forge.has('secret/plans#7');
    forge.has('team/tools#8');
    forge.has(`${HOME}#2`, 'blocked by team/tools#8, #404', ['secret/plans#7']);
    const { hold } = await take(2);
    expect(hold!.reason).toBe('waits for team/tools#8 and an item of another repository');
  });
});
