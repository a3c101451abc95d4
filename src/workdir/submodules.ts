/**
 * Submodules in a checkout: a copy of the files at the commit that the superproject names, fetched outside of the
 * container with the same account. It is a copy and not a repository: it has no configuration, no hooks and no
 * branches, so nobody commits in it what could not be pushed. Files that instruct agents are left out, and commands
 * that `.gitmodules` asks git to run are never read.
 *
 * Call this only while no process of the agent lives: paths are checked first and used later.
 */
import { lstat, mkdir, readdir, readFile, rename, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isConfigurationPath } from './base-configuration.ts';
import type { Control } from './control.ts';
import { GitCommandFailed } from './failure.ts';
import type { Git } from './git.ts';
import { usesLfs } from './lfs-files.ts';
import type { Mirrors, MirrorUse } from './mirror.ts';
import { quotedNames } from './names.ts';
import type { CheckoutSpec, Remote } from './port.ts';
import { removeTree } from './remove-tree.ts';
import { submoduleRepository } from './submodule-address.ts';
import { hasRealParents } from './trees.ts';

export interface Submodules {
  git: Git;
  mirrors: Mirrors;
  control: Control;
  spec: Pick<CheckoutSpec, 'repository' | 'submodules'>;
  commit: string;
}

interface Submodule {
  path: string;
  sha: string;
  /** as in `.gitmodules`; null = it is not named there */
  url: string | null;
}

interface Source {
  fullName: string;
  remote: Remote;
}

/** What we have placed in the checkout: path → where it came from. */
type Placed = Record<string, { fullName: string; sha: string }>;

const MOST = 50;
const LARGEST = 1024 * 1024 * 1024;

/** Answers sentences for the prompt. */
export async function placeSubmodules(s: Submodules): Promise<string[]> {
  const found = await submodulesOf(s);
  const before = await readPlaced(s.control);
  const placed: Placed = {};
  const notes: string[] = [];
  const gone = Object.keys(before).filter((path) => !found.some((one) => one.path === path));
  for (const path of gone) await setAside(s.control, path);
  for (const [n, submodule] of found.entries()) {
    const { path, sha } = submodule;
    const source = n < MOST ? sourceOf(s, submodule) : `there are more than ${MOST} of them`;
    const known = before[path];
    if (typeof source === 'string') {
      if (known !== undefined) await setAside(s.control, path);
      notes.push(missingNote(submodule, source));
    } else if (known?.sha === sha && known.fullName === source.fullName && (await isThere(s, path))) {
      placed[path] = known;
      notes.push(thereNote(submodule, source));
    } else {
      const said = await place(s, submodule, { source, known: known !== undefined });
      if (said.placed) placed[path] = { fullName: source.fullName, sha };
      notes.push(...said.notes);
    }
  }
  if (found.length > 0 || gone.length > 0) await writePlaced(s.control, placed);
  return notes;
}

async function submodulesOf({ git, control, commit }: Submodules): Promise<Submodule[]> {
  const { gitDir } = control;
  const tree = await git({ gitDir, args: ['ls-tree', '-r', '-z', commit] });
  const links = tree.stdout.split('\0').flatMap((entry) => {
    const [, sha, path] = /^160000 commit ([0-9a-f]+)\t(.+)$/s.exec(entry) ?? [];
    return sha === undefined || path === undefined ? [] : [{ sha, path }];
  });
  if (links.length === 0) return [];
  const args = [
    'config',
    '-z',
    '--blob',
    `${commit}:.gitmodules`,
    '--get-regexp',
    '^submodule\\..*\\.(path|url)$',
  ];
  const { stdout, exitCode } = await git({ gitDir, args, answers: [0, 1, 128] });
  const named = new Map<string, { path?: string; url?: string }>();
  for (const pair of exitCode === 0 ? stdout.split('\0') : []) {
    const [, name, key, value] = /^submodule\.(.*)\.(path|url)\n(.*)$/s.exec(pair) ?? [];
    if (name !== undefined && key !== undefined) named.set(name, { ...named.get(name), [key]: value });
  }
  const urls = new Map([...named.values()].map(({ path, url }) => [path, url]));
  return links.map((link) => ({ ...link, url: urls.get(link.path) ?? null }));
}

/** Where its files come from, or why they cannot be had. */
function sourceOf({ spec }: Submodules, { url }: Submodule): Source | string {
  const rule = spec.submodules;
  if (url === null) return '.gitmodules does not name its address';
  if (rule === undefined) return 'submodules are not fetched here';
  const { fullName: own } = spec.repository;
  const fullName = submoduleRepository(url, { addresses: rule.addresses, fullName: own });
  if (fullName === null)
    return `its address ${JSON.stringify(url.slice(0, 200))} is not an http address of this forge`;
  const remote = rule.remoteOf(fullName);
  return remote === null
    ? `the operator of this service has not listed ${fullName} (forges.<name>.repositories)`
    : { fullName, remote };
}

async function place(
  s: Submodules,
  submodule: Submodule,
  { source, known }: { source: Source; known: boolean },
): Promise<{ placed: boolean; notes: string[] }> {
  const { path } = submodule;
  const no = (why: string) => ({ placed: false, notes: [missingNote(submodule, why)] });
  const target = join(s.control.checkout, path);
  // guard: submodules: through no link
  if (!(await hasRealParents(s.control.checkout, path)))
    return no('a folder above it is a link or a file in the checkout');
  if (known) await setAside(s.control, path);
  else if (!(await isFree(target)))
    return no('its folder is not empty in the checkout; what is there was left');
  const fresh = join(s.control.folder, 'submodule');
  const copied = await copyOf(s, submodule, { source, fresh });
  if (typeof copied === 'string') return no(copied);
  await mkdir(dirname(target), { recursive: true });
  await rmdir(target).catch(() => {});
  await rename(fresh, target);
  return { placed: true, notes: [thereNote(submodule, source), ...copied] };
}

/** Writes the files of the commit to `fresh`; answers notes, or why it could not be done. */
async function copyOf(
  s: Submodules,
  submodule: Submodule,
  { source, fresh }: { source: Source; fresh: string },
): Promise<string[] | string> {
  await removeTree(fresh);
  await mkdir(fresh, { recursive: true });
  try {
    // The mirror is named for the submodule, because only the repository's name is known here and not its id.
    return await s.mirrors.use(`submodule ${source.fullName}`, source.remote, async (use) => {
      // Asked also when the commit is here already: the account may have lost its access.
      await s.mirrors.refresh(use, { pull: null, names: [] });
      if (!(await s.mirrors.fetchCommit(use, submodule.sha)))
        return `${source.fullName} does not have its commit ${submodule.sha}`;
      return await writeFiles(s, use, { submodule, fresh });
    });
  } catch (error) {
    if (!(error instanceof GitCommandFailed) || ['unreachable', 'machine'].includes(error.kind)) throw error;
    return error.kind === 'damaged'
      ? `git could not read what it got of ${source.fullName}`
      : `the account may not read ${source.fullName}, or it is not there`;
  }
}

async function writeFiles(
  { git, control }: Submodules,
  { path: gitDir }: MirrorUse,
  { submodule, fresh }: { submodule: Submodule; fresh: string },
): Promise<string[] | string> {
  const { sha, path } = submodule;
  const { stdout } = await git({ gitDir, args: ['ls-tree', '-r', '-l', '-z', sha] });
  const files: string[] = [];
  const nested: string[] = [];
  let bytes = 0;
  let instructing = false;
  for (const entry of stdout.split('\0')) {
    const [, mode, size, name] = /^(\d{6}) \w+ [0-9a-f]+ +(\d+|-)\t(.+)$/s.exec(entry) ?? [];
    if (name === undefined) continue;
    if (mode === '160000') nested.push(name);
    // guard: submodules: instruct nobody
    else if (isConfigurationPath(name)) instructing = true;
    else files.push(name);
    bytes += size === '-' ? 0 : Number(size);
  }
  if (bytes > LARGEST) return `its files take ${bytes} bytes, more than ${LARGEST}`;
  const indexFile = join(control.folder, 'submodule-index');
  const call = { gitDir, workTree: fresh, indexFile };
  await git({ ...call, args: ['read-tree', sha] });
  const text = files.map((name) => `${name}\0`).join('');
  await git({ ...call, args: ['checkout-index', '-q', '-f', '-z', '--stdin'], input: { text } });
  await removeTree(indexFile);
  const at = JSON.stringify(path);
  return [
    ...(nested.length > 0
      ? [`Submodules within ${at} are not fetched, their folders are empty: ${quotedNames(nested)}.`]
      : []),
    ...(instructing ? [`Files in ${at} that would instruct agents were left out of the copy.`] : []),
    ...((await usesLfs({ git, gitDir, commit: sha }))
      ? [`Files in ${at} that are kept in Git LFS are pointers there.`]
      : []),
  ];
}

function thereNote({ path, sha }: Submodule, { fullName }: Source): string {
  return `The submodule ${JSON.stringify(path)} is a copy of ${fullName} at commit ${sha}, and no repository: read it and build with it, but what you change there is not part of your work. To name another commit of it: git update-index --cacheinfo 160000,<commit>,${path}.`;
}

function missingNote({ path, sha }: Submodule, why: string): string {
  return `The submodule ${JSON.stringify(path)} (commit ${sha}) is not in the checkout: ${why}. Where the work needs it, say so in your answer.`;
}

async function isThere({ control }: Submodules, path: string): Promise<boolean> {
  if (!(await hasRealParents(control.checkout, path))) return false;
  return (await lstat(join(control.checkout, path)).catch(() => null))?.isDirectory() === true;
}

async function isFree(target: string): Promise<boolean> {
  const found = await lstat(target).catch(() => null);
  return found === null || (found.isDirectory() && (await readdir(target)).length === 0);
}

/** Moved beside the checkout, because the agent may have changed something in it. */
async function setAside({ checkout }: Control, path: string): Promise<void> {
  if (!(await hasRealParents(checkout, path))) return;
  const aside = join(dirname(checkout), '.submodules', path);
  await removeTree(aside);
  await mkdir(dirname(aside), { recursive: true });
  await rename(join(checkout, path), aside).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

function placedOf(control: Control): string {
  return join(control.folder, 'submodules.json');
}

async function readPlaced(control: Control): Promise<Placed> {
  try {
    return JSON.parse(await readFile(placedOf(control), 'utf8')) as Placed;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

async function writePlaced(control: Control, placed: Placed): Promise<void> {
  await writeFile(`${placedOf(control)}.new`, JSON.stringify(placed));
  await rename(`${placedOf(control)}.new`, placedOf(control));
}
