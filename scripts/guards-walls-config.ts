/** What a repository brings along: it instructs from the base alone, and steers nothing. And who else reads our files. */
import type { Guard } from './guards.ts';

const LIMITS = 'src/agent-runner/project-limits.ts';
const INSTRUCTIONS = ['test/project-instructions.test.ts'];
const SETTINGS = ['src/agent-runner/project-limits.test.ts'];

export const WALLS_CONFIG_GUARDS: Guard[] = [
  {
    name: 'project: imports that the base does not have',
    keeps: 'files of a pull request from standing where the base’s instructions import them',
    off: [
      {
        file: 'src/workdir/configuration.ts',
        find: 'const named = await base.importsIn(treeOfFolder(c.control.checkout));',
        replace: 'const named = new Set<string>();',
      },
    ],
    tests: { files: INSTRUCTIONS, named: 'not in the checkout' },
  },
  {
    name: 'project: the list of instruction files',
    keeps: 'the CLI from loading instructions that the base does not have, also those made in mid-run',
    off: [{ file: LIMITS, find: 'claudeMdExcludes: [`!{${allowed(folder, files)}}`],', replace: '' }],
    tests: { files: INSTRUCTIONS, named: 'the list alone|mid-run' },
  },
  {
    name: 'project: commands within skills',
    keeps: 'a skill of the base from printing files of the pull request into the instructions',
    off: [{ file: LIMITS, find: 'disableSkillShellExecution: true,', replace: '' }],
    tests: { files: INSTRUCTIONS, named: 'a skill of the base' },
  },
  {
    name: 'project: a repository’s hooks',
    keeps:
      'a hook from holding a run, from taking its answer away, and from rewriting calls after our record',
    off: [
      { file: LIMITS, find: 'disableAllHooks: true,', replace: '' },
      { file: LIMITS, find: 'allowManagedHooksOnly: true,', replace: '' },
    ],
    tests: { files: SETTINGS, named: 'a hook: .*(speaks|rewrites|blocks)' },
  },
  {
    name: 'project: provider and proxy variables',
    keeps:
      'one repository’s settings from sending requests elsewhere, and from parking the credential of all',
    off: [
      {
        file: 'src/agent-runner/environment.ts',
        find: "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST: '1',",
        replace: '',
      },
    ],
    tests: { files: SETTINGS, named: 'Bedrock|Vertex|Mantle|a key helper' },
  },
  {
    name: 'project: what is added to requests',
    keeps: 'fields of a repository’s choice from going out with every request',
    off: [{ file: LIMITS, find: "CLAUDE_CODE_EXTRA_METADATA: '',", replace: '' }],
    tests: { files: SETTINGS, named: 'nothing is added' },
  },
  {
    name: 'project: the models that are allowed',
    keeps: 'a repository from moving its agents to another model without a word',
    off: [{ file: LIMITS, find: "availableModels: [agent.model, 'opus', 'sonnet', 'haiku'],", replace: '' }],
    tests: { files: SETTINGS, named: 'models? that (are|is) allowed' },
  },
  {
    name: 'project: sandbox and permission mode',
    keeps: 'a repository from keeping its agents from starting, or from working',
    off: [
      { file: LIMITS, find: 'sandbox: { enabled: false, failIfUnavailable: false },', replace: '' },
      { file: LIMITS, find: 'permissions: { defaultMode: agent.permissionMode },', replace: '' },
    ],
    tests: { files: SETTINGS, named: 'no bypass|a sandbox that cannot start' },
  },
  {
    name: 'project: memory in the checkout',
    keeps: 'files of a checkout from reaching every prompt as the agent’s own memory',
    // Where memory would be, and that there is none: each is enough by itself.
    off: [
      { file: LIMITS, find: 'autoMemoryDirectory: `', replace: 'plansDirectory: `' },
      { file: LIMITS, find: '      autoMemoryEnabled: false,\n', replace: '' },
      { file: LIMITS, find: "  'CLAUDE_CODE_DISABLE_AUTO_MEMORY',\n", replace: '' },
      {
        file: 'src/agent-runner/environment.ts',
        find: "    CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',\n",
        replace: '',
      },
    ],
    tests: { files: SETTINGS, named: 'memory does not come from the checkout' },
  },
  {
    name: 'files: the database',
    keeps: 'other users of the machine from reading the database, wherever it is',
    off: [
      {
        file: 'src/database/database.ts',
        find: 'for (const said of keepPrivate(file)) options.tightened?.(said);',
        replace: '',
      },
    ],
    tests: { files: ['src/database/private-file.test.ts'] },
  },
  {
    name: 'files: the umask of the service',
    keeps: 'what the service and its git make below the state folder from having bits for others',
    off: [
      { file: 'src/wiring.ts', find: '  keepFilesPrivate(config());\n', replace: '' },
      { file: 'src/cli/program.ts', find: 'process.umask(0o077);', replace: '' },
    ],
    tests: {
      files: ['test/red-team/project-files.test.ts'],
      named: 'in bubblewrap.*nothing below the state',
    },
  },
];
