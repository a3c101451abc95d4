/**
 * Files of Git LFS in a checkout: contents replace their pointers where the operator wants that, and the agent is told
 * which files are still pointers. No filter of a repository runs; the index keeps the pointer.
 */
import { chmod, copyFile, lstat, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { inCheckout } from './checkout.ts';
import type { Control } from './control.ts';
import { GitCommandFailed } from './failure.ts';
import type { Git } from './git.ts';
import { askBatch, download, LfsRefused } from './lfs-client.ts';
import { type LfsFile, lfsFilesOf } from './lfs-files.ts';
import { LARGEST_POINTER, type Pointer, parsePointer } from './lfs-pointer.ts';
import { isStored, keep, storedPath } from './lfs-store.ts';
import type { MirrorUse } from './mirror.ts';
import { quotedNames } from './names.ts';
import type { CheckoutSpec } from './port.ts';
import { hasRealParents } from './trees.ts';

export interface LfsCheckout {
  git: Git;
  control: Control;
  use: MirrorUse;
  commit: string;
  wanted: CheckoutSpec['lfs'];
}

/**
 * Answers sentences for the prompt. Call it only while no process of the agent lives: paths are checked first and used
 * later.
 */
export async function layOutLfs(c: LfsCheckout): Promise<string[]> {
  const { git, control, commit } = c;
  const scratch = join(control.folder, 'lfs-index');
  const files = await lfsFilesOf({ git, gitDir: control.gitDir, commit, scratch });
  let pointers = await stillPointers(control.checkout, files);
  if (pointers.length === 0) return [];
  const { wanted } = c;
  if (wanted === undefined || !wanted.fetch) return [leftNote(pointers, NOT_FETCHED)];
  const why = await fetchContents(c, { pointers, maxBytes: wanted.maxBytes });
  await putContents(c, pointers);
  pointers = await stillPointers(control.checkout, pointers);
  return pointers.length === 0 ? [] : [leftNote(pointers, why ?? 'The forge does not have their contents.')];
}

const NOT_FETCHED =
  'This service does not fetch their contents here; where the work needs them, say so in your answer (the operator can set forges.<name>.lfs to fetch).';

function leftNote(pointers: readonly LfsFile[], why: string): string {
  const names = quotedNames(pointers.map(({ path }) => path));
  const are =
    pointers.length === 1
      ? '1 file is kept in Git LFS and stands in the checkout as a pointer'
      : `${pointers.length} files are kept in Git LFS and stand in the checkout as pointers`;
  return `${are}, a few lines of text that name the content: ${names}. ${why} Do not edit a pointer as text. To replace such a file, write the new content in its place and git add it: the content is sent to Git LFS with your push.`;
}

async function stillPointers(checkout: string, files: readonly LfsFile[]): Promise<LfsFile[]> {
  const found: LfsFile[] = [];
  for (const file of files) {
    if (!(await hasRealParents(checkout, file.path))) continue;
    const path = join(checkout, file.path);
    const is = await lstat(path).catch(() => null);
    if (is?.isFile() !== true || is.size > LARGEST_POINTER) continue;
    if (parsePointer(await readFile(path, 'latin1'))?.oid === file.pointer.oid) found.push(file);
  }
  return found;
}

/** Answers why some contents could not be fetched, or null. */
async function fetchContents(
  { use }: LfsCheckout,
  { pointers, maxBytes }: { pointers: readonly LfsFile[]; maxBytes: number },
): Promise<string | null> {
  const missing = new Map<string, Pointer>();
  for (const { pointer } of pointers) {
    if (!(await isStored(use.path, pointer))) missing.set(pointer.oid, pointer);
  }
  if (missing.size === 0) return null;
  const contents = [...missing.values()];
  const bytes = contents.reduce((sum, { size }) => sum + size, 0);
  if (bytes > maxBytes) {
    return `Their contents take ${bytes} bytes, more than the ${maxBytes} that the operator allows (git.max_lfs_bytes).`;
  }
  try {
    const offers = await askBatch(use.address, 'download', contents);
    for (const { pointer, action } of offers.values()) {
      if (action !== null) await keep(use.path, pointer, download(use.address, action));
    }
    return null;
  } catch (error) {
    if (error instanceof LfsRefused) return `Their contents could not be fetched: ${error.message}.`;
    if (!(error instanceof GitCommandFailed)) throw error;
    // The run goes on, because most work does not read these files; the next run asks again.
    const why = error.transient ? 'did not answer' : 'does not let the account read them';
    return `Their contents could not be fetched: the forge ${why}.`;
  }
}

async function putContents(c: LfsCheckout, pointers: readonly LfsFile[]): Promise<void> {
  const { git, control, use, commit } = c;
  const staged = await inCheckout(git, control, [
    'diff-index',
    '--cached',
    '--name-only',
    '-z',
    commit,
    '--',
  ]);
  // A file that the agent has staged holds its work, so it is left alone.
  const changed = new Set(staged.stdout.split('\0'));
  const placed: string[] = [];
  for (const { path, pointer } of pointers) {
    if (changed.has(path) || !(await isStored(use.path, pointer))) continue;
    await putContent(c, { path, pointer });
    placed.push(path);
  }
  if (placed.length === 0) return;
  // Git takes a file for changed, without reading it, when its size differs from the size in the index.
  const text = placed.map((path) => `${path}\0`).join('');
  await inCheckout(git, control, ['update-index', '-z', '--stdin'], undefined, { text });
}

async function putContent({ control, use }: LfsCheckout, { path, pointer }: LfsFile): Promise<void> {
  const target = join(control.checkout, path);
  const { mode } = await lstat(target);
  const fresh = join(control.folder, 'lfs-content');
  await copyFile(storedPath(use.path, pointer), fresh);
  await chmod(fresh, mode & 0o777);
  await rename(fresh, target);
}
