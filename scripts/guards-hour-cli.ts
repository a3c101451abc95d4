/** The guards of "commands say what they take, and take what they say", for scripts/guards.ts. */
import type { Guard } from './guards.ts';

const TABLE = ['src/cli/commands.test.ts'];
const REFERENCES = ['src/inspection/references.test.ts'];

export const HOUR_CLI_GUARDS: Guard[] = [
  {
    name: 'cli: numbers are refused in words',
    keeps: 'a limit that is no number from becoming NaN in a query',
    off: [
      {
        file: 'src/cli/option-values.ts',
        find: '  if (value >= least && value <= most) return value;',
        replace: '  if (value !== least - 1) return value;',
      },
    ],
    tests: { files: [...TABLE, 'src/cli/option-values.test.ts'], named: 'refused in words' },
  },
  {
    name: 'cli: a date that does not exist is none',
    keeps: 'the 31st of February from being the 3rd of March',
    off: [
      {
        file: 'src/cli/option-values.ts',
        find: 'const isReal = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);',
        replace: 'const isReal = !Number.isNaN(midnight.getTime());',
      },
    ],
    tests: { files: ['src/cli/option-values.test.ts'] },
  },
  {
    name: 'cli: errors are JSON where answers are',
    keeps: 'a script from having to read sentences',
    off: [
      {
        file: 'src/cli/program.ts',
        find: "const isJson = (end === -1 ? args : args.slice(0, end)).includes('--json');",
        replace: 'const isJson = end > 0;',
      },
    ],
    tests: { files: TABLE, named: 'refused' },
  },
  {
    name: 'cli: an error leaves standard output empty',
    keeps: 'an error from being taken for an answer',
    off: [
      {
        file: 'src/cli/program.ts',
        find: '  caller.complain(`${isJson',
        replace: '  caller.write(`${isJson',
      },
    ],
    tests: { files: TABLE, named: 'refused' },
  },
  {
    name: 'cli: no colour in a pipe',
    keeps: 'escape codes out of files and other programs',
    off: [
      {
        file: 'src/cli/shared.ts',
        find: 'return hasColours ? coloured : plain;',
        replace: 'return hasColours === null ? plain : coloured;',
      },
    ],
    tests: { files: TABLE, named: 'colour' },
  },
  {
    name: 'cli: every help shows the options of all commands',
    keeps: 'people from not finding --config',
    off: [{ file: 'src/cli/program.ts', find: '      showGlobalOptions: true,\n', replace: '' }],
    tests: { files: TABLE, named: 'help shows -c' },
  },
  {
    name: 'cli: an ambiguous id is not the first that fits',
    keeps: 'a command from showing, or changing, what nobody meant',
    off: [
      {
        file: 'src/inspection/references.ts',
        find: '  if (found.length > 1) throw severalOf(reference.text, found);\n',
        replace: '',
      },
    ],
    tests: { files: REFERENCES },
  },
  {
    name: 'cli: the name of a forge counts in a reference',
    keeps: 'the item of one forge from standing for that of another',
    off: [
      {
        file: 'src/inspection/references.ts',
        find: "return await (item.forge === null ? query : query.where('c.forge', '=', item.forge)).execute();",
        replace: 'return await query.execute();',
      },
    ],
    tests: { files: REFERENCES },
  },
  {
    name: 'cli: an answer is not posted for the id of another dispatch',
    keeps: 'an answer from going out that nobody meant',
    off: [
      {
        file: 'src/inspection/unposted.ts',
        find: "findConversations(rows, reference, ['conversation'])",
        replace: 'findConversations(rows, reference)',
      },
    ],
    tests: { files: REFERENCES, named: 'of another dispatch' },
  },
  {
    name: 'cli: a delivery keeps what it was about',
    keeps: 'deliveries that woke nobody from being lost to those who ask about the item',
    off: [{ file: 'src/dispatcher.ts', find: 'about: aboutOf(facts), ', replace: 'about: null, ' }],
    tests: { files: ['src/inspection/deliveries.test.ts'] },
  },
  {
    name: 'cli: how the last dispatch ended is a state',
    keeps: 'a failed conversation from looking idle',
    off: [
      {
        file: 'src/inspection/conversation-state.ts',
        find: "if (last?.state !== 'failed' && last?.state !== 'unposted') {",
        replace: 'if (last !== undefined) {',
      },
    ],
    tests: { files: ['src/inspection/conversations.test.ts'], named: 'a failure and both refusals' },
  },
];
