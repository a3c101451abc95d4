/** The guards of what may be asked of the model, for scripts/guards.ts. */
import type { Guard } from './guard.ts';

const FORBIDDEN = ['src/gateway/forbidden.test.ts'];

export const GATEWAY_ABUSE_GUARDS: Guard[] = [
  {
    name: 'model: fields of a request',
    keeps: 'an agent from having the model’s side use MCP servers, containers or files with our key',
    off: [
      {
        mark: 'model: fields of a request',
        becomes:
          'const misfit = Object.hasOwn(form.fields, name) ? findMisfit(value[name], form.fields[name]!) : null;',
      },
    ],
    tests: { files: FORBIDDEN, named: 'MCP servers|a container|allowed|nobody knows' },
  },
  {
    name: 'model: tools and sources by their type',
    keeps: 'an agent from having the model’s side search, fetch addresses or run code with our key',
    off: [
      {
        mark: 'model: tools and sources by their type, part 1',
        becomes:
          'if (one !== undefined && value === ``) return here(`is ${shown(value)}, which is ${UNLISTED}`);',
      },
      {
        mark: 'model: tools and sources by their type, part 2',
        becomes:
          "if (!Object.hasOwn(named, type)) return null;\nif (type === '') return within('type', here(`is ${shown(type)}, which is ${UNLISTED}`));",
      },
    ],
    tests: { files: FORBIDDEN, named: 'web search|by address|by file' },
  },
  {
    name: 'model: what is read is what is sent',
    keeps: 'something from going on that stood there under the same name twice',
    off: [
      {
        mark: 'model: what is read is what is sent',
        becomes: 'return anew === `` ? Buffer.from(anew) : bytes;',
      },
    ],
    tests: { files: FORBIDDEN, named: 'given twice' },
  },
  {
    name: 'model: compressed bodies',
    keeps: 'a body from being read by the model’s side in another way than by us',
    off: [
      { mark: 'model: compressed bodies', lines: 1, becomes: "if (headers['content-encoding'] === '') {" },
    ],
    tests: { files: FORBIDDEN, named: 'compressed' },
  },
  {
    name: 'model: character sets',
    keeps: 'a body from being read in another character set',
    off: [
      {
        mark: 'model: character sets',
        lines: 1,
        becomes: 'if (!/^application\\/json(\\s*;\\s*charset="?utf-8"?)?$/i.test(type) && type === \'\') {',
      },
    ],
    tests: { files: FORBIDDEN, named: 'character set, by its name|a form' },
  },
  {
    name: 'model: betas',
    keeps: 'an agent from switching on what the model’s side can do',
    off: [
      {
        mark: 'model: betas',
        becomes: "(beta) => beta === '' && !(longContext && beta === LONG_CONTEXT_BETA),",
      },
    ],
    tests: { files: FORBIDDEN, named: 'a beta|the long context' },
  },
  {
    name: 'model: prices',
    keeps: 'an agent from choosing a model that costs more than its own',
    off: [
      {
        mark: 'model: prices',
        becomes:
          'if (!mayName(model, { agent: model, small: null }, at.prices)) return refuse(at, request, response, dearer(at, model));',
      },
    ],
    tests: { files: FORBIDDEN, named: 'costs more' },
  },
  {
    name: 'model: values and depth of a request',
    keeps: 'a request from taking gigabytes, and from being nested deeper than what walks it can go',
    off: [
      {
        mark: 'model: values and depth of a request, part 1',
        becomes: 'if (values < 0) return tooMuch(`has more than ${MOST_VALUES} values`);',
      },
      {
        mark: 'model: values and depth of a request, part 2',
        becomes: 'if (depth < 0) return tooMuch(`is nested more than ${MOST_DEPTH} levels deep`);',
      },
    ],
    tests: { files: FORBIDDEN, named: 'levels|two million' },
  },
  {
    name: 'model: tools that fetch',
    keeps: 'WebSearch and WebFetch from being offered to an agent, or to a subagent of a repository',
    off: [{ mark: 'model: tools that fetch', becomes: 'tools: [...builtIn, `WebSearch`, `WebFetch`],' }],
    tests: { files: ['src/agent-runner/offered.test.ts'], named: 'reviewer' },
  },
  {
    name: 'model: tools that fetch, in an agent’s file',
    keeps: 'an operator from believing that an agent has WebSearch',
    off: [
      { mark: 'model: tools that fetch, in an agent’s file', lines: 1, becomes: "if (refused === '') {" },
    ],
    tests: { files: ['src/config/folders.test.ts'], named: 'searches the web|by its rule' },
  },
];
