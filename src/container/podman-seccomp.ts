/**
 * podman's list of system calls with the sockets taken out that no network namespace holds: its own lets vsock pass,
 * which reaches the hypervisor and this machine from any container. docker's list does that itself.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAMILIES } from './seccomp.ts';

/** Where podman itself looks, in this order. */
const LISTS = ['/etc/containers/seccomp.json', '/usr/share/containers/seccomp.json'];
const NETLINK = 16;
const NETLINK_AUDIT = 9;

interface Rule {
  names: string[];
  action: string;
  args?: { index: number; value: number; valueTwo: number; op: string }[] | null;
  [other: string]: unknown;
}

/** Arguments of `podman run`; none where podman's own list is not found, or the operator names another. */
export function seccompArguments(runArgs: readonly string[], lists: readonly string[] = LISTS): string[] {
  if (runArgs.some((arg) => arg.includes('seccomp') || arg === '--privileged')) return [];
  const text = lists.map(read).find((found) => found !== null);
  if (text === undefined || text === null) return [];
  return ['--security-opt', `seccomp=${fileOf(withoutOddSockets(text))}`];
}

function withoutOddSockets(text: string): string {
  const profile = JSON.parse(text) as { syscalls: Rule[] };
  const others = profile.syscalls
    .map((rule) => ({ ...rule, names: rule.names.filter((n) => n !== 'socket' && n !== 'socketcall') }))
    .filter((rule) => rule.names.length > 0);
  // What no rule names is refused.
  const syscalls = [...others, ...FAMILIES.map((family) => allowed(family))];
  return JSON.stringify({ ...profile, syscalls });
}

function allowed(family: number): Rule {
  const equal = { index: 0, value: family, valueTwo: 0, op: 'SCMP_CMP_EQ' };
  const noAudit = { index: 2, value: NETLINK_AUDIT, valueTwo: 0, op: 'SCMP_CMP_NE' };
  const args = family === NETLINK ? [equal, noAudit] : [equal];
  return { names: ['socket'], action: 'SCMP_ACT_ALLOW', args };
}

/** One file for all; made anew where somebody has cleaned up, and elsewhere where somebody else has taken the name. */
function fileOf(text: string): string {
  const name = `claude-hooks-seccomp-${createHash('sha256').update(text).digest('hex').slice(0, 16)}.json`;
  const file = join(tmpdir(), name);
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 });
    return file;
  } catch {
    if (isOurs(file) && read(file) === text) return file;
    const own = join(mkdtempSync(join(tmpdir(), 'claude-hooks-seccomp-')), name);
    writeFileSync(own, text, { mode: 0o600 });
    return own;
  }
}

function isOurs(file: string): boolean {
  const found = lstatSync(file, { throwIfNoEntry: false });
  return found?.isFile() === true && found.uid === (process.getuid?.() ?? found.uid);
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
