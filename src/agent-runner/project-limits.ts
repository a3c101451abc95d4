/**
 * What the settings of a repository may not do. They come with the checkout, and the CLI takes them from there together
 * with the project's instructions (`settingSources: ['project']`): a writer of one repository, or an agent in an earlier
 * run, wrote them. They may instruct; where requests go, what a run may do and what reaches our record is the operator's.
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
    // Servers of the project's `.mcp.json`, of its agents and of plugins are programs that nobody here chose.
    strictMcpConfig: true,
    settings: {
      // The CLI deletes transcripts after 30 days by default; keeping and forgetting is ours.
      cleanupPeriodDays: 3650,
      env: { ...oursOf(env), ...OVERRULED_VARIABLES },
      // A hook that blocks every stop replaced the answer by nothing, one that hangs held the run for its time limit of
      // ten minutes and more, and one that rewrites a tool's input made our record untrue. Our own hook is not in this.
      // guard: project: a repository’s hooks, part 1
      disableAllHooks: true,
      // The container is the sandbox. One inside it cannot start, and with `failIfUnavailable` nothing would.
      // guard: project: sandbox and permission mode, part 1
      sandbox: { enabled: false, failIfUnavailable: false },
      // Lists of all settings are put together. One without the agent's model makes the CLI take another, without a word.
      // guard: project: the models that are allowed
      availableModels: [agent.model, 'opus', 'sonnet', 'haiku'],
      fastMode: false,
      // guard: offer: memory, part 2
      // guard: project: memory in the checkout, part 2
      autoMemoryEnabled: false,
      // guard: offer: bundled skills, part 2
      disableBundledSkills: true,
      // It stays when bundled skills are off: a skill that builds panels and toasts for the CLI's own screen.
      enabledPlugins: { 'cc-plugin-plugin-authoring@builtin': false },
      // Together with `disableBypassPermissionsMode` a project's default mode would win over the agent's.
      // guard: project: sandbox and permission mode, part 2
      permissions: { defaultMode: agent.permissionMode },
      // Where it is anyway. A folder of the checkout would put its files into every prompt, as the agent's own memory.
      // guard: project: memory in the checkout, part 1
      autoMemoryDirectory: `${env.CLAUDE_CONFIG_DIR}/projects/${env.CLAUDE_CODE_PROJECT_DIR_NAME}/memory`,
      ...(instructions === null ? {} : instructionsOnly(instructions)),
    },
    // A second time, where no settings file can answer back.
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
  // The first stops the transcript without a word, the second leaves out hooks and with them our record of tool calls.
  // guard: settings above the repository’s
  CLAUDE_CODE_SKIP_PROMPT_HISTORY: '0',
  CLAUDE_CODE_SIMPLE: '0',
  // The CLI puts the subjects of the last commits and the names of changed files into the conversation by itself, in a
  // reminder without an author: on a stranger's branch these are a stranger's words (measured on CLI 2.1.330).
  // guard: voices: no commits in a reminder
  CLAUDE_CODE_DISABLE_GIT_INSTRUCTIONS: '1',
  CLAUDE_CODE_SAFE_MODE: '0',
  CLAUDE_CODE_ENABLE_TELEMETRY: '0',
  // Into every request: fields and features that the gateway would have to refuse.
  CLAUDE_CODE_EXTRA_BODY: '',
  // guard: project: what is added to requests
  CLAUDE_CODE_EXTRA_METADATA: '',
  ANTHROPIC_BETAS: '',
  // Each request at full price.
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
 * An allow-list by the CLI's own means, whatever its grammar of imports is: it excludes every instruction file that is
 * none of these, imports, rules and files that appear while the run lasts included.
 */
function instructionsOnly({ folder, files }: InstructionFiles) {
  return {
    // guard: project: the list of instruction files
    claudeMdExcludes: [`!{${allowed(folder, files)}}`],
    // `!`-commands in a skill of the base would read files of the pull request into the instructions.
    // guard: project: commands within skills
    disableSkillShellExecution: true,
  };
}

/**
 * A list too long for one argument of a command line is made of the names that never stand in such a checkout but from
 * the base, and without imports.
 */
function allowed(folder: string, files: readonly string[]): string {
  // One pattern alone would be no alternative, and its braces would stand for themselves.
  const exact = ['/nothing', ...files.map((path) => asPattern(`${folder}/${path}`))].join(',');
  if (exact.length <= LONGEST_LIST) return exact;
  return ['/nothing', ...ALWAYS_FROM_BASE.map((name) => `${asPattern(folder)}/${name}`)].join(',');
}

const LONGEST_LIST = 64_000;
const ALWAYS_FROM_BASE = ['CLAUDE.md', '**/CLAUDE.md', '.claude/**', '**/.claude/**'];

/** `?` for what means something in a pattern. A backslash would not do: the CLI makes slashes of them. */
function asPattern(path: string): string {
  return path.replace(/[^A-Za-z0-9._/-]/g, '?');
}
