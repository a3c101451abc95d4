/**
 * One run of the CLI through the Agent SDK, from spawn to the end of its stream. Reports what was seen; what it means
 * is decided in `ending.ts`. The only file that imports the SDK.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type {
  HookCallback,
  Options,
  SDKAssistantMessageError,
  SDKMessage,
  SDKResultMessage,
  SDKUserMessage,
} from '@anthropic-ai/claude-agent-sdk';
import type { RunningContainer } from '../container/container.ts';
import { endsOf } from './ends.ts';
import { forgeServer, mcpNames } from './forge-server.ts';
import type { LiveInput } from './live-input.ts';
import { type InstructionFiles, limitsOnProject } from './project-limits.ts';
import type { AgentOptions, AgentTool } from './run.ts';
import { signalOf } from './sdk-signals.ts';
import { servedNames, servedOptions, type ToolServer } from './tool-server.ts';
import { builtInTools, subagents } from './tools.ts';
import type { BackgroundTask } from './turns.ts';

export interface CliRun {
  container: RunningContainer;
  /** with the prompt in it */
  input: LiveInput;
  session: {
    id: string;
    start: 'new' | 'resume';
    resumeAt: string | null;
    /** the system prompt that the CLI has recorded is not used */
    anew?: boolean;
  };
  cwd: string;
  env: Record<string, string>;
  /** the only instruction files that the CLI may load; null = whatever is there */
  instructions: InstructionFiles | null;
  lockFile: string | null;
  /** path of the CLI as the container sees it */
  executable: string;
  agent: AgentOptions;
  /** run in the worker; the CLI reaches them over the SDK's own stdio */
  tools: AgentTool[];
  servers?: readonly ToolServer[];
  /** how long the stream may stay open after the last result */
  lateMessagesMs: number;
  /** how long work in the background is waited for, counted from the end of the model's turn */
  backgroundMs: number;
  signal: AbortSignal;
  observe: RunObserver;
  /** why this call of a tool is not made; null = it is. Asked before it is recorded as begun */
  refuse?: (tool: string, input: unknown) => string | null;
}

/** Called as things happen. The stream waits for the promise, so that the record is never behind. */
export interface RunObserver {
  text(text: string, uuid: string): Promise<void>;
  /** Before the tool runs, subagents' tools included. A tool whose promise rejects is not run. */
  tool(name: string, input: unknown): Promise<void>;
  /** What runs in the background changed. */
  background?(tasks: readonly BackgroundTask[]): Promise<void>;
}

export interface CliResult {
  subtype: SDKResultMessage['subtype'];
  isError: boolean;
  /** work in the background began this turn, and nobody's words did */
  ofBackground: boolean;
  text: string;
  errors: string[];
  turns: number;
  apiErrorStatus: number | null;
  terminalReason: string | null;
  startupFailure: string | null;
  /** JSON-able totals as the CLI reported them */
  usage: { costUsd: number; models: unknown };
}

export interface CliReport {
  /** id of the last `init`: a result without one names no session */
  initId: string | null;
  cliVersion: string | null;
  /** uuid of the last answer on the main thread */
  lastAnswer: string | null;
  /** what made it, as the model's side names it */
  model: string | null;
  /** the last text on the main thread that no call of a tool came after */
  lastWords: string;
  /** the pieces so far of an answer that was cut off at the model's limit of output, each with a line end; '' = none */
  pieces: string;
  /** every result of the run, in order; work left in the background makes a second one */
  results: CliResult[];
  /** the CLI said that the disk was full and lines of the transcript are lost */
  writesLost: boolean;
  /** unix ms at which a usage limit ends, when the CLI said so */
  limitEndsAt: number | null;
  /** longest wait the CLI made before it asked again, in ms: the only trace of a `retry-after`, up to 60 s; 0 = none */
  longestRetryMs: number;
  /** what the CLI took the last API error for */
  apiErrorKind: SDKAssistantMessageError | null;
  /** the last answer was a refusal by the model's policy */
  refused: boolean;
  /** the stream was still open after `lateMessagesMs` and was cut */
  cut: boolean;
  /** what was still running in the background when the run was cut for it */
  leftBehind: readonly BackgroundTask[];
  exitCode: number | null;
  stderr: string;
  thrown: string | null;
}

/** `inForce`: the permission mode as the CLI names it at its start. */
type ObservedRun = CliRun & { mode: { inForce: string } };

const STDERR_KEPT = 4000;

export async function runCli(given: CliRun): Promise<CliReport> {
  const run: ObservedRun = {
    ...given,
    container: stoppedOnce(given.container, given.signal),
    mode: { inForce: given.agent.permissionMode },
  };
  const report: CliReport = {
    initId: null,
    cliVersion: null,
    lastAnswer: null,
    model: null,
    lastWords: '',
    pieces: '',
    results: [],
    writesLost: false,
    limitEndsAt: null,
    longestRetryMs: 0,
    apiErrorKind: null,
    refused: false,
    cut: false,
    leftBehind: [],
    exitCode: null,
    stderr: '',
    thrown: null,
  };
  const abort = new AbortController();
  let abortTimer: NodeJS.Timeout | null = null;
  const onAbort = () => {
    abort.abort();
    abortTimer ??= setTimeout(() => void run.container.stop(), AFTER_ABORT_MS);
  };
  run.signal.addEventListener('abort', onAbort, { once: true });
  if (run.signal.aborted) onAbort();
  const ends = endsOf(run, report);
  try {
    // Loaded with the first run, because it takes 28 MB that a service at rest does not need.
    const { query } = await import('@anthropic-ai/claude-agent-sdk');
    const options = { ...sdkOptions(run, report, abort), mcpServers: await mcpServersOf(run) };
    for await (const message of query({ prompt: run.input as AsyncIterable<SDKUserMessage>, options })) {
      if (message.type === 'system' && message.subtype === 'init') run.mode.inForce = message.permissionMode;
      await take(message, report, run.observe);
      const signal = signalOf(message);
      if (signal === null) continue;
      await run.input.note(signal);
      if (signal.kind === 'background') await run.observe.background?.(run.input.background);
      ends.look();
    }
  } catch (error) {
    report.thrown = error instanceof Error ? error.message : String(error);
  } finally {
    ends.stop();
    run.input.close();
    if (abortTimer !== null) clearTimeout(abortTimer);
    run.signal.removeEventListener('abort', onAbort);
    await run.container.stop();
  }
  return report;
}

/**
 * The CLI takes 2 s and more to end by itself. It is not waited for: it writes its transcript within about 100 ms, and a
 * run that was cut off is resumed as after a crash.
 */
const AFTER_ABORT_MS = 500;
/** Work that was taken back ends within two seconds, also if a tool or the CLI ignores the first signal. */
const ABORT_GRACE_MS = 700;

/**
 * Stop once, however many ask for it: a second stop that is still at work when the next attempt of the dispatch starts
 * would find the new container by the same marks, and kill it (seen with podman).
 */
function stoppedOnce(container: RunningContainer, signal: AbortSignal): RunningContainer {
  let stopping: Promise<void> | null = null;
  return {
    spawn: (spec) => container.spawn(spec),
    stop: () => {
      // guard: one stop for each run
      // guard: withdrawn: with a short grace
      stopping ??= container.stop(signal.aborted ? ABORT_GRACE_MS : undefined);
      return stopping;
    },
  };
}

function sdkOptions(run: ObservedRun, report: CliReport, abort: AbortController): Options {
  const { agent, session } = run;
  const builtIn = builtInTools(agent);
  return {
    ...(session.start === 'new' ? { sessionId: session.id } : { resume: session.id }),
    ...(session.resumeAt === null ? {} : { resumeSessionAt: session.resumeAt }),
    cwd: run.cwd,
    model: agent.model,
    ...(agent.effort === null ? {} : { effort: agent.effort }),
    // guard: offer: tools of the CLI
    // guard: model: tools that fetch
    tools: builtIn,
    agents: subagents(builtIn),
    allowedTools: [...(agent.tools ?? []), ...mcpNames(run.tools), ...servedNames(run.servers ?? [])],
    disallowedTools: agent.disallowedTools,
    ...(agent.maxTurns === null ? {} : { maxTurns: agent.maxTurns }),
    permissionMode: agent.permissionMode,
    allowDangerouslySkipPermissions: agent.permissionMode === 'bypassPermissions',
    systemPrompt: {
      type: 'preset',
      preset: 'claude_code',
      append: agent.instructions,
      ...(session.anew === true ? { snapshot: false } : {}),
    },
    settingSources: ['project'],
    ...limitsOnProject(run),
    env: run.env,
    hooks: { PreToolUse: [{ hooks: [beforeTool(run)] }] },
    pathToClaudeCodeExecutable: run.executable,
    abortController: abort,
    stderr: (text: string) => {
      report.stderr = (report.stderr + text).slice(-STDERR_KEPT);
    },
    spawnClaudeCodeProcess: (spawn) => {
      const child = run.container.spawn({
        command: spawn.command,
        args: spawn.args,
        env: definedOnly(spawn.env),
        cwd: spawn.cwd ?? run.cwd,
        lockFile: run.lockFile,
      });
      child.stderr?.on('data', (data: Buffer) => {
        report.stderr = (report.stderr + data.toString('utf8')).slice(-STDERR_KEPT);
      });
      child.once('exit', (code) => {
        report.exitCode = code;
        // A tool that outlives its CLI would keep the pipes open, and with them the stream. It is killed, too.
        void run.container.stop();
      });
      spawn.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
      return child;
    },
  };
}

async function mcpServersOf({ tools, servers = [] }: CliRun): Promise<NonNullable<Options['mcpServers']>> {
  return { ...(await forgeServer(tools)).mcpServers, ...(await servedOptions(servers)) };
}

/**
 * A tool call is recorded before it is made. The transcript is about 100 ms late, so a run that is killed in between
 * leaves no trace of the call there, and the next run would make it again.
 */
function beforeTool({ observe, agent, mode, refuse }: ObservedRun): HookCallback {
  return async (input) => {
    if (input.hook_event_name !== 'PreToolUse') return {};
    const refusal = refuse?.(input.tool_name, input.tool_input) ?? null;
    // guard: steering: the CLI’s own tools
    if (refusal !== null) return decided('deny', refusal);
    try {
      await observe.tool(input.tool_name, input.tool_input);
      // The settings of a repository can change the permission mode, and no setting of ours outranks them.
      const isTakenBack =
        agent.permissionMode === 'bypassPermissions' && mode.inForce !== agent.permissionMode;
      return isTakenBack ? decided('allow', 'The operator lets this agent work without questions.') : {};
    } catch (error) {
      // guard: record before the tool
      return decided('deny', `The service could not record this call, so it was not made: ${String(error)}`);
    }
  };
}

function decided(permissionDecision: 'allow' | 'deny', permissionDecisionReason: string) {
  return {
    hookSpecificOutput: {
      hookEventName: 'PreToolUse' as const,
      permissionDecision,
      permissionDecisionReason,
    },
  };
}

function definedOnly(env: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((e): e is [string, string] => e[1] !== undefined));
}

async function take(message: SDKMessage, report: CliReport, observe: RunObserver): Promise<void> {
  switch (message.type) {
    case 'system':
      if (message.subtype === 'init') {
        report.initId = message.session_id;
        report.cliVersion = message.claude_code_version;
      }
      if (message.subtype === 'session_writes_lost') report.writesLost = true;
      if (message.subtype === 'api_retry') {
        report.longestRetryMs = Math.max(report.longestRetryMs, message.retry_delay_ms);
      }
      return;
    case 'assistant':
      if (message.parent_tool_use_id === null) await takeAnswer(message, report, observe);
      return;
    case 'rate_limit_event':
      if (message.rate_limit_info.status === 'rejected' && message.rate_limit_info.resetsAt !== undefined) {
        report.limitEndsAt = message.rate_limit_info.resetsAt * 1000;
      }
      return;
    case 'user':
      // guard: every piece of a cut-off answer
      if (isAskedToGoOn(message)) report.pieces += `${report.lastWords}\n`;
      return;
    case 'result':
      report.results.push(toResult(message, report.pieces));
      report.pieces = '';
      return;
  }
}

async function takeAnswer(
  message: Extract<SDKMessage, { type: 'assistant' }>,
  report: CliReport,
  observe: RunObserver,
): Promise<void> {
  // An API error comes as an assistant message as well, and is no turn of the model.
  if (message.message.model === '<synthetic>') {
    report.apiErrorKind = message.error ?? null;
    report.refused = message.message.stop_reason === 'refusal';
    return;
  }
  report.lastAnswer = message.uuid;
  report.model = message.message.model;
  for (const block of message.message.content) {
    if (block.type === 'tool_use') {
      report.lastWords = '';
      report.pieces = '';
    }
    if (block.type !== 'text') continue;
    if (block.text.trim() !== '') report.lastWords = block.text;
    await observe.text(block.text, message.uuid);
  }
}

/**
 * The CLI itself asks for the rest of an answer that was cut off, and its result holds the last piece only (measured on
 * CLI 2.1.330).
 */
function isAskedToGoOn({ parent_tool_use_id: parent, isSynthetic, message }: AskedAgain): boolean {
  if (parent !== null || isSynthetic !== true || typeof message.content === 'string') return false;
  return message.content.some((block) => block.type === 'text' && ASKED_TO_GO_ON.test(block.text));
}

type AskedAgain = Extract<SDKMessage, { type: 'user' }>;
const ASKED_TO_GO_ON = /^Output token limit hit\./;

function toResult(message: SDKResultMessage, pieces: string): CliResult {
  const failed = message.subtype !== 'success';
  return {
    subtype: message.subtype,
    isError: message.is_error,
    ofBackground: message.origin?.kind === 'task-notification',
    text: failed ? '' : pieces + message.result,
    errors: failed ? message.errors : [],
    turns: message.num_turns,
    apiErrorStatus: failed ? null : (message.api_error_status ?? null),
    terminalReason: message.terminal_reason ?? null,
    startupFailure: failed ? (message.startup_failure_reason ?? null) : null,
    usage: { costUsd: message.total_cost_usd, models: message.modelUsage },
  };
}

/** Version of the CLI that comes with the pinned SDK, as `2.1.330`. The manifest is not among the package's exports. */
export function pinnedCliVersion(): string {
  const entry = createRequire(import.meta.url).resolve('@anthropic-ai/claude-agent-sdk');
  const manifest = JSON.parse(readFileSync(join(dirname(entry), 'manifest.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
