/** The command line of bubblewrap: an empty root, the machine's /usr, and what the spec mounts. */
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import type { ContainerSpec, SpawnSpec } from './container.ts';

/** Files of /etc that programs in /usr read. None of them names users, hosts or keys of this machine. */
const ETC = [
  'alternatives',
  // Without them a browser draws every page in the same serif font, and says nothing.
  'fonts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'protocols',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
  'ca-certificates',
  'pki/tls/certs',
  'pki/ca-trust/extracted',
];
/** Shown only when the sandbox uses this machine's network. */
const ETC_OF_THE_NETWORK = ['hosts', 'resolv.conf', 'nsswitch.conf', 'gai.conf'];
/** Symlinks into /usr on merged systems, folders elsewhere. */
const SYSTEM_FOLDERS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/**
 * Files of /etc that are made for the sandbox: path and text. bwrap reads the texts from descriptors 3, 4, …
 */
export function madeFiles(spec: ContainerSpec, user: { uid: number; gid: number }): [string, string][] {
  const { uid, gid } = user;
  const root = uid === 0 ? '' : 'root:x:0:0:root:/:/usr/sbin/nologin\n';
  const passwd = `${root}agent:x:${uid}:${gid}:agent:/state/home:/bin/sh\n`;
  const group = `${gid === 0 ? '' : 'root:x:0:\n'}agent:x:${gid}:\n`;
  const hosts = '127.0.0.1 localhost claude-hooks\n::1 localhost\n';
  return [
    ['/etc/passwd', passwd],
    ['/etc/group', group],
    ...(spec.network === 'none' ? [['/etc/hosts', hosts] satisfies [string, string]] : []),
  ];
}

export interface BubblewrapRequest {
  spec: ContainerSpec;
  user: { uid: number; gid: number };
  spawn: Pick<SpawnSpec, 'command' | 'args' | 'cwd'>;
  /** paths of `madeFiles` */
  made: readonly string[];
  /** a program that filters system calls follows on the next descriptor */
  seccomp: boolean;
}

/** What follows `bwrap`. */
export function bubblewrapArguments({ spec, user, spawn, made, seccomp }: BubblewrapRequest): string[] {
  return [
    '--unshare-all',
    // guard: container: no network (bubblewrap)
    ...(spec.network === 'host' ? ['--share-net'] : []),
    // Root gets a user namespace of its own, too, and none can be made below it: more of the kernel stays hidden.
    ...['--unshare-user', '--disable-userns', '--uid', String(user.uid), '--gid', String(user.gid)],
    // guard: container: no capabilities (bubblewrap)
    ...['--cap-drop', 'ALL', '--die-with-parent', '--hostname', 'claude-hooks'],
    ...['--ro-bind', '/usr', '/usr'],
    ...SYSTEM_FOLDERS.flatMap(systemFolder),
    ...etc(spec.network),
    ...made.flatMap((path, i) => ['--perms', '0444', '--ro-bind-data', String(3 + i), path]),
    ...(seccomp ? ['--seccomp', String(3 + made.length)] : []),
    // /proc is read-only, because root could write the kernel's settings: the kernel runs a core_pattern outside.
    ...[
      '--proc',
      '/proc',
      // guard: container: settings of the kernel (bubblewrap)
      '--remount-ro',
      '/proc',
      '--dev',
      '/dev',
      '--perms',
      '1777',
      '--tmpfs',
      '/tmp',
      '--dir',
      '/var',
    ],
    ...['--symlink', '../tmp', '/var/tmp'],
    // guard: container: read-only mounts (bubblewrap)
    ...spec.mounts.flatMap((m) => [
      m.access === 'read' ? '--ro-bind' : '--bind',
      m.over?.merged ?? m.source,
      m.target,
    ]),
    // The root is made read-only last, because mount points are made in it until here.
    ...['--remount-ro', '/', '--chdir', spawn.cwd, '--', spawn.command, ...spawn.args],
  ];
}

function systemFolder(path: string): string[] {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  return found.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
}

function etc(network: ContainerSpec['network']): string[] {
  const names = [...ETC, ...(network === 'host' ? ETC_OF_THE_NETWORK : [])];
  const paths = names.map((name) => `/etc/${name}`).filter((path) => existsSync(path));
  return paths.flatMap((path) => ['--ro-bind', realpathSync(path), path]);
}
