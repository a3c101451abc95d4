import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { conversationOn } from '../../test/support/mailbox.ts';
import { renderCosts } from '../cli/print/costs.ts';
import { type COSTS_BY, listCosts } from './costs.ts';

const DAY = 86_400_000;

describeDatabases('what the model has cost', (open) => {
  test('is summed by each key; what is not known is said', async () => {
    const { rows } = await open();
    const dev = await conversationOn(rows, { number: 1 });
    const other = await conversationOn(rows, { number: 2, agent: 'review', repositoryId: '4' });
    const row = (of: { id: string; agent: string }, at: number, micro_usd: number | null, model: string) => ({
      ...{ dispatch_id: 'd', conversation_id: of.id, agent: of.agent, at, model, status: 200 },
      ...{ outcome: 'answered' as const, input_tokens: 10, output_tokens: 5, cache_read_tokens: 100 },
      ...{ cache_write_tokens: 20, micro_usd, first_byte_ms: 1, total_ms: 2 },
    });
    await rows
      .insertInto('model_requests')
      .values([
        row(dev, DAY - 1, 9_000_000, 'old'),
        row(dev, DAY, 1_000_000, 'sonnet'),
        row(dev, 2 * DAY, 500_000, 'sonnet'),
        row(other, 2 * DAY + 5, null, 'own'),
        { ...row(other, 2 * DAY + 5, 0, 'own'), outcome: 'capped' },
      ])
      .execute();
    await rows
      .insertInto('model_reservations')
      .values({
        ...{
          id: 'r',
          dispatch_id: 'd',
          conversation_id: dev.id,
          agent: 'dev',
          forge: 'home',
          repository_id: '3',
        },
        ...{ at: 2 * DAY, tokens: 1000, micro_usd: 250_000, state: 'lost' },
      })
      .execute();
    const lines = async (by: (typeof COSTS_BY)[number]) =>
      (await listCosts(rows, { by, since: DAY, limit: 9 })).costs.map((c) => [c.of, c.usd, c.unpriced]);
    expect(await lines('conversation')).toEqual([
      ['dev on home:team/shop#1', 1.5, 0],
      ['review on home:team/shop#2', 0, 1],
    ]);
    expect(await lines('repository')).toEqual([['home:team/shop', 1.5, 1]]);
    expect(await lines('agent')).toEqual([
      ['dev', 1.5, 0],
      ['review', 0, 1],
    ]);
    expect(await lines('model')).toEqual([
      ['sonnet', 1.5, 0],
      ['own', 0, 1],
    ]);
    expect(await lines('day')).toEqual([
      ['1970-01-03', 0.5, 1],
      ['1970-01-02', 1, 0],
    ]);
    const list = await listCosts(rows, { by: 'agent', since: DAY, limit: 1 });
    expect(list.total).toMatchObject({
      requests: 3,
      usd: 1.5,
      unpriced: 1,
      tokens: { input: 30, cacheWrite: 60 },
    });
    const text = renderCosts({ ...list, budgets: [] });
    expect(text).toContain('+? 1 request of a model without a known price');
    expect(text).toContain('1 request cut off before the cost was known: $0.2500 at most');
  });
});
