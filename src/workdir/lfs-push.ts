/**
 * Contents that a push's pointers name go to the forge before the pointers do. The push is refused where a content
 * cannot be found, or where a file of Git LFS was committed with its content: the forge would accept both silently.
 */

import type { Git } from './git.ts';
import { askBatch, LfsRefused, type Offers, upload } from './lfs-client.ts';
import { type LfsFile, lfsChanges } from './lfs-files.ts';
import { type AgentStores, isStored, storedPath, takeFromAgent } from './lfs-store.ts';
import type { MirrorUse } from './mirror.ts';
import { quotedNames } from './names.ts';
import type { Refusal } from './port.ts';

export interface LfsPush {
  git: Git;
  use: MirrorUse;
  /** bare repository that has the commit, and the forge's refs */
  gitDir: string;
  commit: string;
  changedFiles: readonly string[];
  stores: AgentStores;
  maxBytes: number;
  /** false: nothing is sent yet, and every content that is needed must be on this machine */
  reachable: boolean;
}

/** null = everything that Git LFS needs is on the forge. */
export async function sendLfs(p: LfsPush): Promise<Refusal | null> {
  const scratch = `${p.gitDir}/lfs-index`;
  const question = { git: p.git, gitDir: p.gitDir, commit: p.commit, scratch };
  const changes = await lfsChanges(question, p.changedFiles);
  if (changes === null) return null;
  // guard: lfs: content in place of a pointer
  if (changes.raw.length > 0) return rawRefusal(changes.raw);
  if (changes.needed.length + changes.others.length === 0) return null;
  try {
    return p.reachable ? await sendAll(p, changes) : await holdBack(p, changes.needed);
  } catch (error) {
    if (!(error instanceof LfsRefused)) throw error;
    const names = quotedNames([...changes.needed, ...changes.others].map(({ path }) => path));
    return {
      what: `The contents of ${names} are kept in Git LFS and could not be sent there: ${error.message}.`,
      todo: 'Take these files out of the commits and push again; say in your answer that a person has to look at Git LFS on the forge.',
    };
  }
}

async function sendAll(
  p: LfsPush,
  { needed, others }: { needed: LfsFile[]; others: LfsFile[] },
): Promise<Refusal | null> {
  const files = [...needed, ...others];
  const { address } = p.use;
  const contents = files.map(({ pointer }) => pointer);
  const offers = await askBatch(address, 'upload', contents);
  const bytes = [...offers.values()].reduce((sum, o) => sum + (o.action === null ? 0 : o.pointer.size), 0);
  const over = overLimit(bytes, p.maxBytes);
  if (over !== null) return over;
  const refused = needed.map(({ pointer }) => offers.get(pointer.oid)?.error).find((error) => error != null);
  if (refused !== undefined) throw new LfsRefused(`the forge says: ${refused}`);
  const missing = await missingOf(p, files, offers);
  const lost = needed.filter(({ pointer }) => missing.has(pointer.oid));
  // guard: lfs: pointers to nothing, at the door
  if (lost.length > 0) return lostRefusal(lost);
  for (const { pointer } of files) {
    const offered = offers.get(pointer.oid);
    if (offered === undefined || missing.has(pointer.oid)) continue;
    await upload(address, offered, storedPath(p.use.path, pointer));
  }
  return null;
}

/** The contents that neither the forge nor this machine has. */
async function missingOf(p: LfsPush, files: readonly LfsFile[], offers: Offers | null): Promise<Set<string>> {
  const missing = new Set<string>();
  for (const { pointer } of files) {
    if (offers !== null && offers.get(pointer.oid)?.action == null) continue;
    if (await isStored(p.use.path, pointer)) continue;
    if (!(await takeFromAgent(p.use.path, p.stores, pointer))) missing.add(pointer.oid);
  }
  return missing;
}

/** While the forge is down, contents on this machine are kept with the commits, and sent with them. */
async function holdBack(p: LfsPush, needed: readonly LfsFile[]): Promise<Refusal | null> {
  const bytes = needed.reduce((sum, { pointer }) => sum + pointer.size, 0);
  const over = overLimit(bytes, p.maxBytes);
  if (over !== null) return over;
  if ((await missingOf(p, needed, null)).size === 0) return null;
  return {
    what: 'The forge cannot be asked just now whether it has the contents that the commits name in Git LFS.',
    todo: 'Your commits are safe in the checkout; try again later.',
  };
}

function rawRefusal(paths: readonly string[]): Refusal {
  return {
    what: `These files are kept in Git LFS (.gitattributes says filter=lfs), and the commits have their content in place of a pointer: ${quotedNames(paths)}.`,
    todo: 'Run git add --renormalize -- <file>, which makes pointers of them, then git commit --amend, and push again.',
  };
}

function lostRefusal(lost: readonly LfsFile[]): Refusal {
  return {
    what: `The commits name contents in Git LFS that neither the forge nor the checkout has: ${quotedNames(lost.map(({ path }) => path))}.`,
    todo: 'A pointer is not written by hand: put the content itself into the file, run git add -- <file>, which makes the pointer, then git commit --amend, and push again. To leave the file as the base has it, run git checkout <base> -- <file>.',
  };
}

function overLimit(bytes: number, maxBytes: number): Refusal | null {
  // guard: lfs: limit of a push
  if (bytes <= maxBytes) return null;
  return {
    what: `The contents for Git LFS take ${bytes} bytes, more than ${maxBytes}.`,
    todo: 'Take large files out of the commits, or ask the operator to raise git.max_lfs_bytes.',
  };
}
