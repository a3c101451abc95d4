/** What a repository brings along: it instructs from the base alone, and steers nothing. And who else reads our files. */
import type { Guard } from './guard.ts';

const INSTRUCTIONS = ['test/project-instructions.test.ts'];
const SETTINGS = ['src/agent-runner/project-limits.test.ts'];

export const CONFIG_FILES_GUARDS: Guard[] = [
  {
    name: 'project: imports that the base does not have',
    keeps: 'files of a pull request from standing where the base’s instructions import them',
    off: [
      { mark: 'project: imports that the base does not have', becomes: 'const named = new Set<string>();' },
    ],
    tests: { files: INSTRUCTIONS, named: 'not in the checkout' },
  },
  {
    name: 'project: the list of instruction files',
    keeps: 'the CLI from loading instructions that the base does not have, also those made in mid-run',
    off: [{ mark: 'project: the list of instruction files', becomes: '' }],
    tests: { files: INSTRUCTIONS, named: 'the list alone|mid-run' },
  },
  {
    name: 'project: commands within skills',
    keeps: 'a skill of the base from printing files of the pull request into the instructions',
    off: [{ mark: 'project: commands within skills', becomes: '' }],
    tests: { files: INSTRUCTIONS, named: 'a skill of the base' },
  },
  {
    name: 'project: a repository’s hooks',
    keeps:
      'a hook from holding a run, from taking its answer away, and from rewriting calls after our record',
    off: [
      { mark: 'project: a repository’s hooks, part 1', becomes: '' },
      { mark: 'project: a repository’s hooks, part 2', becomes: '' },
    ],
    tests: { files: SETTINGS, named: 'a hook: .*(speaks|rewrites|blocks)' },
  },
  {
    name: 'project: provider and proxy variables',
    keeps:
      'one repository’s settings from sending requests elsewhere, and from parking the credential of all',
    off: [{ mark: 'project: provider and proxy variables', becomes: '' }],
    tests: { files: SETTINGS, named: 'Bedrock|Vertex|Mantle|a key helper' },
  },
  {
    name: 'project: what is added to requests',
    keeps: 'fields of a repository’s choice from going out with every request',
    off: [{ mark: 'project: what is added to requests', becomes: '' }],
    tests: { files: SETTINGS, named: 'nothing is added' },
  },
  {
    name: 'project: the models that are allowed',
    keeps: 'a repository from moving its agents to another model without a word',
    off: [{ mark: 'project: the models that are allowed', becomes: '' }],
    tests: { files: SETTINGS, named: 'models? that (are|is) allowed' },
  },
  {
    name: 'project: sandbox and permission mode',
    keeps: 'a repository from keeping its agents from starting, or from working',
    off: [
      { mark: 'project: sandbox and permission mode, part 1', becomes: '' },
      { mark: 'project: sandbox and permission mode, part 2', becomes: '' },
    ],
    tests: { files: SETTINGS, named: 'no bypass|a sandbox that cannot start' },
  },
  {
    name: 'project: memory in the checkout',
    keeps: 'files of a checkout from reaching every prompt as the agent’s own memory',
    // Where memory would be, and that there is none: each is enough by itself.
    off: [
      {
        mark: 'project: memory in the checkout, part 1',
        becomes:
          'plansDirectory: `${env.CLAUDE_CONFIG_DIR}/projects/${env.CLAUDE_CODE_PROJECT_DIR_NAME}/memory`,',
      },
      { mark: 'project: memory in the checkout, part 2', becomes: '' },
      { mark: 'project: memory in the checkout, part 3', becomes: '' },
      { mark: 'project: memory in the checkout, part 4', becomes: '' },
    ],
    tests: { files: SETTINGS, named: 'memory does not come from the checkout' },
  },
  {
    name: 'files: the database',
    keeps: 'other users of the machine from reading the database, wherever it is',
    off: [{ mark: 'files: the database', becomes: '' }],
    tests: { files: ['src/database/private-file.test.ts'] },
  },
  {
    name: 'files: the umask of the service',
    keeps: 'what the service and its git make below the state folder from having bits for others',
    off: [
      { mark: 'files: the umask of the service, part 1', becomes: '' },
      { mark: 'files: the umask of the service, part 2', becomes: '' },
    ],
    tests: {
      files: ['test/red-team/project-files.test.ts'],
      named: 'in bubblewrap.*nothing below the state',
    },
  },
];
