/**
 * podman's list of system calls, made stricter. Its own list allows kinds of sockets that no network namespace
 * confines: vsock reaches the hypervisor and this machine from any container. It also lets an agent make namespaces, in
 * which the agent has all rights towards parts of the kernel that only root should reach. docker's list refuses both.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAMILIES } from './seccomp.ts';

/** The files that podman itself reads, in this order. */
const LISTS = ['/etc/containers/seccomp.json', '/usr/share/containers/seccomp.json'];
const NETLINK = 16;
const NETLINK_AUDIT = 9;

/** Calls that our list allows only under conditions, or not at all. */
const TAKEN_OUT = new Set(
  // guard: container: namespaces (podman), part 2
  'socket socketcall clone clone3 unshare setns mount umount umount2 pivot_root move_mount open_tree fsopen fsmount fsconfig fspick mount_setattr'.split(
    ' ',
  ),
);
/** CLONE_NEW…: of user, mount, process, network, name, System V and control-group namespaces */
const NEW_NAMESPACES = 0x7e020000;

interface Rule {
  names: string[];
  action: string;
  args?: { index: number; value: number; valueTwo: number; op: string }[] | null;
  [other: string]: unknown;
}

/**
 * Arguments of `podman run`; none where podman's own list is not found, or where the operator names another list.
 */
export function seccompArguments(runArgs: readonly string[], lists: readonly string[] = LISTS): string[] {
  if (runArgs.some((arg) => arg.includes('seccomp') || arg === '--privileged')) return [];
  const text = lists.map(read).find((found) => found !== null);
  if (text === undefined || text === null) return [];
  return ['--security-opt', `seccomp=${fileOf(tightened(text))}`];
}

const PLAIN_CLONE: Rule = {
  names: ['clone'],
  action: 'SCMP_ACT_ALLOW',
  // guard: container: namespaces (podman), part 1
  args: [{ index: 0, value: NEW_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
};

function tightened(text: string): string {
  const profile = JSON.parse(text) as { syscalls: Rule[] };
  const others = profile.syscalls
    .map((rule) => ({ ...rule, names: rule.names.filter((name) => !TAKEN_OUT.has(name)) }))
    .filter((rule) => rule.names.length > 0);
  // A call that no rule names is refused as if the kernel did not have it, so programs do without clone3.
  const syscalls = [...others, PLAIN_CLONE, ...FAMILIES.map((family) => allowed(family))];
  return JSON.stringify({ ...profile, syscalls });
}

function allowed(family: number): Rule {
  const equal = { index: 0, value: family, valueTwo: 0, op: 'SCMP_CMP_EQ' };
  const noAudit = { index: 2, value: NETLINK_AUDIT, valueTwo: 0, op: 'SCMP_CMP_NE' };
  const args = family === NETLINK ? [equal, noAudit] : [equal];
  return { names: ['socket'], action: 'SCMP_ACT_ALLOW', args };
}

/**
 * One file for all runs. It is made again where somebody has removed it, and made elsewhere where somebody else has
 * taken the name.
 */
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
