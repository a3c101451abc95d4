import { expect, test } from 'vitest';
import { describeDatabases, type TestDatabase } from '../../test/support/databases.ts';
import { conversationOn } from '../../test/support/mailbox.ts';
import { MOST_REPOSITORIES, ModelTotals } from './model-totals.ts';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

interface Asked {
  conversation: string;
  at?: number;
  outcome?: 'answered' | 'refused' | 'failed';
  status?: number | null;
  microUsd?: number | null;
  seq?: number;
}

async function ask(database: Pick<TestDatabase, 'rows'>, asked: Asked): Promise<void> {
  const { conversation, seq, at = NOW, outcome = 'answered', status = 200, microUsd = 250_000 } = asked;
  await database.rows
    .insertInto('model_requests')
    .values({
      ...(seq === undefined ? {} : { seq }),
      dispatch_id: 'd1',
      conversation_id: conversation,
      agent: 'dev',
      at,
      model: 'claude-opus-5-5',
      status,
      outcome,
      input_tokens: 3_000_000_000,
      output_tokens: 2,
      cache_read_tokens: 3,
      cache_write_tokens: 4,
      micro_usd: microUsd,
      first_byte_ms: 1,
      total_ms: 2,
    })
    .execute();
}

const dollars = async (totals: ModelTotals, now = NOW) =>
  (await totals.samples(now)).claude_hooks_model_cost_usd_total.map(({ labels, value }) => [
    labels.repository,
    value,
  ]);

describeDatabases('what the model has cost', (open, dialect) => {
  test('is summed by agent and repository; errors, tokens and requests without a price have their own', async () => {
    const database = await open();
    const { id } = await conversationOn(database.rows);
    for (const microUsd of [250_000, 500_000, null]) await ask(database, { conversation: id, microUsd });
    await ask(database, { conversation: id, outcome: 'refused', status: 429, microUsd: 0 });
    await ask(database, { conversation: id, outcome: 'failed', status: null, microUsd: 0 });
    const dev = { agent: 'dev' };
    expect(await new ModelTotals(database).samples(NOW)).toEqual({
      claude_hooks_model_cost_usd_total: [
        { labels: { ...dev, forge: 'home', repository: 'team/shop' }, value: 0.75 },
      ],
      claude_hooks_model_unpriced_requests_total: [{ labels: dev, value: 1 }],
      claude_hooks_model_tokens_total: [
        { labels: { ...dev, kind: 'input' }, value: 15_000_000_000 },
        { labels: { ...dev, kind: 'cache_write' }, value: 20 },
        { labels: { ...dev, kind: 'cache_read' }, value: 15 },
        { labels: { ...dev, kind: 'output' }, value: 10 },
      ],
      claude_hooks_model_requests_total: [
        { labels: { ...dev, outcome: 'answered', status: '200' }, value: 3 },
        { labels: { ...dev, outcome: 'refused', status: '429' }, value: 1 },
        { labels: { ...dev, outcome: 'failed', status: 'none' }, value: 1 },
      ],
    });
  });

  test('is the same read at once, in steps, again, and by a service that has just started', async () => {
    const database = await open();
    const { id } = await conversationOn(database.rows);
    // A row that came late stands behind a newer one.
    for (const minutes of [60, 50, 2, 40, 30, 1]) {
      await ask(database, { conversation: id, at: NOW - minutes * MINUTE });
    }
    const steps = new ModelTotals(database, { step: 2 });
    for (const now of [NOW, NOW, NOW + 5 * MINUTE, NOW + 60 * MINUTE, NOW + 60 * MINUTE]) {
      expect(await dollars(steps, now)).toEqual([['team/shop', 1.5]]);
    }
    await ask(database, { conversation: id, at: NOW + 60 * MINUTE });
    expect(await dollars(steps, NOW + 60 * MINUTE)).toEqual([['team/shop', 1.75]]);
    expect(await dollars(new ModelTotals(database), NOW + 60 * MINUTE)).toEqual([['team/shop', 1.75]]);
  });

  test('has a row whose transaction ends after that of a later one', async () => {
    const database = await open();
    const { id } = await conversationOn(database.rows);
    const totals = new ModelTotals(database, { step: 2 });
    await ask(database, { conversation: id, at: NOW - 60 * MINUTE });
    // One connection writes at a time in SQLite: a number that is not taken yet stands for the open transaction.
    if (dialect === 'sqlite') {
      await ask(database, { conversation: id, seq: 10 });
      expect(await dollars(totals)).toEqual([['team/shop', 0.5]]);
      for (const seq of [3, 9]) await ask(database, { conversation: id, seq });
    } else {
      await database.transaction(async (tx) => {
        await ask({ rows: tx }, { conversation: id });
        for (let n = 0; n < 4; n++) await ask(database, { conversation: id });
        expect(await dollars(totals)).toEqual([['team/shop', 1.25]]);
      });
    }
    const all = dialect === 'sqlite' ? 1 : 1.5;
    expect(await dollars(totals)).toEqual([['team/shop', all]]);
    expect(await dollars(totals, NOW + 60 * MINUTE)).toEqual([['team/shop', all]]);
  });

  test('has one series for a repository that was renamed, and one for all beyond the first 200', async () => {
    const database = await open();
    const { id } = await conversationOn(database.rows);
    await ask(database, { conversation: id, at: NOW - 60 * MINUTE });
    const totals = new ModelTotals(database);
    expect(await dollars(totals)).toEqual([['team/shop', 0.25]]);
    await database.rows.updateTable('conversations').set({ repository_name: 'team/store' }).execute();
    await ask(database, { conversation: id });
    expect(await dollars(totals)).toEqual([['team/store', 0.5]]);
    for (let n = 0; n < MOST_REPOSITORIES + 2; n++) {
      const other = await conversationOn(database.rows, { repositoryId: `r${n}`, number: n + 100 });
      await database.rows
        .updateTable('conversations')
        .set({ repository_name: `team/r${n}` })
        .where('id', '=', other.id)
        .execute();
      await ask(database, { conversation: other.id });
    }
    const all = await dollars(totals);
    expect(all).toHaveLength(MOST_REPOSITORIES + 1);
    expect(all.at(-1)).toEqual(['other', 0.75]);
    expect(await dollars(new ModelTotals(database))).toEqual(all);
  });
});
