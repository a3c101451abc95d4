/** Guards of texts that strangers make long, entangled or hidden. */
import type { Guard } from './guards.ts';

const HIDDEN = { files: ['src/security/hidden-text.test.ts'] };
const BUDGET = { files: ['src/worker/prompt-budget.test.ts'] };
const LONG = { files: ['src/forge/gitea-family-long.test.ts'] };

/** Each is the one place where that kind is taken out. */
const CUT_OF: Readonly<Record<string, string>> = {
  footnote: "for (const { start, end } of unused) cuts.add(start, end, 'footnote');",
  'info string': "cuts.add(kept, info.end, 'info string');",
  'heading attribute': "cuts.add(start + at, end, 'heading attribute');",
  'table cell': "cuts.add(excess.start, excess.end, 'table cell');",
  remark: "cuts.add(found.index, found.index + found[0].length, 'remark');",
};

export const WALLS_TEXTS_GUARDS: Guard[] = [
  {
    name: 'texts: a fence for any number of backticks',
    keeps: 'one comment of backticks from failing every run of its item',
    off: [
      {
        file: 'src/config/fence.ts',
        find: "'`'.repeat(longestRun(body) + 1)",
        replace: "'`'.repeat(Math.max(2, ...[...body.matchAll(/`+/g)].map((r) => r[0].length)) + 1)",
      },
    ],
    tests: { files: ['src/config/fence.test.ts'] },
  },
  {
    name: 'texts: marks in marks',
    keeps: 'an answer that repeats our marks in each other from being taken for ours',
    off: [
      {
        file: 'src/outcome/answer.ts',
        find: "return cleaned.replaceAll('<!--', '&lt;!--');",
        replace: 'return cleaned;',
      },
    ],
    tests: { files: ['src/outcome/answer.test.ts'] },
  },
  {
    name: 'texts: beginning that may mention',
    keeps: 'a long text from holding up the service before anybody is asked about its author',
    off: [
      {
        file: 'src/mentions.ts',
        find: 'ownWords(beginningOf(text, LONGEST_FOR_MENTIONS))',
        replace: 'ownWords(text)',
      },
    ],
    tests: { files: ['src/mentions.test.ts'] },
  },
  {
    name: 'texts: long strings of answers cut',
    keeps: 'comments of megabytes from being held whole',
    off: [
      {
        file: 'src/forge/json-reader.ts',
        find: 'if (this.#length < LONGEST_TEXT) this.#pieces!.push(piece);',
        replace: 'this.#pieces!.push(piece);',
      },
      {
        file: 'src/forge/json-reader.ts',
        find: "const text = beginningOf(this.#pieces!.join(''), LONGEST_TEXT);",
        replace: "const text = this.#pieces!.join('');",
      },
    ],
    tests: { files: ['src/forge/json-reader.test.ts'] },
  },
  {
    name: 'texts: old texts let go',
    keeps: 'thousands of long comments from filling the memory',
    off: [
      {
        file: 'src/forge/json-reader.ts',
        find: 'while (this.#keptLength > MOST_KEPT) {',
        replace: 'while (this.#keptLength < 0) {',
      },
    ],
    tests: { files: ['src/forge/json-reader.test.ts'] },
  },
  {
    name: 'texts: lists in pieces',
    keeps: 'the newest comments behind a list that is too long for one answer',
    off: [
      {
        file: 'src/forge/gitea-family-pages.ts',
        find: 'if (answer.isCutShort) {',
        replace: 'if (answer.isCutShort && cuts > MOST_CUT_SHORT) {',
      },
    ],
    tests: LONG,
  },
  {
    name: 'texts: one text cut in its middle',
    keeps: 'one comment from filling the prompt',
    off: [
      {
        file: 'src/worker/prompt-budget.ts',
        find: 'if (missing <= 0 && !goesOn) return { text, isCut: false };',
        replace: 'if (missing <= 0 || !goesOn) return { text, isCut: false };',
      },
    ],
    tests: BUDGET,
  },
  {
    name: 'texts: budget of a prompt',
    keeps: 'many comments from making a request that the model cannot take',
    off: [
      {
        file: 'src/worker/prompt-budget.ts',
        find: 'if (length > this.#left) return false;',
        replace: 'if (length > 1e9) return false;',
      },
    ],
    tests: BUDGET,
  },
  {
    name: 'texts: what woke the agent is shown',
    keeps: 'a flood of comments from pushing out what the agent was asked',
    off: [
      {
        file: 'src/worker/prompt-budget.ts',
        find: '(c) => (woke.has(c.id) ? 0 : c.body.length)',
        replace: '(c) => c.body.length',
      },
    ],
    tests: BUDGET,
  },
  {
    name: 'texts: entangled text is given up',
    keeps: 'containers in containers from being followed for ever',
    off: [
      {
        file: 'src/security/markdown-blocks.ts',
        find: "if (depth >= DEEPEST) return 'too-deep';",
        replace: "if (depth >= 1e9) return 'too-deep';",
      },
    ],
    tests: HIDDEN,
  },
  ...['footnote', 'info string', 'heading attribute', 'table cell', 'remark'].map(
    (kind): Guard => ({
      name: `texts: hidden ${kind}`,
      keeps: 'text that no reader of the forge sees from reaching a prompt',
      off: [{ file: 'src/security/seen-markdown.ts', find: CUT_OF[kind]!, replace: ';' }],
      tests: HIDDEN,
    }),
  ),
  {
    name: 'texts: hidden part of a wiki link',
    keeps: 'titles and texts of wiki pictures from reaching a prompt',
    off: [
      {
        file: 'src/security/inline-reader.ts',
        find: "if (seen !== `[[${content}]]`) this.#cut(at, close + 2, 'wiki link', seen);",
        replace: '',
      },
    ],
    tests: HIDDEN,
  },
  {
    name: 'texts: labels nobody sees',
    keeps: 'the label of a link from carrying words to the agent alone',
    off: [
      {
        file: 'src/security/references.ts',
        find: 'if (!seen.has(label)) cuts.add(',
        replace: 'if (seen.has(label)) cuts.add(',
      },
    ],
    tests: HIDDEN,
  },
  {
    name: 'texts: code is shown',
    keeps: 'comments in code, which people see, visible to the agent',
    off: [
      {
        file: 'src/security/seen-markdown.ts',
        find: "leaf.kind === 'html' || (leaf.kind === 'code' && isDoubtful)",
        replace: "leaf.kind === 'html' || leaf.kind === 'code'",
      },
    ],
    tests: HIDDEN,
  },
  {
    name: 'texts: joiners of scripts and pictures',
    keeps: 'Persian, Hindi and emoji readable',
    off: [
      {
        file: 'src/security/invisible.ts',
        find: 'if (AFTER_LETTER.test(before) || BEFORE_LETTER.test(after)) return true;',
        replace: '',
      },
    ],
    tests: HIDDEN,
  },
  {
    name: 'texts: what is removed is said',
    keeps: 'the agent from believing that it saw a whole text',
    off: [{ file: 'src/worker/prompts.ts', find: '...removedNote(material, form, used),', replace: '' }],
    tests: { files: ['src/worker/context.test.ts'] },
  },
];
