import { expect, test } from 'vitest';
import { describeDatabases } from '../../test/support/databases.ts';
import { auditOf } from '../audit.ts';
import { silentLog } from '../log.ts';
import { Ledger, type RequestEntry, usageOf } from './ledger.ts';

const ENTRY: RequestEntry = {
  dispatch_id: 'd1',
  conversation_id: 'c1',
  agent: 'dev',
  at: 1_800_000_000_000,
  model: 'claude-opus-5-5',
  status: 200,
  outcome: 'answered',
  input_tokens: 3_000_000_000,
  output_tokens: 2,
  cache_read_tokens: 3,
  cache_write_tokens: 4,
  micro_usd: 50,
  first_byte_ms: 1,
  total_ms: 2,
};

describeDatabases('the ledger', (open) => {
  test('sums a dispatch and a conversation; what a cap refused is no use, an unknown price is no sum', async () => {
    const database = await open();
    const ledger = new Ledger({ database, log: silentLog });
    ledger.request(ENTRY);
    ledger.request(ENTRY);
    ledger.request({ ...ENTRY, outcome: 'capped', input_tokens: 0, micro_usd: 0 });
    ledger.request({ ...ENTRY, outcome: 'refused', status: 429, input_tokens: 0, micro_usd: 0 });
    ledger.request({ ...ENTRY, dispatch_id: 'd2', model: 'other', micro_usd: null });
    await ledger.settled();
    expect(await usageOf(database.rows, { dispatchId: 'd1' })).toEqual({
      requests: 3,
      answered: 2,
      inputTokens: 6_000_000_000,
      outputTokens: 6,
      cacheReadTokens: 9,
      cacheWriteTokens: 12,
      microUsd: 100,
    });
    expect(await usageOf(database.rows, { conversationId: 'c1' })).toMatchObject({
      requests: 4,
      microUsd: null,
    });
    expect(await usageOf(database.rows, { dispatchId: 'none' })).toEqual({
      requests: 0,
      answered: 0,
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      microUsd: 0,
    });
  });

  test('more rows than a statement takes are written all the same, without being asked for', async () => {
    const database = await open();
    const ledger = new Ledger({ database, log: silentLog });
    for (let n = 0; n < 2500; n++) ledger.request({ ...ENTRY, at: n });
    ledger.audit({
      dispatchId: 'd1',
      conversationId: 'c1',
      agent: 'dev',
      door: 'model',
      action: 'GET /v1/models',
      decision: 'denied',
      reason: 'no',
      detail: {},
      now: 1,
    });
    await expect.poll(async () => (await usageOf(database.rows, { dispatchId: 'd1' })).requests).toBe(2500);
    await ledger.settled();
    expect(await auditOf(database.rows, { dispatchId: 'd1' })).toHaveLength(1);
  });

  test('rows that cannot be written are given up with a word in the log, and the next are written', async () => {
    const database = await open({ altersSchema: true });
    const errors: string[] = [];
    const log = { ...silentLog, error: (message: string) => void errors.push(message) };
    const ledger = new Ledger({ database, log });
    ledger.request({ ...ENTRY, outcome: null as never });
    await ledger.settled();
    expect(errors).toEqual([expect.stringContaining('Look at the database.')]);
    ledger.request(ENTRY);
    await ledger.settled();
    expect((await usageOf(database.rows, { dispatchId: 'd1' })).requests).toBe(1);
  });
});
