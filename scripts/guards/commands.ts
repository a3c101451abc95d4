/** The guards of "commands say what they take, and take what they say", for scripts/guards.ts. */
import type { Guard } from './guard.ts';

const TABLE = ['src/cli/commands.test.ts'];
const REFERENCES = ['src/views/references.test.ts'];

export const COMMANDS_GUARDS: Guard[] = [
  {
    name: 'cli: numbers are refused in words',
    keeps: 'a limit that is no number from becoming NaN in a query',
    off: [{ mark: 'cli: numbers are refused in words', becomes: 'if (value !== least - 1) return value;' }],
    tests: { files: [...TABLE, 'src/cli/option-values.test.ts'], named: 'refused in words' },
  },
  {
    name: 'cli: a date that does not exist is none',
    keeps: 'the 31st of February from being the 3rd of March',
    off: [
      {
        mark: 'cli: a date that does not exist is none',
        becomes: 'const isReal = !Number.isNaN(midnight.getTime());',
      },
    ],
    tests: { files: ['src/cli/option-values.test.ts'] },
  },
  {
    name: 'cli: errors are JSON where answers are',
    keeps: 'a script from having to read sentences',
    off: [{ mark: 'cli: errors are JSON where answers are', becomes: 'const isJson = end > 0;' }],
    tests: { files: TABLE, named: 'refused' },
  },
  {
    name: 'cli: an error leaves standard output empty',
    keeps: 'an error from being taken for an answer',
    off: [
      {
        mark: 'cli: an error leaves standard output empty',
        becomes: 'caller.write(`${isJson ? JSON.stringify(failure, null, 2) : failure.error.message}\\n`);',
      },
    ],
    tests: { files: TABLE, named: 'refused' },
  },
  {
    name: 'cli: no colour in a pipe',
    keeps: 'escape codes out of files and other programs',
    off: [{ mark: 'cli: no colour in a pipe', becomes: 'return hasColours === null ? plain : coloured;' }],
    tests: { files: TABLE, named: 'colour' },
  },
  {
    name: 'cli: every help shows the options of all commands',
    keeps: 'people from not finding --config',
    off: [{ mark: 'cli: every help shows the options of all commands', becomes: '' }],
    tests: { files: TABLE, named: 'help shows -c' },
  },
  {
    name: 'cli: an ambiguous id is not the first that fits',
    keeps: 'a command from showing, or changing, what nobody meant',
    off: [{ mark: 'cli: an ambiguous id is not the first that fits', becomes: '' }],
    tests: { files: REFERENCES },
  },
  {
    name: 'cli: the name of a forge counts in a reference',
    keeps: 'the item of one forge from standing for that of another',
    off: [
      { mark: 'cli: the name of a forge counts in a reference', becomes: 'return await query.execute();' },
    ],
    tests: { files: REFERENCES },
  },
  {
    name: 'cli: an answer is not posted for the id of another dispatch',
    keeps: 'an answer from going out that nobody meant',
    off: [
      {
        mark: 'cli: an answer is not posted for the id of another dispatch',
        becomes: 'const conversations = await findConversations(rows, reference);',
      },
    ],
    tests: { files: REFERENCES, named: 'of another dispatch' },
  },
  {
    name: 'cli: a delivery keeps what it was about',
    keeps: 'deliveries that woke nobody from being lost to those who ask about the item',
    off: [
      {
        mark: 'cli: a delivery keeps what it was about',
        becomes: 'const about = aboutOf(event === null ? event : null);',
      },
    ],
    tests: { files: ['src/views/deliveries.test.ts'] },
  },
  {
    name: 'cli: how the last dispatch ended is a state',
    keeps: 'a failed conversation from looking idle',
    off: [
      { mark: 'cli: how the last dispatch ended is a state', lines: 1, becomes: 'if (last !== undefined) {' },
    ],
    tests: { files: ['src/views/conversations.test.ts'], named: 'a failure and both refusals' },
  },
];
