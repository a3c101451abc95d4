import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { KeyedMutex, Mutex } from './mutex.ts';

/** Work that ends when it is told to, and keeps what began and ended in which order. */
function steps() {
  const seen: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => async () => {
    seen.push(`${name} begins`);
    await new Promise<void>((resolve) => ends.set(name, resolve));
    seen.push(`${name} ends`);
    return name;
  };
  return { seen, work, end: (name: string) => ends.get(name)!() };
}

describe('a mutex', () => {
  test('lets one work at a time, in the order of asking', async () => {
    const mutex = new Mutex();
    const { seen, work, end } = steps();
    const all = [mutex.hold(work('a')), mutex.hold(work('b'))];
    await turn();
    expect(seen).toEqual(['a begins']);
    end('a');
    await turn();
    expect(seen).toEqual(['a begins', 'a ends', 'b begins']);
    end('b');
    expect(await Promise.all(all)).toEqual(['a', 'b']);
  });

  test('goes on after work that failed, whose caller hears of it', async () => {
    const mutex = new Mutex();
    const failed = mutex.hold(() => {
      throw new Error('no');
    });
    const next = mutex.hold(() => 'next');
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('next');
  });

  test('is idle when all that was asked for has ended', async () => {
    const mutex = new Mutex();
    const { seen, work, end } = steps();
    void mutex.hold(work('a'));
    const idle = mutex.idle().then(() => seen.push('idle'));
    await turn();
    end('a');
    await idle;
    expect(seen).toEqual(['a begins', 'a ends', 'idle']);
  });
});

describe('a keyed mutex', () => {
  test('lets keys work beside each other, and keeps none that is free', async () => {
    const mutex = new KeyedMutex();
    const { seen, work, end } = steps();
    const all = [mutex.hold('x', work('x1')), mutex.hold('x', work('x2')), mutex.hold('y', work('y1'))];
    await turn();
    expect(seen).toEqual(['x1 begins', 'y1 begins']);
    expect(mutex.size).toBe(2);
    end('y1');
    end('x1');
    await turn();
    expect(seen.at(-1)).toBe('x2 begins');
    end('x2');
    await Promise.all(all);
    await expect(mutex.hold('x', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(mutex.size).toBe(0);
  });
});
