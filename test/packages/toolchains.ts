/** The compilers and package managers of this machine, for containers that have none: where they are, as mounts. */
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mount } from '../../src/container/container.ts';
import type { EngineName } from '../../src/vocabulary.ts';

export interface Toolchains {
  /** folders of programs, for PATH */
  path: string[];
  mounts: Mount[];
  /** npm-cli.js */
  npm: string;
}

/** null = one of them is missing; `needs('toolchains')` has said so before. */
export function toolchainsFor(engine: EngineName): Toolchains {
  const node = dirname(process.execPath);
  const npm = realpathSync(said('sh', ['-c', 'command -v npm']));
  const rust = said('rustc', ['--print', 'sysroot']);
  const go = said('go', ['env', 'GOROOT']);
  const folders = [node, dirname(dirname(npm)), rust, go].filter((path) => !path.startsWith('/usr/'));
  // An image of podman has its own /usr, which lacks linker and Python: this machine's takes its place.
  const ofUsr = engine === 'bubblewrap' ? [] : ['/usr', '/etc/alternatives'];
  const mounts = [...new Set([...ofUsr, ...folders])]
    .filter((path) => existsSync(path))
    .map((path): Mount => ({ source: path, target: path, access: 'read' }));
  return { path: [node, join(rust, 'bin'), join(go, 'bin')], mounts, npm };
}

function said(command: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}`);
  return stdout.trim();
}
