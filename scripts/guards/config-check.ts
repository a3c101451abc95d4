/** The configuration's mistakes, a pooler in front of PostgreSQL, and what programs say. */
import type { Guard } from './guard.ts';

const MISTAKES = ['src/config/mistakes.test.ts'];
const POOLER = ['src/database/pooler.test.ts'];
const PROGRAM = ['src/program.test.ts'];

export const CONFIG_CHECK_GUARDS: Guard[] = [
  {
    name: 'the output of a failed program is not made into a message',
    keeps: 'a git that prints control characters from holding up everything for seconds',
    off: [{ mark: 'the output of a failed program is not made into a message', becomes: 'buffer: true,' }],
    tests: { files: PROGRAM, named: 'control characters' },
  },
  {
    name: 'an endless answer ends its program',
    keeps: 'the memory of the service from being filled by one command',
    off: [{ mark: 'an endless answer ends its program', becomes: '' }],
    tests: { files: PROGRAM, named: 'endless answer' },
  },
  {
    name: 'no half of a token where the error output is cut',
    keeps: 'the end of a secret from standing in a log that knows only the whole',
    off: [
      {
        mark: 'no half of a token where the error output is cut',
        becomes: "const tail = this.#tail.toString('utf8');",
      },
    ],
    tests: { files: PROGRAM, named: 'half of a word' },
  },
  {
    name: 'reading is a read-only transaction',
    keeps: 'commands that only read from writing behind a pooler',
    off: [
      {
        mark: 'reading is a read-only transaction',
        becomes: 'await super.beginTransaction(connection, {});',
      },
    ],
    tests: { files: POOLER, named: 'readers only read' },
  },
  {
    name: 'migrations lock in their transaction',
    keeps: 'a lock from staying with a connection that the pooler gave to somebody else',
    off: [
      {
        mark: 'migrations lock in their transaction',
        becomes:
          'override async acquireMigrationLock(...given: Parameters<PostgresAdapter["acquireMigrationLock"]>) { await super.acquireMigrationLock(...given); }',
      },
    ],
    tests: { files: POOLER, named: 'nothing is asked for' },
  },
  {
    name: 'a connection that is lost in use is heard',
    keeps: 'the service from ending when PostgreSQL is restarted under a transaction',
    off: [{ mark: 'a connection that is lost in use is heard', becomes: '' }],
    tests: { files: POOLER, named: 'and not the process' },
  },
  {
    name: 'the pool mode that is needed is named',
    keeps: 'an operator from reading that connections end unexpectedly',
    off: [{ mark: 'the pool mode that is needed is named', becomes: 'if (remedy !== null) throw error;' }],
    tests: { files: POOLER, named: 'pool_mode statement' },
  },
  {
    name: 'a condition is true or false',
    keeps: 'a flow from never matching, without a word',
    off: [
      {
        mark: 'a condition is true or false',
        becomes:
          'const wrong = paths.map(unknownField).find((found) => found !== null) ?? (typeProblem(clause, paths), null);',
      },
    ],
    tests: { files: MISTAKES, named: 'a condition that is never true' },
  },
  {
    name: 'a field that the event never has',
    keeps: 'a flow from waiting for what never comes',
    off: [{ mark: 'a field that the event never has', becomes: '' }],
    tests: { files: MISTAKES, named: 'never has' },
  },
  {
    name: 'a field that no event of a skill has',
    keeps: 'a prompt from having a hole',
    off: [{ mark: 'a field that no event of a skill has', becomes: '' }],
    tests: { files: MISTAKES, named: 'no event of its flows has' },
  },
  {
    name: 'variables of skills are known',
    keeps: 'a prompt from having a hole where a name is misspelt',
    off: [{ mark: 'variables of skills are known', becomes: 'if (unknown !== null) return; else return;' }],
    tests: { files: MISTAKES, named: 'an unknown variable' },
  },
  {
    name: 'a misspelt name of a flow',
    keeps: 'a flow from going on that somebody switched off',
    off: [{ mark: 'a misspelt name of a flow', lines: 1, becomes: 'if (keys === null) {' }],
    tests: { files: MISTAKES, named: 'is misspelt' },
  },
  {
    name: 'files that are not read',
    keeps: 'an agent from being missing because of the ending of its file',
    off: [{ mark: 'files that are not read', becomes: 'if (name !== null) continue;' }],
    tests: { files: MISTAKES, named: 'files and folders' },
  },
  {
    name: 'names of forge tools',
    keeps: 'an agent from lacking a tool whose name is misspelt',
    off: [{ mark: 'names of forge tools', becomes: 'loading.problems.splice(0);' }],
    tests: { files: MISTAKES, named: 'tools' },
  },
  {
    name: 'quote it',
    keeps: 'a variable without quotes from being answered with the theory of YAML',
    off: [{ mark: 'quote it', lines: 1, becomes: 'if (variable === null) {' }],
    tests: { files: MISTAKES, named: 'one sentence' },
  },
];
