/** An agent's git in tests: its own process, so that the door in this one can answer meanwhile. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGitDoor } from '../../src/broker/git-door.ts';
import type { GitDoorDeps } from '../../src/broker/git-door-state.ts';
import type { PushPolicy } from '../../src/broker/git-policy.ts';
import type { Checkout, CheckoutSpec, Workdir } from '../../src/workdir.ts';

export const IDENTITY = { name: 'Dev Agent', email: 'dev@example.test' };
export const CONVERSATION = '11111111-2222-3333-4444-555555555555';

export interface Ran {
  code: number | null;
  stdout: string;
  /** what a person at the terminal sees besides stdout */
  stderr: string;
}

const ENV = { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' };

export async function run(
  command: string[],
  o: { cwd: string; env?: Record<string, string>; input?: string },
): Promise<Ran> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd: o.cwd, env: { ...ENV, ...o.env }, stdio: 'pipe' });
  child.stdin.on('error', () => {});
  child.stdin.end(o.input ?? '');
  const ran: Ran = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    ran.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    ran.stderr += chunk;
  });
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...ran, code }));
  });
}

export const agentGit = async (cwd: string, ...args: string[]): Promise<Ran> =>
  await run(['git', ...args], { cwd });

export function agentSpec(url: string, change: Partial<CheckoutSpec> = {}): CheckoutSpec {
  return {
    conversation: CONVERSATION,
    repository: { id: '7', fullName: 'team/app' },
    remote: { url, token: null },
    defaultBranch: 'main',
    at: { kind: 'branch', branch: 'claude/5', base: 'main' },
    identity: IDENTITY,
    relay: null,
    configurationFromBase: false,
    sign: false,
    ...change,
  };
}

export const POLICY: PushPolicy = {
  closed: null,
  branch: 'claude/5',
  base: 'main',
  prefix: 'claude',
  item: 5,
  defaultBranch: 'main',
  protection: { add: [], allow: [], workflowFiles: false },
  closing: { own: 5, keywords: [] },
  marked: () => null,
  identity: IDENTITY,
  maxBytes: 1_000_000,
  maxLfsBytes: 1_000_000,
};

export type Audited = Parameters<GitDoorDeps['audit']>[0];

export async function openDoor(
  o: { workdir: Workdir; checkout: Checkout; remote: GitDoorDeps['remote'] },
  change: Partial<GitDoorDeps> = {},
) {
  const audited: Audited[] = [];
  const warnings: string[] = [];
  const waiting: (() => void)[] = [];
  const door = await openGitDoor({
    ...o,
    policy: POLICY,
    signingKeyFile: null,
    audit: async (entry) => {
      audited.push(entry);
      for (const wake of waiting.splice(0)) wake();
    },
    log: { warn: (message) => warnings.push(message) },
    assertMine: async () => {},
    ...change,
  });
  /** resolves when an audit entry like this one is there */
  const until = async (is: (entry: Audited) => boolean): Promise<Audited> => {
    for (;;) {
      const found = audited.find(is);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return { ...door, audited, warnings, until };
}

/** Every file below, with what is in it: to tell whether something was written. */
export function contents(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'latin1')]),
  );
}
