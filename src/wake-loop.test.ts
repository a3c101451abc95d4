import { setImmediate as turn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { startWakeLoop } from './wake-loop.ts';

const HOUR = 3_600_000;

test('works on while there is work, then waits until it is woken', async () => {
  const waits = [0, 0, HOUR, HOUR];
  const step = vi.fn(async () => waits.shift() ?? HOUR);
  const loop = startWakeLoop(step);
  await turn();
  expect(step).toHaveBeenCalledTimes(3);
  loop.wake();
  await turn();
  expect(step).toHaveBeenCalledTimes(4);
  await loop.stop();
  expect(step).toHaveBeenCalledTimes(4);
});

test('looks by itself when its time has come', async () => {
  let looked: () => void;
  const second = new Promise<void>((resolve) => {
    looked = resolve;
  });
  let steps = 0;
  const loop = startWakeLoop(async () => {
    if (++steps === 2) looked();
    return steps === 1 ? 1 : HOUR;
  });
  await second;
  await loop.stop();
  expect(steps).toBe(2);
});

test('a wake during a step is not lost', async () => {
  const ends: (() => void)[] = [];
  const step = vi.fn(() => new Promise<number>((resolve) => ends.push(() => resolve(HOUR))));
  const loop = startWakeLoop(step);
  loop.wake();
  ends[0]!();
  await turn();
  expect(step).toHaveBeenCalledTimes(2);
  const stopped = loop.stop();
  ends[1]!();
  await stopped;
});

test('stopping lets the step that runs come to its end, and begins no other', async () => {
  let end: () => void = () => {};
  const step = vi.fn(
    () =>
      new Promise<number>((resolve) => {
        end = () => resolve(0);
      }),
  );
  const loop = startWakeLoop(step);
  let isStopped = false;
  const stopped = loop.stop().then(() => {
    isStopped = true;
  });
  await turn();
  expect(isStopped).toBe(false);
  end();
  await stopped;
  expect(step).toHaveBeenCalledTimes(1);
});

test('an error of a step is told by stop', async () => {
  const loop = startWakeLoop(async () => {
    throw new Error('broken');
  });
  await expect(loop.stop()).rejects.toThrow('broken');
});
