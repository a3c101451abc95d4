import { describe, expect, test } from 'vitest';
import { AT_START, after, type Signal, stageOf } from './turns.ts';

const stageAfter = (...signals: Signal[]) => stageOf(signals.reduce(after, AT_START));
const DONE: Signal = { kind: 'result', isError: false };
const FAILED: Signal = { kind: 'result', isError: true };
const INIT: Signal = { kind: 'init' };
const HANDED: Signal = { kind: 'handed', id: 'a' };
const input = (state: string): Signal => ({ kind: 'input', id: 'a', state });
const running = (...ids: string[]): Signal => ({
  kind: 'background',
  tasks: ids.map((id) => ({ id, kind: 'local_agent', description: '' })),
});

describe('a run', () => {
  test.each<[string, Signal[], ReturnType<typeof stageOf>]>([
    ['has begun', [], 'turn'],
    ['came to the end of its turn', [INIT, DONE], 'over'],
    ['has input that no turn has taken', [INIT, HANDED, input('queued'), DONE], 'turn'],
    ['has taken its input in mid-turn', [INIT, HANDED, input('started'), DONE], 'over'],
    ['began a turn with its input', [INIT, HANDED, DONE, input('started')], 'turn'],
    ['has lost an input that was cancelled', [INIT, HANDED, DONE, input('cancelled')], 'over'],
    ['has left work in the background', [INIT, running('x'), DONE], 'background'],
    ['has work in the background, and goes on', [INIT, running('x'), DONE, INIT], 'turn'],
    ['has work left of two', [INIT, running('x', 'y'), DONE, running('y')], 'background'],
    ['has none left', [INIT, running('x'), DONE, running()], 'over'],
    ['failed, whatever waits', [INIT, running('x'), HANDED, FAILED], 'over'],
  ])('that %s', (_what, signals, stage) => {
    expect(stageAfter(...signals)).toBe(stage);
  });
});
