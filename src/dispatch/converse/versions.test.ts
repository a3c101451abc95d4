import { expect, test } from 'vitest';
import { changesBetween, type Versions } from './versions.ts';

const USUAL: Versions = {
  model: 'sonnet',
  effort: null,
  skill: { name: 'work', digest: 'a' },
  flow: { name: 'assigned', digest: 'b' },
  instructions: 'c',
};

const changes = (now: Partial<Versions>, ...earlier: Partial<Versions>[]) => {
  const all = earlier.length === 0 ? [USUAL] : earlier.map((one) => ({ ...USUAL, ...one }));
  return changesBetween({ last: all[0]!, earlier: all, now: { ...USUAL, ...now } });
};

test('nothing is said where nothing changed, and of each change a sentence', () => {
  expect(changes({})).toEqual([]);
  expect(changes({ model: 'opus', effort: 'high', instructions: 'd' })).toEqual([
    'You run with the model opus now; your last turn was sonnet’s.',
    'Your effort is high now; it was the default.',
    'The operator changed your instructions.',
  ]);
});

test('a skill and a flow are compared with the last time they woke the agent', () => {
  const other = { skill: { name: 'answer', digest: 'x' }, flow: { name: 'comments', digest: 'y' } };
  expect(changes(other)).toEqual([]);
  expect(changes({ skill: { name: 'work', digest: 'new' } }, other, {})).toEqual([
    'The skill work that woke you was changed since it last did.',
  ]);
  expect(changes({ flow: { name: 'assigned', digest: 'new' } })).toEqual([
    'The flow assigned that woke you was changed since it last did.',
  ]);
});
