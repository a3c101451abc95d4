/**
 * Completes package-lock.json with the optional packages of other platforms. A registry that does not carry them makes
 * `npm install` write a lock without them, and `npm ci` then refuses that lock everywhere. Run after every install that
 * changes the lock: `node scripts/complete-lock.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

const OS = [
  'android',
  'darwin',
  'linux',
  'win32',
  'freebsd',
  'openbsd',
  'netbsd',
  'sunos',
  'aix',
  'openharmony',
];
const CPU = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 's390x', 'riscv64', 'loong64', 'mips64el', 'wasm32'];

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockedPackage> };
const added: string[] = [];
for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (isLocked(name)) continue;
    lock.packages[`node_modules/${name}`] = entry(name, version, parent.dev === true);
    added.push(`${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(added.length === 0 ? 'The lock is complete.\n' : `Added:\n${added.join('\n')}\n`);

function isLocked(name: string): boolean {
  return Object.keys(lock.packages).some(
    (k) => k === `node_modules/${name}` || k.endsWith(`/node_modules/${name}`),
  );
}

/** The platform stands in the package's name; without integrity, which only a registry that has it could tell. */
function entry(name: string, version: string, dev: boolean): LockedPackage {
  const parts = name.replaceAll('/', '-').split('-');
  const os = OS.filter((o) => parts.includes(o));
  const cpu = CPU.filter((c) => parts.includes(c));
  const libc = parts.some((p) => p.startsWith('musl'))
    ? ['musl']
    : parts.some((p) => p.startsWith('gnu'))
      ? ['glibc']
      : [];
  return {
    version,
    ...(dev ? { dev } : {}),
    ...(cpu.length > 0 ? { cpu } : {}),
    optional: true,
    ...(os.length > 0 ? { os } : {}),
    ...(libc.length > 0 ? { libc } : {}),
  };
}
