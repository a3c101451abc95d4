/** The configuration's mistakes, a pooler in front of PostgreSQL, and what programs say. */
import type { Guard } from './guards.ts';

const MISTAKES = ['src/config/mistakes.test.ts'];
const POOLER = ['src/database/pooler.test.ts'];
const PROGRAM = ['src/program.test.ts'];

export const HOUR_CHECK_GUARDS: Guard[] = [
  {
    name: 'the output of a failed program is not made into a message',
    keeps: 'a git that prints control characters from holding up everything for seconds',
    off: [{ file: 'src/program.ts', find: 'buffer: false,', replace: 'buffer: true,' }],
    tests: { files: PROGRAM, named: 'control characters' },
  },
  {
    name: 'an endless answer ends its program',
    keeps: 'the memory of the service from being filled by one command',
    off: [
      {
        file: 'src/program/bounded-output.ts',
        find: '    this.#onOver();\n',
        replace: '',
      },
    ],
    tests: { files: PROGRAM, named: 'endless answer' },
  },
  {
    name: 'no half of a token where the error output is cut',
    keeps: 'the end of a secret from standing in a log that knows only the whole',
    off: [
      {
        file: 'src/program/bounded-output.ts',
        find: "const tail = this.#tail.toString('utf8').replace(/^\\S*/, '');",
        replace: "const tail = this.#tail.toString('utf8');",
      },
    ],
    tests: { files: PROGRAM, named: 'half of a word' },
  },
  {
    name: 'reading is a read-only transaction',
    keeps: 'commands that only read from writing behind a pooler',
    off: [
      {
        file: 'src/database/postgres.ts',
        find: "{ accessMode: 'read only' }",
        replace: '{}',
      },
    ],
    tests: { files: POOLER, named: 'readers only read' },
  },
  {
    name: 'migrations lock in their transaction',
    keeps: 'a lock from staying with a connection that the pooler gave to somebody else',
    off: [
      {
        file: 'src/database/postgres.ts',
        find: 'override async acquireMigrationLock() {}',
        replace:
          'override async acquireMigrationLock(...given: Parameters<PostgresAdapter["acquireMigrationLock"]>) { await super.acquireMigrationLock(...given); }',
      },
    ],
    tests: { files: POOLER, named: 'nothing is asked for' },
  },
  {
    name: 'a connection that is lost in use is heard',
    keeps: 'the service from ending when PostgreSQL is restarted under a transaction',
    off: [
      {
        file: 'src/database/postgres.ts',
        find: "pool.on('connect', (client) => client.on('error', () => {}));",
        replace: '',
      },
    ],
    tests: { files: POOLER, named: 'and not the process' },
  },
  {
    name: 'the pool mode that is needed is named',
    keeps: 'an operator from reading that connections end unexpectedly',
    off: [
      {
        file: 'src/database/postgres.ts',
        find: 'if (remedy === undefined) throw error;',
        replace: 'if (remedy !== null) throw error;',
      },
    ],
    tests: { files: POOLER, named: 'pool_mode statement' },
  },
  {
    name: 'a condition is true or false',
    keeps: 'a flow from never matching, without a word',
    off: [
      {
        file: 'src/config/conditions.ts',
        find: '?? typeProblem(clause, paths);',
        replace: '?? (typeProblem(clause, paths), null);',
      },
    ],
    tests: { files: MISTAKES, named: 'a condition that is never true' },
  },
  {
    name: 'a field that the event never has',
    keeps: 'a flow from waiting for what never comes',
    off: [
      {
        file: 'src/config/load.ts',
        find: 'checkConditionFields(flows, preparation);',
        replace: '',
      },
    ],
    tests: { files: MISTAKES, named: 'never has' },
  },
  {
    name: 'a field that no event of a skill has',
    keeps: 'a prompt from having a hole',
    off: [
      {
        file: 'src/config/load.ts',
        find: 'checkSkillFields(flows, skills.reads, preparation);',
        replace: '',
      },
    ],
    tests: { files: MISTAKES, named: 'no event of its flows has' },
  },
  {
    name: 'variables of skills are known',
    keeps: 'a prompt from having a hole where a name is misspelt',
    off: [
      {
        file: 'src/config/skill-file.ts',
        find: 'if (unknown === null) return;',
        replace: 'if (unknown !== null) return; else return;',
      },
    ],
    tests: { files: MISTAKES, named: 'an unknown variable' },
  },
  {
    name: 'a misspelt name of a flow',
    keeps: 'a flow from going on that somebody switched off',
    off: [
      {
        file: 'src/config/flow-names.ts',
        find: 'if (NEEDED.every((key) => !(key in keys))) {',
        replace: 'if (keys === null) {',
      },
    ],
    tests: { files: MISTAKES, named: 'is misspelt' },
  },
  {
    name: 'files that are not read',
    keeps: 'an agent from being missing because of the ending of its file',
    off: [
      {
        file: 'src/config/folder-entries.ts',
        find: 'if (LEFT.test(name)) continue;',
        replace: 'if (name !== null) continue;',
      },
    ],
    tests: { files: MISTAKES, named: 'files and folders' },
  },
  {
    name: 'names of forge tools',
    keeps: 'an agent from lacking a tool whose name is misspelt',
    off: [
      {
        file: 'src/config/agent-file.ts',
        find: 'if (unknown.length > 0) return null;',
        replace: 'loading.problems.splice(0);',
      },
    ],
    tests: { files: MISTAKES, named: 'tools' },
  },
  {
    name: 'quote it',
    keeps: 'a variable without quotes from being answered with the theory of YAML',
    off: [
      {
        file: 'src/config/yaml-text.ts',
        find: 'if (variable !== undefined) {',
        replace: 'if (variable === null) {',
      },
    ],
    tests: { files: MISTAKES, named: 'one sentence' },
  },
];
