/**
 * Which files of a commit are kept in Git LFS, according to its `.gitattributes`, and which blobs are pointers. Git is
 * asked with an index of our own, so that no file of a checkout is read.
 */
import { rm } from 'node:fs/promises';
import { NOT_ON_THE_FORGE } from './facts.ts';
import type { Git } from './git.ts';
import { LARGEST_POINTER, type Pointer, parsePointer } from './lfs-pointer.ts';

export interface LfsQuestion {
  git: Git;
  gitDir: string;
  commit: string;
  /** path for a temporary index, which is made and deleted here */
  scratch: string;
}

export interface LfsFile {
  path: string;
  pointer: Pointer;
}

interface Blob {
  id: string;
  size: number;
  path: string;
}

/** How many blobs one git command reads: it holds their contents in memory. */
const BATCH = 10_000;

/** The commit's files that belong to Git LFS and are stored as pointers. */
export async function lfsFilesOf(q: LfsQuestion): Promise<LfsFile[]> {
  if (!(await usesLfs(q))) return [];
  const blobs = await blobsOf(q);
  const named = await lfsPaths(
    q,
    blobs.map(({ path }) => path),
  );
  const wanted = blobs.filter(({ path }) => named.has(path));
  const pointers = await readPointers(q, wanted);
  return wanted.flatMap(({ id, path }) => {
    const pointer = pointers.get(id);
    return pointer === undefined ? [] : [{ path, pointer }];
  });
}

export interface LfsChanges {
  /** contents that the forge must have, or the push would leave pointers to nothing */
  needed: LfsFile[];
  /** pointers at paths that no `.gitattributes` gives to Git LFS; in a checkout they stay texts */
  others: LfsFile[];
  /** changed files that belong to Git LFS, but were committed with their content */
  raw: string[];
}

/**
 * What these commits bring that the forge does not have; null where the commit's tree does not use Git LFS.
 */
export async function lfsChanges(
  q: LfsQuestion,
  changedFiles: readonly string[],
): Promise<LfsChanges | null> {
  if (!(await usesLfs(q))) return null;
  // guard: lfs: earlier commits of a push
  const brought = await newBlobs(q);
  const changed = new Set(changedFiles);
  const now = (await blobsOf(q)).filter(({ path }) => changed.has(path));
  const named = await lfsPaths(
    q,
    [...brought, ...now].map(({ path }) => path),
  );
  const pointers = await readPointers(q, [...brought, ...now]);
  const changes: LfsChanges = { needed: [], others: [], raw: [] };
  for (const { id, path } of [...now, ...brought]) {
    const pointer = pointers.get(id);
    if (pointer !== undefined) changes[named.has(path) ? 'needed' : 'others'].push({ path, pointer });
  }
  for (const { id, path, size } of now) {
    // An empty file has no pointer.
    if (named.has(path) && size > 0 && !pointers.has(id)) changes.raw.push(path);
  }
  return { ...changes, needed: oncePerContent(changes.needed), others: oncePerContent(changes.others) };
}

/** Most repositories do not use Git LFS, and this is the only thing they are asked. */
export async function usesLfs({ git, gitDir, commit }: Omit<LfsQuestion, 'scratch'>): Promise<boolean> {
  const args = ['grep', '--quiet', '--fixed-strings', '-e', 'filter=lfs', commit];
  const where = ['--', ':(top,glob)**/.gitattributes'];
  return (await git({ gitDir, args: [...args, ...where], answers: [0, 1] })).exitCode === 0;
}

/** Regular files only: a link is stored as it is, whatever the attributes say. */
async function blobsOf({ git, gitDir, commit }: LfsQuestion): Promise<Blob[]> {
  const { stdout } = await git({ gitDir, args: ['ls-tree', '-r', '-l', '-z', commit] });
  return stdout.split('\0').flatMap((entry) => {
    const [, id, size, path] = /^100\d{3} blob ([0-9a-f]+) +(\d+)\t(.+)$/s.exec(entry) ?? [];
    return id === undefined || path === undefined ? [] : [{ id, size: Number(size), path }];
  });
}

/** New blobs of all new commits, not only of the last. Each is named by one of its paths. */
async function newBlobs({ git, gitDir, commit }: LfsQuestion): Promise<Blob[]> {
  const listed = await git({ gitDir, args: ['rev-list', '--objects', commit, ...NOT_ON_THE_FORGE] });
  const format = '%(objecttype) %(objectname) %(objectsize) %(rest)';
  const { stdout } = await git({
    gitDir,
    args: ['cat-file', `--batch-check=${format}`],
    input: { text: `${listed.stdout}\n` },
  });
  return stdout.split('\n').flatMap((line) => {
    const [, id, size, path] = /^blob ([0-9a-f]+) (\d+) (.+)$/.exec(line) ?? [];
    return id === undefined || path === undefined ? [] : [{ id, size: Number(size), path }];
  });
}

async function lfsPaths(
  { git, gitDir, commit, scratch }: LfsQuestion,
  paths: readonly string[],
): Promise<Set<string>> {
  if (paths.length === 0) return new Set();
  try {
    await git({ gitDir, args: ['read-tree', commit], indexFile: scratch });
    const { stdout } = await git({
      gitDir,
      args: ['check-attr', '--cached', '-z', '--stdin', 'filter'],
      indexFile: scratch,
      input: { text: [...new Set(paths)].map((path) => `${path}\0`).join('') },
    });
    const fields = stdout.split('\0');
    const found = new Set<string>();
    for (let at = 0; at + 2 < fields.length; at += 3) if (fields[at + 2] === 'lfs') found.add(fields[at]!);
    return found;
  } finally {
    await rm(scratch, { force: true });
  }
}

/** By the id of the blob. */
async function readPointers({ git, gitDir }: LfsQuestion, blobs: readonly Blob[]) {
  const small = blobs.filter(({ size }) => size > 0 && size <= LARGEST_POINTER).map(({ id }) => id);
  const ids = [...new Set(small)];
  const found = new Map<string, Pointer>();
  for (let at = 0; at < ids.length; at += BATCH) {
    const text = ids
      .slice(at, at + BATCH)
      .map((id) => `${id}\n`)
      .join('');
    // One character for each byte, so that binary content does not shift the lengths.
    const { stdout } = await git({ gitDir, args: ['cat-file', '--batch'], input: { text }, bytes: true });
    for (const [id, content] of batchContents(stdout)) {
      const pointer = parsePointer(content);
      if (pointer !== null) found.set(id, pointer);
    }
  }
  return found;
}

function* batchContents(stdout: string): Generator<[id: string, content: string]> {
  let at = 0;
  for (;;) {
    const end = stdout.indexOf('\n', at);
    const [, id, size] = /^([0-9a-f]+) blob (\d+)$/.exec(stdout.slice(at, Math.max(end, at))) ?? [];
    if (id === undefined) return;
    const begin = end + 1;
    yield [id, stdout.slice(begin, begin + Number(size))];
    at = begin + Number(size) + 1;
  }
}

function oncePerContent(files: readonly LfsFile[]): LfsFile[] {
  return [...new Map(files.toReversed().map((file) => [file.pointer.oid, file])).values()].toReversed();
}
