/** Budgets and the loop court. */
import type { Guard } from './guard.ts';

const COURT = ['test/court/court.test.ts'];
const BUDGETS = ['test/properties/budgets.test.ts'];

export const MONEY_GUARDS: Guard[] = [
  {
    name: 'court: no progress',
    keeps: 'agents that leave nothing from being run for ever',
    off: [{ mark: 'court: no progress', becomes: '' }],
    tests: { files: COURT, named: 'praise each other' },
  },
  {
    name: 'court: rounds between agents',
    keeps: 'two agents from going on with each other for ever',
    off: [{ mark: 'court: rounds between agents', becomes: '' }],
    tests: { files: COURT, named: 'never approves' },
  },
  {
    name: 'court: programs in a row',
    keeps: 'robots and CI from waking an agent for ever',
    off: [{ mark: 'court: programs in a row', becomes: '' }],
    tests: { files: COURT, named: 'mention-back|never settles|31 minutes' },
  },
  {
    name: 'court: hourly cap of an item',
    keeps: 'a program that nobody has named from waking an agent as fast as it can',
    off: [{ mark: 'court: hourly cap of an item', becomes: 'if (startedAt.length < 1e9) return null;' }],
    tests: { files: COURT, named: '20 runs an hour' },
  },
  {
    name: 'court: robots by account',
    keeps: 'a program that writes like a person from passing for one',
    off: [{ mark: 'court: robots by account', becomes: '' }],
    tests: { files: COURT, named: 'echo|quota|31 minutes' },
  },
  {
    name: 'budget: requests under way count at their most',
    keeps: 'requests at once from passing a cap together',
    off: [{ mark: 'budget: requests under way count at their most', becomes: '' }],
    tests: { files: BUDGETS, named: 'no cap is passed' },
  },
  {
    name: 'budget: spent',
    keeps: 'requests from being sent when a budget is spent',
    off: [{ mark: 'budget: spent', becomes: '' }],
    tests: { files: ['src/budgets/budgets.test.ts'], named: 'holds its scope' },
  },
  {
    name: 'budget: a reservation goes with its row',
    keeps: 'what was settled from being counted twice',
    off: [{ mark: 'budget: a reservation goes with its row', becomes: '' }],
    tests: { files: ['src/budgets/budgets.test.ts'], named: 'counts once' },
  },
  {
    name: 'budget: a model without a price',
    keeps: 'a budget in dollars from being passed by a model whose price is not known',
    off: [
      {
        mark: 'budget: a model without a price',
        becomes: 'const unpriced = undefined as Standing | undefined;',
      },
    ],
    tests: { files: ['src/budgets/budgets.test.ts'], named: 'without a price' },
  },
  {
    name: 'budget: a warning before it is spent',
    keeps: 'people from learning of a spent budget only when it is',
    off: [{ mark: 'budget: a warning before it is spent', becomes: 'if (share * 100 < 1e9) continue;' }],
    tests: { files: ['src/budgets/budgets.test.ts'], named: 'warned of once' },
  },
  {
    name: 'budget: quiet hours',
    keeps: 'runs from beginning in quiet hours',
    off: [{ mark: 'budget: quiet hours', becomes: 'return wanted;' }],
    tests: { files: ['src/budgets/budgets.test.ts'], named: 'quiet hours' },
  },
  {
    name: 'budget: what must be left for a start',
    keeps: 'runs from beginning that would be cut off soon after',
    off: [{ mark: 'budget: what must be left for a start', becomes: 'return [];' }],
    tests: { files: ['src/budgets/budgets.test.ts'], named: 'enough is left' },
  },
];
