/** The command lines of docker and podman. Both are the same for what we need. */
import { createHash } from 'node:crypto';
import type { ContainerSpec, Mount, Overlay, SpawnSpec } from './container.ts';
import { DISPATCH_MARK, INSTANCE_MARK } from './process-tree.ts';
import { markedEnvironment } from './terminal.ts';

const INSTANCE_LABEL = 'claude-hooks.instance';
export const DISPATCH_LABEL = 'claude-hooks.dispatch';
/** Seconds between `stop` and SIGKILL, for the engine. */
const STOP_SECONDS = 2;

/**
 * The image's shell is the first process: it passes signals on (a first process without a handler never gets them) and
 * reaps the zombies that tools leave behind.
 *
 * The command's variables are passed under another name, because `-e NAME` without a value takes the client's variable,
 * and the client has some of the same names (HOME, PATH, DOCKER_HOST).
 */
const VARIABLE_PREFIX = 'CLAUDE_HOOKS_ENV_';
/** the engines set these themselves, also from the proxy settings of their own user */
const ENGINES_OWN =
  'HOSTNAME HOME TERM PWD OLDPWD container HTTP_PROXY HTTPS_PROXY FTP_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy ftp_proxy no_proxy all_proxy';

/**
 * Families of variables that the CLI or its runtime reads. An image that sets one (no history written, another folder,
 * another address) would break conversations without an error, so all of the image's are unset.
 */
const CLI_LISTENS =
  'CLAUDE*|ANTHROPIC*|DISABLE_*|ENABLE_*|BUN_*|MCP_*|CCR_*|SELF_HOSTED_RUNNER_*|SESSION_INGRESS_URL|MAX_THINKING_TOKENS|API_TIMEOUT_MS|IS_SANDBOX|AI_AGENT';
const OURS = `${INSTANCE_MARK}|${DISPATCH_MARK}|${VARIABLE_PREFIX}*`;
/**
 * A value may contain what looks like a name; then one variable more is unset, before ours are set. Globs are off for
 * that time.
 */
const FORGET_IMAGES = [
  'set -f',
  'for word in $(export -p); do word=${word%%=*}; case $word in',
  `""|[0-9]*|*[!A-Za-z0-9_]*|${OURS}) ;; ${CLI_LISTENS}) unset "$word" ;;`,
  'esac; done',
  'set +f; unset word',
].join('\n');

function firstProcess(names: readonly string[]): string {
  const taken = names.map(
    (name) => `export ${name}="$${VARIABLE_PREFIX}${name}"; unset ${VARIABLE_PREFIX}${name}`,
  );
  const forward = ['TERM', 'INT', 'HUP', 'QUIT', 'USR1', 'USR2'].map(
    (signal) => `trap 'kill -${signal} "$child" 2>/dev/null' ${signal}`,
  );
  return [
    `exec 3<&0; unset ${ENGINES_OWN}`,
    // guard: variables of an image
    FORGET_IMAGES,
    ...taken,
    // A shell starts background commands with SIGINT and SIGQUIT ignored; `env` of coreutils can undo that.
    'if env --default-signal=INT,QUIT true 2>/dev/null; then set -- env --default-signal=INT,QUIT "$@"; fi',
    '"$@" <&3 3<&- & child=$!',
    'exec 3<&- </dev/null',
    ...forward,
    // A trapped signal ends `wait` early. The command has ended only when it is not a child any more.
    'while :; do wait "$child"; code=$?; kill -0 "$child" 2>/dev/null || exit "$code"; done',
  ].join('\n');
}

export interface RunRequest {
  spec: ContainerSpec & { image: string };
  spawn: SpawnSpec;
  name: string;
  user: { uid: number; gid: number };
  /** arguments that differ between installations, such as those of user namespaces */
  engineArgs: readonly string[];
  runArgs: readonly string[];
  /** how this engine is told of an overlay */
  overlays: 'option' | 'volume';
  /** the engine makes a terminal for it and passes ours on */
  atTerminal: boolean;
}

/** What follows `docker` or `podman`. */
export function runArguments(request: RunRequest): string[] {
  const { spec, spawn, name, user } = request;
  const names = Object.keys(spawn.env).filter((n) => n !== INSTANCE_MARK && n !== DISPATCH_MARK);
  return [
    'run',
    '--rm',
    request.atTerminal ? '-it' : '-i',
    '--pull',
    'never',
    '--name',
    name,
    '--hostname',
    'claude-hooks',
    '--label',
    instanceLabel(spec.instance),
    '--label',
    dispatchLabel(spec.dispatch),
    // guard: container: no network (docker, podman)
    '--network',
    spec.network,
    // guard: container: limits (docker, podman)
    ...limitArguments(spec),
    '--user',
    `${user.uid}:${user.gid}`,
    // guard: container: no capabilities (docker, podman)
    '--cap-drop',
    'ALL',
    '--security-opt',
    'no-new-privileges',
    // docker's own tmpfs would be noexec, but builds run files that they have put there.
    '--read-only',
    '--tmpfs',
    '/tmp:rw,exec,nosuid,nodev,mode=1777',
    // The output of a run belongs in our record, not in a log of the engine.
    '--log-driver',
    'none',
    '--no-healthcheck',
    '--stop-timeout',
    String(STOP_SECONDS),
    '-e',
    INSTANCE_MARK,
    '-e',
    DISPATCH_MARK,
    // guard: container: values outside argument lists (docker, podman)
    ...names.flatMap((n) => ['-e', `${VARIABLE_PREFIX}${n}`]),
    ...spec.mounts.flatMap((one) => mountArguments(one, request.overlays)),
    '-w',
    spawn.cwd,
    ...request.engineArgs,
    ...request.runArgs,
    '--entrypoint',
    '/bin/sh',
    spec.image,
    '-c',
    firstProcess(names),
    'sh',
    spawn.command,
    ...spawn.args,
  ];
}

/**
 * The client's environment: its own variables, the marks, and the command's variables under their other names.
 */
export function clientVariables(
  own: Record<string, string>,
  spec: ContainerSpec,
  env: Record<string, string>,
  atTerminal = false,
): Record<string, string> {
  const named = Object.entries(env).map(([name, value]) => [`${VARIABLE_PREFIX}${name}`, value]);
  return markedEnvironment({ ...own, ...Object.fromEntries(named) }, spec, atTerminal);
}

/** The engines read the option as a line of CSV, so any name works when it is quoted as CSV. */
function mountArguments({ source, target, access, over }: Mount, overlays: RunRequest['overlays']): string[] {
  if (over !== undefined) return overlayArguments({ source, target, over }, overlays);
  // guard: container: read-only mounts (docker, podman)
  const fields = ['type=bind', `src=${source}`, `dst=${target}`, ...(access === 'read' ? ['readonly'] : [])];
  // guard: container: mount names (docker, podman)
  return ['--mount', fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(',')];
}

/**
 * podman mounts an overlay itself. docker does so by a volume without a name, which goes with the container. Neither takes
 * a colon or a comma in these paths; where the state folder has one, the trial of overlays fails and copies are made.
 */
function overlayArguments(
  { source, target, over }: { source: string; target: string; over: Overlay },
  overlays: RunRequest['overlays'],
): string[] {
  const { upper, work } = over;
  if (overlays === 'option') return ['-v', `${source}:${target}:O,upperdir=${upper},workdir=${work}`];
  const options = `lowerdir=${source},upperdir=${upper},workdir=${work}`;
  return [
    '--mount',
    `type=volume,dst=${target},volume-opt=type=overlay,volume-opt=device=overlay,"volume-opt=o=${options}"`,
  ];
}

function limitArguments({ limits }: ContainerSpec): string[] {
  const memory = limits.memoryBytes === null ? [] : [String(limits.memoryBytes)];
  return [
    // Both values are equal, so that no swap is added.
    ...memory.flatMap((bytes) => ['--memory', bytes, '--memory-swap', bytes]),
    ...(limits.cpus === null ? [] : ['--cpus', String(limits.cpus)]),
    '--pids-limit',
    String(limits.pids ?? -1),
  ];
}

/** An instance may be any text, but a filter of the engines takes only a plain one. */
export function instanceLabel(instance: string): string {
  return `${INSTANCE_LABEL}=${hash(instance)}`;
}

export function dispatchLabel(dispatch: string): string {
  return `${DISPATCH_LABEL}=${dispatch}`;
}

/**
 * Each lock has one container name: whoever holds the lock and finds the name taken has found an orphan. Without a lock
 * the name belongs to this one spawn.
 */
export function containerName(spec: ContainerSpec, lockFile: string | null, ordinal: number): string {
  return `claude-hooks-${hash(lockFile ?? `${spec.instance}\0${spec.dispatch}\0${ordinal}`)}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}
