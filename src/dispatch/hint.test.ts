import { expect, test } from 'vitest';
import { Hint } from './hint.ts';

const { signal } = new AbortController();
const LONG_MS = 60_000;

test('whoever waits goes on at the next hint', async () => {
  const hint = new Hint();
  const waits = [hint.wait(LONG_MS, { known: 0, signal }), hint.wait(LONG_MS, { known: 0, signal })];
  hint.give();
  await Promise.all(waits);
});

test('a hint between two waits is not missed', async () => {
  const hint = new Hint();
  const known = hint.given;
  hint.give();
  await hint.wait(LONG_MS, { known, signal });
});

test('without a hint the time ends the wait', async () => {
  await new Hint().wait(1, { known: 0, signal });
});

test('an abort ends the wait with its reason', async () => {
  const abort = new AbortController();
  const wait = new Hint().wait(LONG_MS, { known: 0, signal: abort.signal });
  abort.abort('stopped');
  await expect(wait).rejects.toBe('stopped');
  await expect(new Hint().wait(LONG_MS, { known: 0, signal: abort.signal })).rejects.toBe('stopped');
});
