/**
 * An image for podman, made of files of this machine: nothing can be pulled here. A shell, git and what a tool call
 * needs, with the libraries they are linked to. Kept in podman's own store, under a tag that changes with the packages.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const PACKAGES =
  'libc6 dash bash coreutils git sed grep findutils tar gzip util-linux procps perl-base diffutils mawk hostname'.split(
    ' ',
  );
const WANTED = /^\/(usr\/)?(bin|sbin|lib|lib64)\//;
const UNWANTED = /\/(systemd|tmpfiles\.d|sysusers\.d|udev)\/|\.(service|timer)$/;
const MERGED = ['/bin', '/sbin', '/lib', '/lib64'];

/** Name of the image; made now where podman does not have it. `podman` with its arguments. */
export function testImage(podman: readonly string[]): string {
  const tag = createHash('sha256').update(versions()).digest('hex').slice(0, 16);
  const name = `localhost/claude-hooks-test:${tag}`;
  if (run([...podman, 'image', 'exists', name]).status === 0) return name;
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-image-'));
  try {
    const tar = join(folder, 'image.tar');
    writeFileSync(
      join(folder, 'files'),
      filesOfImage()
        .map((file) => `${file}\0`)
        .join(''),
    );
    mustRun(['tar', '-C', '/', '--no-recursion', '--null', '-cPf', tar, '-T', join(folder, 'files')]);
    writeUsers(folder);
    mustRun(['tar', '-C', join(folder, 'made'), '--owner=0', '--group=0', '-rf', tar, 'etc', 'tmp', 'var']);
    mustRun([...podman, 'import', '--quiet', tar, name]);
    return name;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeUsers(folder: string): void {
  for (const part of ['etc', 'tmp', 'var']) mkdirSync(join(folder, 'made', part), { recursive: true });
  writeFileSync(join(folder, 'made/etc/passwd'), 'root:x:0:0:root:/:/bin/sh\nagent:x:1000:1000::/:/bin/sh\n');
  writeFileSync(join(folder, 'made/etc/group'), 'root:x:0:\nagent:x:1000:\n');
}

function filesOfImage(): string[] {
  const listed = spawnSync('dpkg', ['-L', ...PACKAGES], { encoding: 'utf8' }).stdout.split('\n');
  const files = new Set<string>();
  const programs: string[] = [];
  for (const path of ['/usr/bin/sh', '/usr/bin/awk', ...listed]) {
    const isFile =
      WANTED.test(path) && !UNWANTED.test(path) && existsSync(path) && !lstatSync(path).isDirectory();
    if (!isFile) continue;
    add(files, path);
    if (/\/s?bin\/|\/git-core\//.test(path)) programs.push(path);
  }
  for (const library of librariesOf(programs)) add(files, library);
  for (const link of MERGED)
    if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) files.add(link);
  return [...files].sort();
}

/** Under the real name of its folder, and with what it links to. */
function add(files: Set<string>, path: string): void {
  const placed = join(realpathSync(dirname(path)), basename(path));
  files.add(placed);
  if (lstatSync(placed).isSymbolicLink()) add(files, realpathSync(placed));
}

function librariesOf(programs: string[]): string[] {
  const said = spawnSync('ldd', programs, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).stdout;
  return [...new Set(said.match(/\/\S+\.so\S*/g) ?? [])].filter((path) => existsSync(path));
}

/** Of the packages and their libraries' home; a change of what is taken from them needs another first word. */
function versions(): string {
  const asked = spawnSync('dpkg-query', ['-W', ...PACKAGES], { encoding: 'utf8' });
  return `1 ${PACKAGES.join(' ')}\n${asked.stdout}`;
}

function run(argv: readonly string[]) {
  const [program, ...args] = argv;
  return spawnSync(program!, args, { encoding: 'utf8', timeout: 120_000 });
}

function mustRun(argv: readonly string[]): void {
  const { status, stderr } = run(argv);
  if (status !== 0) throw new Error(`${argv.slice(0, 4).join(' ')} failed: ${stderr}`);
}
