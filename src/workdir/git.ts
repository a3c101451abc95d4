/**
 * Every git command of the worker goes through here. It runs in our own environment, without a shell, with a time
 * limit, and its failures are told apart. The token of a remote is in the environment of that one command only: an
 * agent inside a container cannot see it, but one that runs as a bare process of the same user can, in /proc while the
 * command runs.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProgramAnswer, runProgram, withoutLineEnd } from '../program.ts';
import { failureKind, GitCommandFailed } from './failure.ts';
import type { WorkdirOptions } from './port.ts';
import type { Address } from './remote.ts';

export interface GitCall {
  args: string[];
  /** the repository; null for a command that needs none */
  gitDir: string | null;
  /** absolute; commands that read or write files run in it */
  workTree?: string;
  /** the forge this command speaks to; undefined = nothing leaves this machine */
  remote?: Address;
  /** settings for this command only */
  config?: [key: string, value: string][];
  /** exit codes that are answers and not failures; 0 when not given */
  answers?: number[];
  /** what the command reads; nothing when not given */
  input?: { file: string } | { text: string };
  /** used in place of the repository's index */
  indexFile?: string;
  /** the answer may be binary: each character of it stands for one byte */
  bytes?: true;
}

export interface GitAnswer {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export type Git = (call: GitCall) => Promise<GitAnswer>;

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
const PASSED_ON = /^(PATH|TMPDIR|SSL_CERT_(FILE|DIR)|GIT_SSL_CAINFO|GIT_SSL_CAPATH|GIT_EXEC_PATH)$/;

/**
 * Overrides every repository's own configuration, and is inherited by git's children inside one repository.
 */
const PROTECTION: [string, string][] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.sshCommand', 'false'],
  ['core.askPass', ''],
  ['core.attributesFile', '/dev/null'],
  ['core.excludesFile', '/dev/null'],
  ['core.quotePath', 'false'],
  ['credential.helper', ''],
  ['protocol.allow', 'never'],
  ['protocol.ext.allow', 'never'],
  ['protocol.file.allow', 'always'],
  ['protocol.http.allow', 'always'],
  ['protocol.https.allow', 'always'],
  // The server must not send us to another place for part of the data.
  ['transfer.bundleURI', 'false'],
  ['fetch.uriProtocols', ''],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['diff.ignoreSubmodules', 'all'],
  // A detached gc would outlive the command and the lock that we hold for it.
  ['gc.autoDetach', 'false'],
  ['maintenance.autoDetach', 'false'],
  ['http.lowSpeedLimit', '1000'],
  ['http.lowSpeedTime', '60'],
];

export function makeGit(options: WorkdirOptions): Git {
  const home = join(options.folder, 'git-home');
  const globalConfig = join(home, 'gitconfig');
  const timeout = options.gitTimeoutMs ?? DEFAULT_TIMEOUT_MS;
  const authorities = { file: join(home, 'authorities.pem'), text: options.network?.authorities ?? '' };
  const base = {
    ...passedOn(options.env),
    ...ownEnvironment(home, globalConfig),
    // The second variable is for a proxy that speaks TLS itself.
    // guard: network: authorities of git
    ...(authorities.text === ''
      ? {}
      : { GIT_SSL_CAINFO: authorities.file, GIT_PROXY_SSL_CAINFO: authorities.file }),
  };
  let ready: Promise<void> | null = null;
  return async (call) => {
    ready ??= makeHome(home, globalConfig, authorities).catch((error) => {
      ready = null;
      throw error;
    });
    await ready;
    const args = call.gitDir === null ? call.args : [`--git-dir=${call.gitDir}`, ...call.args];
    const ran = await runProgram({
      program: 'git',
      args,
      cwd: call.workTree ?? options.folder,
      env: {
        ...base,
        ...workTreeOf(call),
        ...(call.indexFile === undefined ? {} : { GIT_INDEX_FILE: call.indexFile }),
        ...configuration([...PROTECTION, ...(call.config ?? []), ...(call.remote?.config ?? [])]),
      },
      ...(call.input === undefined ? {} : { input: call.input }),
      timeoutMs: timeout,
    });
    const answer = answerOf(call, ran);
    if (ran.cutShort === null && (call.answers ?? [0]).includes(answer.exitCode)) return answer;
    throw failed(call, answer, ran.cutShort);
  };
}

function answerOf(call: GitCall, ran: ProgramAnswer): GitAnswer {
  return {
    exitCode: ran.exitCode ?? -1,
    stdout: withoutLineEnd(ran.stdout.toString(call.bytes === true ? 'latin1' : 'utf8')),
    stderr: cutSecrets(withoutLineEnd(ran.stderr), call.remote),
  };
}

/** Exported for callers that see only in the answer's text that the command failed. */
export function failed(
  call: GitCall,
  answer: GitAnswer,
  cutShort: ProgramAnswer['cutShort'] = null,
): GitCommandFailed {
  const verb = call.args.find((a) => !a.startsWith('-')) ?? 'command';
  const where = [call.remote?.url, call.workTree ?? call.gitDir].filter((w) => w != null).join(' in ');
  const exitCode = answer.exitCode < 0 ? null : answer.exitCode;
  const stderr =
    cutShort === null ? answer.stderr : `${answer.stderr}\n${cutSecrets(cutShort.why, call.remote)}`;
  if (cutShort?.how === 'timed-out') {
    // A local command that takes this long means a busy machine and not a broken repository.
    const kind = call.remote === undefined ? 'machine' : 'unreachable';
    return new GitCommandFailed(`git ${verb} ${where}`, kind, { exitCode, stderr });
  }
  const kind = cutShort?.how === 'too-long' ? 'too-long' : failureKind(stderr, call.remote !== undefined);
  return new GitCommandFailed(`git ${verb} ${where} failed (exit ${exitCode ?? 'none'})`, kind, {
    exitCode,
    stderr,
  });
}

function ownEnvironment(home: string, globalConfig: string): Record<string, string> {
  return {
    HOME: home,
    XDG_CONFIG_HOME: home,
    LC_ALL: 'C',
    GIT_CONFIG_GLOBAL: globalConfig,
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_EDITOR: 'false',
    GIT_PAGER: 'cat',
    GIT_COMMITTER_NAME: 'claude-hooks',
    GIT_COMMITTER_EMAIL: 'claude-hooks@localhost',
  };
}

async function makeHome(
  home: string,
  globalConfig: string,
  authorities: { file: string; text: string },
): Promise<void> {
  await mkdir(home, { recursive: true });
  // Git clears GIT_CONFIG_* for the other end of a local fetch, so this one setting has to be in a file. It keeps a
  // state folder usable that another user once wrote (a volume, a rootless container).
  await writeFile(globalConfig, '[safe]\n\tdirectory = *\n');
  if (authorities.text !== '') await writeFile(authorities.file, `${authorities.text}\n`);
}

function passedOn(env: WorkdirOptions['env']): Record<string, string> {
  const kept: Record<string, string> = { PATH: '/usr/local/bin:/usr/bin:/bin' };
  for (const [name, value] of Object.entries(env ?? {})) {
    if (value !== undefined && PASSED_ON.test(name)) kept[name] = value;
  }
  return kept;
}

function workTreeOf(call: GitCall): Record<string, string> {
  return call.workTree === undefined || call.gitDir === null ? {} : { GIT_WORK_TREE: call.workTree };
}

function configuration(pairs: [string, string][]): Record<string, string> {
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(pairs.length) };
  for (const [i, [key, value]] of pairs.entries()) {
    env[`GIT_CONFIG_KEY_${i}`] = key;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  }
  return env;
}

function cutSecrets(text: string, remote: Address | undefined): string {
  return (remote?.secrets ?? []).reduce((t, secret) => t.replaceAll(secret, '[redacted]'), text);
}
