/** The guards of what an agent is offered, and of which model it has; for scripts/guards.ts. */
import type { Guard } from './guard.ts';

const OFFERED = ['src/agent-runner/offered.test.ts'];

export const MODEL_GUARDS: Guard[] = [
  {
    name: 'offer: tools of the CLI',
    keeps:
      'tools for a person at a terminal from being offered to an agent, and those of a new CLI with them',
    off: [{ mark: 'offer: tools of the CLI', becomes: '' }],
    tests: { files: OFFERED, named: 'reviewer' },
  },
  {
    name: 'offer: kinds of subagents',
    keeps: "the CLI's own kinds of subagents from being offered",
    off: [{ mark: 'offer: kinds of subagents', becomes: '' }],
    tests: { files: OFFERED, named: 'reviewer' },
  },
  {
    name: 'offer: bundled skills',
    keeps: 'seven kilobytes about key bindings, status lines and charts from standing in every first prompt',
    off: [
      { mark: 'offer: bundled skills, part 1', becomes: '' },
      { mark: 'offer: bundled skills, part 2', becomes: '' },
    ],
    tests: { files: OFFERED, named: 'reviewer' },
  },
  {
    name: 'offer: memory',
    keeps: 'an agent from being told to keep what it learns where no archive looks',
    off: [
      { mark: 'offer: memory, part 1', becomes: '' },
      { mark: 'offer: memory, part 2', becomes: '' },
    ],
    tests: { files: OFFERED, named: 'reviewer' },
  },
  {
    name: 'offer: memory in an earlier session',
    keeps: 'a resumed session from being told of a memory by the system prompt that its CLI has recorded',
    off: [{ mark: 'offer: memory in an earlier session', becomes: '' }],
    tests: { files: OFFERED, named: 'earlier release' },
  },
  {
    name: 'offer: instructions that were changed',
    keeps: 'an agent from going on with instructions that its operator has replaced',
    off: [{ mark: 'offer: instructions that were changed', becomes: 'if (recorded !== null) return false;' }],
    tests: { files: ['src/agent-runner.test.ts'], named: 'instructions that were changed' },
  },
  {
    name: 'model: tools that the agent does not have',
    keeps: 'a program in the container from offering the model a tool that the agent may not use',
    off: [
      {
        mark: 'model: tools that the agent does not have',
        becomes: "const tool = tools.find((name) => name === '');",
      },
    ],
    tests: { files: ['src/gateway/forbidden.test.ts'], named: 'agent does not have|behind others' },
  },
  {
    name: 'model: another one in a resumed session',
    keeps: 'a conversation from going on with another model without a word',
    off: [
      {
        mark: 'model: another one in a resumed session',
        becomes: 'const former = run.model === `` ? plan.model : null;',
      },
    ],
    tests: { files: OFFERED, named: 'earlier release' },
  },
  {
    name: 'model: its price is not known',
    keeps: 'an operator from believing that a cap in dollars counts a model without a price',
    off: [{ mark: 'model: its price is not known', becomes: '' }],
    tests: { files: ['src/gateway/model-words.test.ts'], named: 'without a price' },
  },
];
