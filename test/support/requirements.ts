/**
 * What a suite needs of the machine, found out by trying. Use:
 *
 *   const git = needs('git');
 *   describe.skipIf(!git.ok)(git.title('pushes'), () => { … });
 *
 * The reporter in skipped-reporter.ts lists what was not run, and why, at the end of a run.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type Requirement =
  | 'git'
  | 'flock'
  | 'mount-namespace'
  | 'cli'
  | 'proc'
  | 'script'
  | 'bubblewrap'
  | 'podman'
  | 'openssl'
  | 'ssh-keygen'
  | 'pgbouncer'
  | 'static-shell'
  | 'musl'
  | 'toolchains'
  | 'chromium'
  | 'npm';

export interface Need {
  ok: boolean;
  /** '' when ok, else what is missing and what to do */
  reason: string;
  /** the suite's name, with the reason in it when the suite cannot run */
  title(suite: string): string;
}

/** Between the name of a suite and the reason; the reporter looks for it. */
export const NOT_RUN_HERE = ' — not run here: ';

const TRIALS: Readonly<Record<Requirement, () => string>> = {
  git: () => (succeeds('git', ['--version']) ? '' : 'git does not run; install git'),
  flock: () => (flockLocks() ? '' : 'flock does not lock; install util-linux'),
  'mount-namespace': () =>
    succeeds('unshare', ['-m', 'true'])
      ? ''
      : 'unshare may not make a mount namespace; run as root with CAP_SYS_ADMIN',
  script: () =>
    succeeds('script', ['-qec', 'true', '/dev/null']) ? '' : 'script makes no terminal; install util-linux',
  openssl: () => (succeeds('openssl', ['version']) ? '' : 'openssl does not run; install openssl'),
  'ssh-keygen': () =>
    succeeds('sh', ['-c', 'command -v ssh-keygen']) ? '' : 'ssh-keygen is not there; install openssh-client',
  pgbouncer: () => (succeeds('pgbouncer', ['--version']) ? '' : 'pgbouncer does not run; install pgbouncer'),
  bubblewrap: () =>
    succeeds('bwrap', ['--unshare-all', '--ro-bind', '/', '/', '--proc', '/proc', 'true'])
      ? ''
      : 'bwrap does not start a sandbox; install bubblewrap and allow user namespaces',
  podman: () =>
    succeeds('podman', [...PODMAN_ARGS, 'info']) &&
    succeeds('runc', ['--version']) &&
    succeeds('dpkg', ['--version'])
      ? ''
      : 'podman does not run containers; install podman and runc, and run on Debian as root',
  'static-shell': () =>
    succeeds('/bin/busybox', ['true']) ? '' : '/bin/busybox does not run; install busybox-static',
  musl: () =>
    readdirSync('/lib').some((name) => name.startsWith('ld-musl-'))
      ? ''
      : 'there is no musl loader in /lib; install musl',
  toolchains: () => {
    const missing = Object.entries(TOOLCHAINS).filter(([, command]) => !succeeds('sh', ['-c', command]));
    const names = missing.map(([name]) => name).join(', ');
    return names === ''
      ? ''
      : `these do not run: ${names}; install python3-pip, cargo, gcc, libc6-dev, golang-go and npm`;
  },
  chromium: () =>
    succeeds('sh', ['-c', 'test -x /usr/lib/chromium/chromium || command -v chromium'])
      ? ''
      : 'there is no Chromium; install chromium',
  npm: () =>
    succeeds('/usr/bin/node', ['/usr/lib/node_modules/npm/bin/npm-cli.js', '--version'])
      ? ''
      : 'there is no node and npm in /usr; install them there',
  cli: () => {
    const binary = cliBinary();
    if (binary === null)
      return 'the CLI of the Agent SDK is not installed; run npm ci with optional packages';
    return succeeds(binary, ['--version'])
      ? ''
      : `${binary} does not run on this machine; use Linux with glibc or musl`;
  },
  proc: () =>
    environmentIsReadable() ? '' : '/proc/<pid>/environ cannot be read; run on Linux with /proc mounted',
};

/** What the four real builds need, and how it is found out. rustup asks for the real home. */
const TOOLCHAINS = {
  npm: 'npm --version',
  'the pip of /usr/bin/python3': '/usr/bin/python3 -m pip --version',
  cargo: `export RUSTUP_HOME=${process.env.RUSTUP_HOME ?? `${homedir()}/.rustup`}; cargo --version && rustc --version`,
  cc: 'cc --version',
  go: 'go version',
} as const;

/** A runtime to run the suites of the container engines on, by path or name, as `container.runtime` takes it. */
export const OTHER_RUNTIME = process.env.CLAUDE_HOOKS_TEST_RUNTIME ?? null;
/** Which runtime the tests use: Debian 12 installs another one first, and that one does not start everywhere. */
export const PODMAN_ARGS = OTHER_RUNTIME === null ? ['--runtime', 'runc'] : [];

/** What Vitest's main process has tried, for the processes of the test files. */
const TRIED = 'CLAUDE_HOOKS_TEST_TRIED';
const known = new Map<string, string>(Object.entries(JSON.parse(process.env[TRIED] ?? '{}')));

/** Answers for all of them together; each is tried once per process, or not at all where a parent has tried it. */
export function needs(...requirements: Requirement[]): Need {
  const missing = requirements.map(tried).filter((reason) => reason !== '');
  const reason = missing.join('; ');
  return { ok: missing.length === 0, reason, title: (suite) => titleOf(suite, reason) };
}

/** For reasons that are found out elsewhere, such as a database server that does not start. */
export function titleOf(suite: string, reason: string): string {
  return reason === '' ? suite : `${suite}${NOT_RUN_HERE}${reason}`;
}

function tried(requirement: Requirement): string {
  const reason = known.get(requirement) ?? TRIALS[requirement]();
  known.set(requirement, reason);
  process.env[TRIED] = JSON.stringify(Object.fromEntries(known));
  return reason;
}

function succeeds(command: string, args: string[]): boolean {
  // Nothing of the caller but its PATH, and no home to write to.
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', CLAUDE_CONFIG_DIR: '/nonexistent' };
  return spawnSync(command, args, { env, stdio: 'ignore', timeout: 20_000 }).status === 0;
}

/** On a folder of its own: other test processes try at the same moment. */
function flockLocks(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-flock-'));
  try {
    return succeeds('flock', ['-n', '-F', '-E', '75', folder, 'true']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The binary that comes with the SDK for this platform; glibc first, as the SDK itself looks. */
function cliBinary(): string | null {
  const require = createRequire(import.meta.url);
  const name = process.platform === 'win32' ? 'claude.exe' : 'claude';
  for (const suffix of ['', '-musl']) {
    const platform = `${process.platform}-${process.arch}${suffix}`;
    try {
      return join(dirname(require.resolve(`@anthropic-ai/claude-agent-sdk-${platform}/package.json`)), name);
    } catch {
      // Not this one.
    }
  }
  return null;
}

function environmentIsReadable(): boolean {
  try {
    return readFileSync('/proc/self/environ', 'latin1').includes('PATH=');
  } catch {
    return false;
  }
}
