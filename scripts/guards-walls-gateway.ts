/** The guards of what may be asked of the model, for scripts/guards.ts. */
import type { Guard } from './guards.ts';

const FORBIDDEN = ['src/gateway/forbidden.test.ts'];

export const WALLS_GATEWAY_GUARDS: Guard[] = [
  {
    name: 'model: fields of a request',
    keeps: 'an agent from having the model’s side use MCP servers, containers or files with our key',
    off: [
      {
        file: 'src/gateway/forms.ts',
        find: '      : here(`is ${UNLISTED}`);',
        replace: '      : null;',
      },
    ],
    tests: { files: FORBIDDEN, named: 'MCP servers|a container|allowed|nobody knows' },
  },
  {
    name: 'model: tools and sources by their type',
    keeps: 'an agent from having the model’s side search, fetch addresses or run code with our key',
    off: [
      {
        file: 'src/gateway/forms.ts',
        find: 'if (one !== undefined && !one.includes(value))',
        replace: 'if (one !== undefined && value === ``)',
      },
      {
        file: 'src/gateway/forms.ts',
        find: "  if (!Object.hasOwn(named, type)) return within('type',",
        replace: "  if (!Object.hasOwn(named, type)) return null;\n  if (type === '') return within('type',",
      },
    ],
    tests: { files: FORBIDDEN, named: 'web search|by address|by file' },
  },
  {
    name: 'model: what is read is what is sent',
    keeps: 'something from going on that stood there under the same name twice',
    off: [
      {
        file: 'src/gateway/inspection.ts',
        find: 'return anew === json ? bytes : Buffer.from(anew);',
        replace: 'return anew === `` ? Buffer.from(anew) : bytes;',
      },
    ],
    tests: { files: FORBIDDEN, named: 'given twice' },
  },
  {
    name: 'model: compressed bodies',
    keeps: 'a body from being read by the model’s side in another way than by us',
    off: [
      {
        file: 'src/gateway/admission.ts',
        find: "(headers['content-encoding'] ?? 'identity') !== 'identity'",
        replace: "headers['content-encoding'] === ''",
      },
    ],
    tests: { files: FORBIDDEN, named: 'compressed' },
  },
  {
    name: 'model: character sets',
    keeps: 'a body from being read in another character set',
    off: [
      {
        file: 'src/gateway/admission.ts',
        find: '.test(type)) {',
        replace: ".test(type) && type === '') {",
      },
    ],
    tests: { files: FORBIDDEN, named: 'character set, by its name|a form' },
  },
  {
    name: 'model: betas',
    keeps: 'an agent from switching on what the model’s side can do',
    off: [
      {
        file: 'src/gateway/admission.ts',
        find: '(beta) => !Object.hasOwn(BETAS, beta) &&',
        replace: "(beta) => beta === '' &&",
      },
    ],
    tests: { files: FORBIDDEN, named: 'a beta|the long context' },
  },
  {
    name: 'model: prices',
    keeps: 'an agent from choosing a model that costs more than its own',
    off: [
      {
        file: 'src/gateway/door.ts',
        find: 'if (!mayName(model, at.run.models, at.prices))',
        replace: 'if (!mayName(model, { agent: model, small: null }, at.prices))',
      },
    ],
    tests: { files: FORBIDDEN, named: 'costs more' },
  },
  {
    name: 'model: values and depth of a request',
    keeps: 'a request from taking gigabytes, and from being nested deeper than what walks it can go',
    off: [
      {
        file: 'src/gateway/inspection.ts',
        find: '  if (values > MOST_VALUES)',
        replace: '  if (values < 0)',
      },
      {
        file: 'src/gateway/inspection.ts',
        find: '  if (depth > MOST_DEPTH)',
        replace: '  if (depth < 0)',
      },
    ],
    tests: { files: FORBIDDEN, named: 'levels|two million' },
  },
  {
    name: 'model: tools that fetch',
    keeps: 'WebSearch and WebFetch from being offered to an agent, or to a subagent of a repository',
    off: [
      {
        file: 'src/agent-runner/run-cli.ts',
        find: '    tools: builtIn,',
        replace: '    tools: [...builtIn, `WebSearch`, `WebFetch`],',
      },
    ],
    tests: { files: ['src/agent-runner/offered.test.ts'], named: 'reviewer' },
  },
  {
    name: 'model: tools that fetch, in an agent’s file',
    keeps: 'an operator from believing that an agent has WebSearch',
    off: [
      {
        file: 'src/config/agent-file.ts',
        find: 'if (refused !== undefined) {',
        replace: "if (refused === '') {",
      },
    ],
    tests: { files: ['src/config/folders.test.ts'], named: 'searches the web|by its rule' },
  },
];
