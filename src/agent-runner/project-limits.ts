/**
 * What the settings of a repository may not do. A writer of the repository, or an agent in an earlier run, wrote them; the
 * CLI reads them from the checkout together with the project's instructions (`settingSources: ['project']`). They may
 * instruct. Where requests go, what a run may do and what reaches our record is for the operator to decide.
 *
 * Each entry was measured on CLI 2.1.330; `project-limits.test.ts` plays them on the real one.
 */
import type { AgentOptions } from './run.ts';

export interface ProjectLimits {
  /** what the container's CLI was started with */
  env: Record<string, string>;
  agent: Pick<AgentOptions, 'model' | 'permissionMode'>;
  /** of a checkout that has its instructions from the base branch: what is not in it is not loaded. null = all are */
  instructions: InstructionFiles | null;
}

export interface InstructionFiles {
  /** as the CLI sees it */
  folder: string;
  /** relative paths */
  files: readonly string[];
}

/** Options of the SDK, for `run-cli.ts`. */
export function limitsOnProject({ env, agent, instructions }: ProjectLimits) {
  return {
    // MCP servers of the project, of its agents and of plugins are programs that the operator did not choose.
    strictMcpConfig: true,
    settings: {
      // By default the CLI deletes transcripts after 30 days.
      cleanupPeriodDays: 3650,
      env: { ...oursOf(env), ...OVERRULED_VARIABLES },
      // Seen: a hook that blocks every stop emptied the answer, one that hangs held the run for ten minutes and more, and
      // one that rewrites a tool's input made our record untrue. Our own hook is not affected.
      // guard: project: a repository’s hooks, part 1
      disableAllHooks: true,
      // The container is the sandbox. The CLI's own cannot start in it, and with `failIfUnavailable` no run would.
      // guard: project: sandbox and permission mode, part 1
      sandbox: { enabled: false, failIfUnavailable: false },
      // The CLI merges the lists of all settings. If the agent's model is not in the list, it silently takes another.
      // guard: project: the models that are allowed
      availableModels: [agent.model, 'opus', 'sonnet', 'haiku'],
      fastMode: false,
      // guard: offer: memory, part 2
      // guard: project: memory in the checkout, part 2
      autoMemoryEnabled: false,
      // guard: offer: bundled skills, part 2
      disableBundledSkills: true,
      // A skill about panels and toasts on the CLI's own screen, which stays when bundled skills are off.
      enabledPlugins: { 'cc-plugin-plugin-authoring@builtin': false },
      // Together with `disableBypassPermissionsMode` a project's default mode would win over the agent's.
      // guard: project: sandbox and permission mode, part 2
      permissions: { defaultMode: agent.permissionMode },
      // The default, fixed: a folder of the checkout would put its files into every prompt as the agent's own memory.
      // guard: project: memory in the checkout, part 1
      autoMemoryDirectory: `${env.CLAUDE_CONFIG_DIR}/projects/${env.CLAUDE_CODE_PROJECT_DIR_NAME}/memory`,
      ...(instructions === null ? {} : instructionsOnly(instructions)),
    },
    // Once more, in a place that no settings file can override.
    managedSettings: {
      // guard: project: a repository’s hooks, part 2
      allowManagedHooksOnly: true,
      // Plugins of a marketplace in the checkout would bring hooks and servers along.
      strictKnownMarketplaces: [],
      disableCommandPluginSources: true,
    },
  };
}

/** Provider, proxy and certificate variables are left out by CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST (`environment.ts`). */
const OVERRULED_VARIABLES = {
  // The first silently stops the transcript; the second leaves out hooks, and with them our record of tool calls.
  // guard: settings above the repository’s
  CLAUDE_CODE_SKIP_PROMPT_HISTORY: '0',
  CLAUDE_CODE_SIMPLE: '0',
  // By itself the CLI puts the subjects of the last commits and the names of changed files into the conversation, in a
  // reminder without an author. On a stranger's branch these are a stranger's words (measured on CLI 2.1.330).
  // guard: voices: no commits in a reminder
  CLAUDE_CODE_DISABLE_GIT_INSTRUCTIONS: '1',
  CLAUDE_CODE_SAFE_MODE: '0',
  CLAUDE_CODE_ENABLE_TELEMETRY: '0',
  // They add fields and features to every request, which the gateway would refuse.
  CLAUDE_CODE_EXTRA_BODY: '',
  // guard: project: what is added to requests
  CLAUDE_CODE_EXTRA_METADATA: '',
  ANTHROPIC_BETAS: '',
  // It turns the prompt cache off: each request at full price.
  DISABLE_PROMPT_CACHING: '0',
  // A folder of the checkout as the agent's memory.
  CLAUDE_COWORK_MEMORY_PATH_OVERRIDE: '',
  CLAUDE_CODE_REMOTE_MEMORY_DIR: '',
  CLAUDE_MEMORY_STORES: '',
};

/** Again in the settings, because those of a project come above the environment. Not the folders: no project can set them. */
const SAID_AGAIN = [
  'API_TIMEOUT_MS',
  'CLAUDE_AGENT_SDK_DISABLE_BUILTIN_AGENTS',
  'CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS',
  // guard: project: memory in the checkout, part 3
  'CLAUDE_CODE_DISABLE_AUTO_MEMORY',
  'CLAUDE_CODE_DISABLE_BUNDLED_SKILLS',
  'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC',
  'CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK',
  'CLAUDE_CODE_EAGER_FLUSH',
  'CLAUDE_CODE_MAX_RETRIES',
  'CLAUDE_CODE_NO_MODEL_FALLBACK',
  'CLAUDE_CODE_STARTUP_FAILURE_RESULTS',
  'DISABLE_AUTOUPDATER',
  'ENABLE_TOOL_SEARCH',
];

function oursOf(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => SAID_AGAIN.includes(name)));
}

/**
 * An allow-list made of the CLI's own exclusions: every instruction file that is not listed is excluded. That covers
 * imports, rules and files that appear during the run, whatever the CLI's grammar of imports is.
 */
function instructionsOnly({ folder, files }: InstructionFiles) {
  return {
    // guard: project: the list of instruction files
    claudeMdExcludes: [`!{${allowed(folder, files)}}`],
    // `!`-commands in a skill of the base branch would read files of the pull request into the instructions.
    // guard: project: commands within skills
    disableSkillShellExecution: true,
  };
}

/**
 * The whole list may be too long for one argument of a command line. Then only the names remain that such a checkout has
 * from the base branch alone, and imports are left out.
 */
function allowed(folder: string, files: readonly string[]): string {
  // Braces around a single pattern are not an alternative: the CLI would take them literally.
  const exact = ['/nothing', ...files.map((path) => asPattern(`${folder}/${path}`))].join(',');
  if (exact.length <= LONGEST_LIST) return exact;
  return ['/nothing', ...ALWAYS_FROM_BASE.map((name) => `${asPattern(folder)}/${name}`)].join(',');
}

const LONGEST_LIST = 64_000;
const ALWAYS_FROM_BASE = ['CLAUDE.md', '**/CLAUDE.md', '.claude/**', '**/.claude/**'];

/** `?` for each character with a meaning in a pattern. A backslash does not work: the CLI turns it into a slash. */
function asPattern(path: string): string {
  return path.replace(/[^A-Za-z0-9._/-]/g, '?');
}
