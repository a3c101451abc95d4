/** The guards of what an agent is offered, and of which model it has; for scripts/guards.ts. */
import type { Guard } from './guards.ts';

const OFFERED = ['src/agent-runner/offered.test.ts'];

export const HOUR_MODEL_GUARDS: Guard[] = [
  {
    name: 'offer: tools of the CLI',
    keeps:
      'tools for a person at a terminal from being offered to an agent, and those of a new CLI with them',
    off: [{ file: 'src/agent-runner/run-cli.ts', find: '    tools: builtIn,\n', replace: '' }],
    tests: { files: OFFERED, named: 'reviewer' },
  },
  {
    name: 'offer: kinds of subagents',
    keeps: "the CLI's own kinds of subagents from being offered",
    off: [
      {
        file: 'src/agent-runner/environment.ts',
        find: "    CLAUDE_AGENT_SDK_DISABLE_BUILTIN_AGENTS: '1',\n",
        replace: '',
      },
    ],
    tests: { files: OFFERED, named: 'reviewer' },
  },
  {
    name: 'offer: bundled skills',
    keeps: 'seven kilobytes about key bindings, status lines and charts from standing in every first prompt',
    off: [
      {
        file: 'src/agent-runner/environment.ts',
        find: "    CLAUDE_CODE_DISABLE_BUNDLED_SKILLS: '1',\n",
        replace: '',
      },
      {
        file: 'src/agent-runner/project-limits.ts',
        find: '      disableBundledSkills: true,\n',
        replace: '',
      },
    ],
    tests: { files: OFFERED, named: 'reviewer' },
  },
  {
    name: 'offer: memory',
    keeps: 'an agent from being told to keep what it learns where no archive looks',
    off: [
      {
        file: 'src/agent-runner/environment.ts',
        find: "    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',\n",
        replace: '',
      },
      { file: 'src/agent-runner/project-limits.ts', find: '      autoMemoryEnabled: false,\n', replace: '' },
    ],
    tests: { files: OFFERED, named: 'reviewer' },
  },
  {
    name: 'offer: memory in an earlier session',
    keeps: 'a resumed session from being told of a memory by the system prompt that its CLI has recorded',
    off: [
      {
        file: 'src/sessions/recorded-prompt.ts',
        find: '  if (session.told_of_memory === 1) return true;\n',
        replace: '',
      },
    ],
    tests: { files: OFFERED, named: 'earlier release' },
  },
  {
    name: 'offer: instructions that were changed',
    keeps: 'an agent from going on with instructions that its operator has replaced',
    off: [
      {
        file: 'src/sessions/recorded-prompt.ts',
        find: 'return recorded !== digest;',
        replace: 'return false;',
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'instructions that were changed' },
  },
  {
    name: 'model: tools that the agent does not have',
    keeps: 'a program in the container from offering the model a tool that the agent may not use',
    off: [
      {
        file: 'src/gateway/door.ts',
        find: 'tools.find((name) => !at.run.tools.includes(name))',
        replace: "tools.find((name) => name === '')",
      },
    ],
    tests: { files: ['src/gateway/forbidden.test.ts'], named: 'agent does not have|behind others' },
  },
  {
    name: 'model: another one in a resumed session',
    keeps: 'a conversation from going on with another model without a word',
    off: [
      {
        file: 'src/agent-runner/conclude.ts',
        find: 'run.model === null || plan.model === run.model ? null : plan.model',
        replace: 'run.model === `` ? plan.model : null',
      },
    ],
    tests: { files: OFFERED, named: 'earlier release' },
  },
  {
    name: 'model: its price is not known',
    keeps: 'an operator from believing that a cap in dollars counts a model without a price',
    off: [
      {
        file: 'src/gateway/model-words.ts',
        find: '...(price === null ? [unpriced(agent, model)] : []),',
        replace: '',
      },
    ],
    tests: { files: ['src/gateway/model-words.test.ts'], named: 'without a price' },
  },
];
