/** Guards of texts that strangers make long, entangled or hidden. */
import type { Guard } from './guard.ts';

const HIDDEN = { files: ['src/security/hidden-text.test.ts'] };
const BUDGET = { files: ['src/dispatch/converse/prompt-budget.test.ts'] };
const LONG = { files: ['src/forges/gitea/long.test.ts'] };

export const TEXTS_GUARDS: Guard[] = [
  {
    name: 'texts: a fence for any number of backticks',
    keeps: 'one comment of backticks from failing every run of its item',
    off: [
      {
        mark: 'texts: a fence for any number of backticks',
        becomes:
          "const fence = '`'.repeat(Math.max(2, ...[...body.matchAll(/`+/g)].map((r) => r[0].length)) + 1);",
      },
    ],
    tests: { files: ['src/config/fence.test.ts'] },
  },
  {
    name: 'texts: marks in marks',
    keeps: 'an answer that repeats our marks in each other from being taken for ours',
    off: [{ mark: 'texts: marks in marks', becomes: 'return cleaned;' }],
    tests: { files: ['src/outcome/answer.test.ts'] },
  },
  {
    name: 'texts: beginning that may mention',
    keeps: 'a long text from holding up the service before anybody is asked about its author',
    off: [
      {
        mark: 'texts: beginning that may mention',
        lines: 1,
        becomes: 'for (const match of ownWords(text).matchAll(MENTION)) {',
      },
    ],
    tests: { files: ['src/mentions.test.ts'] },
  },
  {
    name: 'texts: long strings of answers cut',
    keeps: 'comments of megabytes from being held whole',
    off: [
      { mark: 'texts: long strings of answers cut, part 1', becomes: 'this.#pieces!.push(piece);' },
      { mark: 'texts: long strings of answers cut, part 2', becomes: "const text = this.#pieces!.join('');" },
    ],
    tests: { files: ['src/forges/json-reader.test.ts'] },
  },
  {
    name: 'texts: old texts let go',
    keeps: 'thousands of long comments from filling the memory',
    off: [{ mark: 'texts: old texts let go', lines: 1, becomes: 'while (this.#keptLength < 0) {' }],
    tests: { files: ['src/forges/json-reader.test.ts'] },
  },
  {
    name: 'texts: lists in pieces',
    keeps: 'the newest comments behind a list that is too long for one answer',
    off: [
      {
        mark: 'texts: lists in pieces',
        lines: 1,
        becomes: 'if (answer.isCutShort && cuts > MOST_CUT_SHORT) {',
      },
    ],
    tests: LONG,
  },
  {
    name: 'texts: one text cut in its middle',
    keeps: 'one comment from filling the prompt',
    off: [
      {
        mark: 'texts: one text cut in its middle',
        becomes: 'if (missing <= 0 || !goesOn) return { text, isCut: false };',
      },
    ],
    tests: BUDGET,
  },
  {
    name: 'texts: budget of a prompt',
    keeps: 'many comments from making a request that the model cannot take',
    off: [{ mark: 'texts: budget of a prompt', becomes: 'if (length > 1e9) return false;' }],
    tests: BUDGET,
  },
  {
    name: 'texts: what woke the agent is shown',
    keeps: 'a flood of comments from pushing out what the agent was asked',
    off: [
      {
        mark: 'texts: what woke the agent is shown',
        becomes: 'const comments = newestThatFit(all.comments, room, (c) => c.body.length);',
      },
    ],
    tests: BUDGET,
  },
  {
    name: 'texts: entangled text is given up',
    keeps: 'containers in containers from being followed for ever',
    off: [{ mark: 'texts: entangled text is given up', becomes: "if (depth >= 1e9) return 'too-deep';" }],
    tests: HIDDEN,
  },
  ...['footnote', 'info string', 'heading attribute', 'table cell', 'remark'].map(
    (kind): Guard => ({
      name: `texts: hidden ${kind}`,
      keeps: 'text that no reader of the forge sees from reaching a prompt',
      off: [{ mark: `texts: hidden ${kind}`, becomes: '' }],
      tests: HIDDEN,
    }),
  ),
  {
    name: 'texts: hidden part of a wiki link',
    keeps: 'titles and texts of wiki pictures from reaching a prompt',
    off: [{ mark: 'texts: hidden part of a wiki link', becomes: '' }],
    tests: HIDDEN,
  },
  {
    name: 'texts: labels nobody sees',
    keeps: 'the label of a link from carrying words to the agent alone',
    off: [
      {
        mark: 'texts: labels nobody sees',
        becomes:
          "if (seen.has(label)) cuts.add(start, end, 'label', `(${seenAddress(addresses.get(label) ?? '')})`);",
      },
    ],
    tests: HIDDEN,
  },
  {
    name: 'texts: code is shown',
    keeps: 'comments in code, which people see, visible to the agent',
    off: [
      {
        mark: 'texts: code is shown',
        lines: 1,
        becomes: "if (leaf.kind === 'html' || leaf.kind === 'code') {",
      },
    ],
    tests: HIDDEN,
  },
  {
    name: 'texts: joiners of scripts and pictures',
    keeps: 'Persian, Hindi and emoji readable',
    off: [{ mark: 'texts: joiners of scripts and pictures', becomes: '' }],
    tests: HIDDEN,
  },
  {
    name: 'texts: what is removed is said',
    keeps: 'the agent from believing that it saw a whole text',
    off: [{ mark: 'texts: what is removed is said', becomes: '' }],
    tests: { files: ['src/dispatch/gather/gather.test.ts'] },
  },
];
