/**
 * Configuration from the base: the files that instruct an agent stand in the checkout as the base branch has them,
 * whatever the pull request says. The index keeps the pull request's versions (skip-worktree), so that status is clean
 * and no commit carries ours. The files are given back before HEAD moves, and put in again afterwards; each step can
 * be repeated after a crash.
 *
 * Call this only while no process of the agent lives: paths are checked first and used later.
 */
import { createHash } from 'node:crypto';
import { copyFile, lstat, mkdir, readdir, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type BaseConfiguration,
  findConfiguration,
  isConfigurationPath,
  isFolder,
  readBaseConfiguration,
} from './base-configuration.ts';
import { inCheckout } from './checkout.ts';
import type { Control } from './control.ts';
import { excludeLines, writeExcludeBlock } from './exclude-block.ts';
import type { Git } from './git.ts';
import { quotedNames } from './names.ts';
import { removeTree } from './remove-tree.ts';
import { hasRealParents, treeOfFolder } from './trees.ts';

export interface Configured {
  git: Git;
  control: Control;
}

/** What was placed in the checkout, noted for the next time where no agent can write. */
interface Manifest {
  paths: string[];
  blobs: string[];
}

interface IndexEntry {
  path: string;
  blob: string;
}

const LARGEST_COMPARED = 1024 * 1024;

export interface TakenConfiguration {
  /** sentences for the prompt: where the pull request differs, and what was moved away */
  notes: string[];
  /** the files in the checkout that may instruct the agent, from the base; sorted, relative paths */
  instructions: string[];
}

export async function takeBaseConfiguration(
  c: Configured,
  o: { mirror: string; baseSha: string },
): Promise<TakenConfiguration> {
  const folder = join(c.control.folder, 'base');
  const base = await readBaseConfiguration({ git: c.git, ...o, folder });
  // A file that the base's instructions import and the base does not have would be read from the pull request.
  // guard: project: imports that the base does not have
  const named = await base.importsIn(treeOfFolder(c.control.checkout));
  const paths = [...new Set([...base.files.keys(), ...named])];
  const index = await indexEntries(c, paths);
  const blobs = [...base.files.values()].map(({ blob }) => blob);
  const manifest = { paths, blobs };
  await writeManifest(c, manifest);
  const aside = await clear(c, index, manifest);
  await skip(c, index, true);
  const placed: string[] = [];
  for (const [path, { file }] of base.files) {
    if (await place(c.control.checkout, path, file)) placed.push(path);
  }
  const tracked = new Set(index.map((e) => e.path));
  await exclude(
    c,
    placed.filter((path) => !tracked.has(path)),
  );
  return {
    notes: [...notesOf(base, index), ...noteOfAside(aside)],
    instructions: placed.filter((path) => !isConfigurationPath(path) || /\.md$/i.test(path)).sort(),
  };
}

/** Gives the checkout the files of git's index again. Does nothing where nothing was placed. */
export async function giveConfigurationBack(c: Configured): Promise<void> {
  const manifest = await readManifest(c);
  if (manifest === null) return;
  const index = await indexEntries(c, manifest.paths);
  await clear(c, index, manifest);
  await skip(c, index, false);
  await inCheckout(c.git, c.control, ['checkout-index', '-q', '-f', '-z', '--stdin'], undefined, {
    text: zeroEnded(index.map((e) => e.path)),
  });
  await exclude(c, []);
  await rm(manifestOf(c));
}

async function indexEntries(c: Configured, more: string[]): Promise<IndexEntry[]> {
  const { stdout } = await inCheckout(c.git, c.control, ['ls-files', '-s', '-z']);
  const also = new Set(more);
  const entries: IndexEntry[] = [];
  for (const line of stdout.split('\0')) {
    const tab = line.indexOf('\t');
    const path = line.slice(tab + 1);
    const [mode, blob = '', stage] = line.slice(0, tab).split(' ');
    if (tab < 0 || stage !== '0' || mode === '160000') continue;
    if (isConfigurationPath(path) || also.has(path)) entries.push({ path, blob });
  }
  return entries;
}

async function skip(c: Configured, index: IndexEntry[], on: boolean): Promise<void> {
  if (index.length === 0) return;
  const args = ['update-index', on ? '--skip-worktree' : '--no-skip-worktree', '-z', '--stdin'];
  await inCheckout(c.git, c.control, args, undefined, { text: zeroEnded(index.map((e) => e.path)) });
}

/**
 * Removes instructing files from the checkout. A file whose content neither git nor we have is moved beside the
 * checkout, not deleted; answers those.
 */
async function clear(c: Configured, index: IndexEntry[], manifest: Manifest): Promise<string[]> {
  const aside: string[] = [];
  const { checkout } = c.control;
  const known = new Set([...manifest.blobs, ...index.map((e) => e.blob)]);
  const found = await findConfiguration(async (at) =>
    (await readdir(join(checkout, at), { withFileTypes: true })).map((entry) => ({
      name: entry.name,
      isFolder: entry.isDirectory(),
    })),
  );
  const imported = [...manifest.paths, ...index.map((e) => e.path)].filter((p) => !isConfigurationPath(p));
  for (const path of [...found, ...new Set(imported)]) {
    if (!(await hasRealParents(checkout, path))) continue;
    const file = join(checkout, path);
    if (!isConfigurationPath(path) && (await isFolder(file))) continue;
    if (await isKnown(file, known)) {
      await removeTree(file);
      continue;
    }
    await setAside(checkout, path);
    aside.push(path);
  }
  return aside;
}

async function setAside(checkout: string, path: string): Promise<void> {
  const aside = join(dirname(checkout), '.configuration', path);
  await removeTree(aside);
  await mkdir(dirname(aside), { recursive: true });
  await rename(join(checkout, path), aside);
}

async function isKnown(path: string, known: Set<string>): Promise<boolean> {
  const s = await lstat(path).catch(() => null);
  if (s === null) return true;
  if (s.isDirectory()) {
    for (const name of await readdir(path)) if (!(await isKnown(join(path, name), known))) return false;
    return true;
  }
  if (s.isSymbolicLink()) return known.has(blobId(Buffer.from(await readlink(path))));
  return s.isFile() && s.size <= LARGEST_COMPARED && known.has(blobId(await readFile(path)));
}

async function place(checkout: string, path: string, file: string): Promise<boolean> {
  if (!(await hasRealParents(checkout, path))) return false;
  const target = join(checkout, path);
  if ((await lstat(target).catch(() => null)) !== null) return false;
  await mkdir(dirname(target), { recursive: true });
  await copyFile(file, target);
  return true;
}

/** Writes these paths to the agent's exclude file, and to the one of our own git directory. */
async function exclude(c: Configured, paths: string[]): Promise<void> {
  const lines = excludeLines(paths);
  await mkdir(join(c.control.gitDir, 'info'), { recursive: true });
  await writeFile(join(c.control.gitDir, 'info/exclude'), lines.map((l) => `${l}\n`).join(''));
  await writeExcludeBlock(c.control.checkout, 'from the base branch', lines);
}

function notesOf(base: BaseConfiguration, index: IndexEntry[]): string[] {
  const theirs = new Map(index.map((e) => [e.path, e.blob]));
  const otherwise = [...base.files].filter(([path, { blob }]) => theirs.get(path) !== blob).map(([p]) => p);
  const added = [...theirs.keys()].filter((path) => !base.files.has(path));
  const notes: string[] = [];
  if (otherwise.length > 0) {
    notes.push(
      `The pull request changes what instructs agents. In the checkout these stand as the base branch has them: ${quotedNames(otherwise)}. Changes you make to them are not kept.`,
    );
  }
  if (added.length > 0) {
    notes.push(
      `The base branch does not have these, and they could instruct agents, so they are not in the checkout: ${quotedNames(added)}.`,
    );
  }
  if (notes.length > 0) {
    notes.push('Read what the pull request has of these files with git show HEAD:<path>.');
  }
  return notes;
}

function noteOfAside(paths: string[]): string[] {
  if (paths.length === 0) return [];
  return [
    `These were in the checkout without being committed, and could instruct agents, so they were moved out of it: ${quotedNames(paths)}. Write them again under another name if the work needs them.`,
  ];
}

function manifestOf(c: Configured): string {
  return join(c.control.folder, 'base.json');
}

async function readManifest(c: Configured): Promise<Manifest | null> {
  try {
    return JSON.parse(await readFile(manifestOf(c), 'utf8')) as Manifest;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function writeManifest(c: Configured, manifest: Manifest): Promise<void> {
  await writeFile(`${manifestOf(c)}.new`, JSON.stringify(manifest));
  await rename(`${manifestOf(c)}.new`, manifestOf(c));
}

function blobId(content: Buffer): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}

function zeroEnded(paths: string[]): string {
  return paths.map((path) => `${path}\0`).join('');
}
