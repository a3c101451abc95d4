/** The shapes `loadConfig` answers with. Frozen; read once and passed on by wiring. */

import type { ForgeKind } from '../forges/registry.ts';
import type {
  AgentView,
  ConversationView,
  DecisionView,
  EcosystemName,
  FeedbackLevel,
  ForgeEvent,
  ForgeEventName,
  PackagePolicy,
  RuleName,
  SkillPromise,
} from '../vocabulary.ts';
import type { AgentOptions } from './agent-options.ts';
import type { AllowedHost } from './allowed-hosts.ts';
import type { BudgetSettings } from './budget-settings.ts';
import type { ListedRepository } from './listed-repositories.ts';
import type { McpServerSettings } from './mcp-settings.ts';
import type { Options } from './options.ts';

export interface LoadedConfig {
  /** absolute path of claude-hooks.yaml */
  file: string;
  server: { host: string; port: number; maxBodyBytes: number; publicUrl: string | null };
  /** absolute folder; not created by loading */
  state: string;
  /** `sqlite:<absolute path>` or `postgres://…` */
  database: { url: string };
  /** addresses carry no trailing slash */
  model: {
    upstream: string;
    /** `x-api-key`, or `authorization: Bearer` */
    credential: { kind: 'api-key' | 'bearer'; value: string };
    default: string;
    small: string | null;
    retries: number;
    idleSeconds: number;
  };
  container: {
    engine: Options['container']['engine'];
    programArgs: readonly string[];
    runArgs: readonly string[];
    /** null = the engine's own choice */
    runtime: string | null;
    /** absolute, or null for the installed build */
    muslCliPath: string | null;
    /** how long what set-up commands made is kept */
    layers: { unusedDays: number; maxBytes: number };
  };
  worker: {
    concurrency: number;
    drainSeconds: number;
    lateMessagesSeconds: number;
    backgroundSeconds: number;
    leaseSeconds: number;
    runTimeoutMinutes: number;
    /** absolute, or null for the pinned CLI */
    cliPath: string | null;
  };
  budgets: BudgetSettings;
  court: {
    agentRuns: number;
    robotRuns: number;
    runsPerHour: number;
    withoutProgress: number;
    robots: readonly string[];
  };
  team: { merge: 'people' | 'boss'; reviewRounds: number };
  mailbox: {
    quietSeconds: number;
    maxWaitSeconds: number;
    steering: boolean;
    timers: { most: number; shortestSeconds: number; longestDays: number };
  };
  sessions: { archive: boolean; flushMilliseconds: number; maxFailedResumes: number };
  git: {
    maxPushBytes: number;
    /** for the Git LFS contents of one push, or of one checkout */
    maxLfsBytes: number;
    /** patterns, besides the list in `broker/protected-files.ts` */
    protectedFiles: readonly string[];
    /** patterns of protected files that may be pushed all the same */
    unprotectedFiles: readonly string[];
    /** absolute, or null: commits are not signed */
    signingKeyFile: string | null;
  };
  network: NetworkSettings;
  packages: PackageSettings;
  /** by name */
  mcpServers: Readonly<Record<string, McpServerSettings>>;
  smoke: { everyMinutes: number };
  reconciler: {
    overlapSeconds: number;
    /** those that are not here report */
    rules: Readonly<Partial<Record<RuleName, 'off' | 'report' | 'act'>>>;
  };
  /** null: beside the webhooks */
  metrics: { host: string; port: number } | null;
  log: Options['log'];
  feedback: FeedbackLevel;
  /** under the description of every pull request that an agent opens; '' = none */
  disclosure: string;
  /** by forge name */
  forges: Readonly<Record<string, ForgeConfig>>;
  /** by agent name; shipped ones included */
  agents: ReadonlyMap<string, AgentConfig>;
  /** in order of precedence among equal priorities: the operator's own, then the shipped ones */
  flows: readonly Flow[];
  skills: ReadonlyMap<string, Skill>;
  warnings: readonly string[];
  /** every secret value, for the redactor */
  secrets: readonly string[];
}

export interface NetworkSettings {
  /** by the scheme of the address that is asked for; user and password included */
  proxies: { http: string | null; https: string | null };
  /** as written; this machine itself is always reached directly */
  noProxy: readonly string[];
  /** certificates in PEM form that are trusted besides those of the system and of Node */
  authorities: readonly string[];
}

export interface PackageSettings {
  policy: PackagePolicy;
  registries: Readonly<Record<EcosystemName, RegistrySettings>>;
  cache: { maxBytes: number };
  /** requests and bytes of one dispatch, seconds of one answer */
  limits: { requests: number; bytes: number; seconds: number };
}

export interface RegistrySettings {
  /** without a slash at its end */
  url: string;
  /** other hosts that its files may come from; they get no header of `headers` */
  artefactHosts: readonly string[];
  /** its credential, if it wants any; names in lower case */
  headers: Readonly<Record<string, string>>;
}

export interface ForgeConfig {
  name: string;
  kind: ForgeKind;
  url: string;
  /** address for git: repositories are at `<cloneUrl>/<owner>/<name>.git` */
  cloneUrl: string;
  /** a delivery of a repository without a secret of its own may be signed with any of these */
  webhookSecrets: readonly string[];
  repositories: readonly ListedRepository[];
  /** null = everybody */
  trustedSenders: readonly string[] | null;
  /** the permission that a sender needs to wake an agent */
  requiredPermission: 'write' | 'read' | 'none';
  /** logins of robots that may wake agents */
  allowedBots: readonly string[];
  forkPulls: boolean;
  /** whether checkouts hold the contents of files in Git LFS, or only pointers to them */
  lfs: 'pointers' | 'fetch';
  /** words that close or reopen issues there, besides the usual ones */
  closingKeywords: readonly string[];
  /** how news come: by webhooks, by looking, or both */
  intake: 'hooks' | 'poll' | 'both';
  /** seconds between two looks; null = the usual ones of the way of intake */
  lookSeconds: number | null;
  /** null = as the general setting has it */
  feedback: FeedbackLevel | null;
  /** labels by which an item opts out */
  optOutLabels: readonly string[];
  /** by agent name */
  accounts: Readonly<Record<string, { login: string; token: string }>>;
}

export interface AgentConfig {
  name: string;
  file: string;
  description: string;
  /** appended to the CLI's system prompt */
  instructions: string;
  /** the agent's own or `model.default` */
  model: string;
  effort: AgentOptions['effort'] | null;
  /** null = every tool of the CLI */
  tools: readonly string[] | null;
  disallowedTools: readonly string[];
  maxTurns: number | null;
  permissionMode: AgentOptions['permission_mode'];
  resume: AgentOptions['resume'];
  branchPrefix: string;
  publish: AgentOptions['publish'];
  /** a reviewer with labels is needed only where an item has one of them; empty = everywhere */
  reviewLabels: readonly string[];
  forge: {
    /** short names of broker tools; null = all but `merge` */
    tools: readonly string[] | null;
    scope: AgentOptions['forge_scope'];
    maxWrites: number;
  };
  workflowFiles: boolean;
  /** whether a restricted run may use `container.names` */
  networkInRestrictedRuns: boolean;
  /** names of MCP servers that it has, in this order */
  mcpServers: readonly string[];
  /** whether a restricted run may call tools of MCP servers */
  mcpInRestrictedRuns: boolean;
  /** of one dispatch */
  caps: { requests: number | null; tokens: number | null; usd: number | null };
  container: ContainerSettings;
  /** dispatches of this agent that run at once */
  concurrency: number;
  /** the agent's own or the mailbox's */
  quietSeconds: number;
  maxWaitSeconds: number;
}

export interface ContainerSettings {
  /** null = none configured; docker and podman need one */
  image: string | null;
  memoryBytes: number | null;
  cpus: number | null;
  pids: number;
  /** null = the service's own */
  user: { uid: number; gid: number } | null;
  /** `none` also where there are `names` */
  network: 'none' | 'host';
  /** hosts that are reached through the proxy of the service; null = none */
  names: NameSettings | null;
  /** sources are absolute */
  mounts: readonly { source: string; target: string; access: 'read' | 'write' }[];
  caches: readonly { name: string; target: string }[];
  /** of this package, inside the container */
  tools: readonly 'design-review'[];
  /** the agent's own, or `packages.policy` */
  packages: PackagePolicy;
  setup: SetupSettings;
}

/** Commands that make what the runs of a repository share. */
export interface SetupSettings {
  /** none: nothing is set up, unless the repository has a file of its own */
  commands: readonly string[];
  /** of the base branch; their contents are part of a layer's key */
  lockFiles: readonly string[];
  /** folders in the checkout, or below HOME with `~/` before them */
  keep: readonly string[];
  timeoutMs: number;
  /** null = no limit */
  memoryBytes: number | null;
  maxBytes: number;
  /** whether `.claude-hooks/setup.yaml` of the base branch counts */
  repositoryFile: boolean;
}

export interface NameSettings {
  allow: readonly AllowedHost[];
  /** bytes of one run */
  maxSent: number;
  maxReceived: number;
  /** at once */
  maxConnections: number;
}

export interface Flow {
  name: string;
  file: string;
  on: readonly ForgeEventName[];
  /** all must hold; evaluated in this order */
  clauses: readonly Clause[];
  agent: string;
  skill: string;
  with: Readonly<Record<string, unknown>>;
  /** 0 to 100 */
  priority: number;
  enabled: boolean;
}

/** Who caused the event, in terms of our configuration. */
export interface SenderView {
  login: string;
  /** name of the agent whose account this is, '' for everybody else */
  agent: string;
  /** true for everybody but our agents and the forge's own robot users */
  person: boolean;
}

/** What a condition may name. */
export interface ConditionContext {
  event: ForgeEvent;
  agent: AgentView;
  conversation: ConversationView;
  sender: SenderView;
  /** logins of all our agents on the event's forge */
  agents: readonly string[];
  /** what the pull request of the event needs next */
  decision: DecisionView;
}

export type ClauseResult = { kind: 'holds' } | { kind: 'fails' } | { kind: 'error'; error: string };

/** One condition without a top-level `&&`. */
export interface Clause {
  text: string;
  /** dotted paths it reads, e.g. `event.mentions` */
  paths: readonly string[];
  evaluate(context: ConditionContext): ClauseResult;
}

/** A prompt template in its two forms. A skill without a short form renders its full one for both. */
export interface Skill {
  name: string;
  file: string;
  description: string;
  /** what may come of a run; empty = nothing is checked */
  promises: readonly SkillPromise[];
  /** SHA-256 of its text and of what it may include */
  digest?: string;
  render(form: 'full' | 'short', context: object): string;
}
