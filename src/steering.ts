/**
 * Steering files: project instructions, settings, memory, hooks. A marked session must not write them, because a later run
 * would take them for our own instructions, also after a person has lifted the mark.
 *
 * Contract:
 * - `keepSteering` copies them before a marked session is given any text; a second call does nothing.
 * - `putSteeringBack` restores them before the next run reads anything. Nothing is lost: what was written meanwhile is
 *   moved to `aside`, and `readNews` names it for the next prompt.
 * - Both may be repeated after a crash at any point. While `putSteeringBack` runs, no process of the agent may live.
 * - The folder belongs to the worker, and no container has it.
 *
 * Rejected: read-only mounts over the files of a checkout. git replaces files by renaming, so a merge or a switch that
 * brings another version of a mounted file would fail half-way; and a mount over a missing file leaves an empty one.
 */
import { chmod, mkdir, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Place, survey } from './steering/survey.ts';
import { blobId, type Found, hasRealParents, look } from './steering/tree.ts';

export interface Steering {
  /** absolute; made when it is needed */
  folder: string;
}

export interface Changed {
  /** `checkout`, `cli` or `home`, and the path in it */
  root: Place['root'];
  path: string;
}

interface Kept {
  places: Place[];
  /** what stood there; a file's content is `files/<n>` */
  entries: (Changed & {
    found: { kind: 'file'; n: number; mode: number } | { kind: 'link'; target: string };
  })[];
  /** by root */
  further: Record<string, string[]>;
}

/** A path of a checkout with the content it has now, as git names contents. */
export interface Content {
  path: string;
  blob: string;
}

/** Which of these contents a branch of the forge has: a marked session cannot have put them there. */
export type OnForge = (contents: readonly Content[]) => Promise<ReadonlySet<string>>;

export async function keepSteering({ folder }: Steering, places: readonly Place[]): Promise<void> {
  if ((await readKept(folder)) !== null) return;
  const fresh = join(folder, 'files');
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  const kept: Kept = { places: [...places], entries: [], further: {} };
  for (const place of places) {
    const { files, further } = await survey(place, null);
    kept.further[place.root] = further;
    for (const [path, found] of files) {
      if (found.kind === 'link') kept.entries.push({ root: place.root, path, found });
      if (found.kind !== 'file') continue;
      const n = kept.entries.length;
      await writeFile(join(fresh, String(n)), found.bytes, { mode: 0o600 });
      kept.entries.push({ root: place.root, path, found: { kind: 'file', n, mode: found.mode } });
    }
  }
  await writeWhole(join(folder, 'kept.json'), JSON.stringify(kept));
}

export async function putSteeringBack(steering: Steering, onForge: OnForge): Promise<Changed[]> {
  const { folder } = steering;
  const kept = await readKept(folder);
  if (kept === null) return [];
  const changed: Changed[] = [];
  for (const place of kept.places) changed.push(...(await putPlaceBack(steering, kept, place, onForge)));
  if (changed.length > 0) {
    await writeWhole(join(folder, 'news.json'), JSON.stringify([...(await readNews(folder)), ...changed]));
  }
  await rm(join(folder, 'kept.json'), { force: true });
  await rm(join(folder, 'files'), { recursive: true, force: true });
  return changed;
}

/** What was put back since the last prompt; stays until `forgetNews`. */
export async function readNews(folder: string): Promise<Changed[]> {
  return (await readJson<Changed[]>(join(folder, 'news.json'))) ?? [];
}

export async function forgetNews(folder: string): Promise<void> {
  await rm(join(folder, 'news.json'), { force: true });
}

async function putPlaceBack(
  { folder }: Steering,
  kept: Kept,
  place: Place,
  onForge: OnForge,
): Promise<Changed[]> {
  const { files } = await survey(place, kept.further[place.root] ?? []);
  const entries = new Map(kept.entries.filter((e) => e.root === place.root).map((e) => [e.path, e.found]));
  const differing: { path: string; now: Found; before: Kept['entries'][number]['found'] | undefined }[] = [];
  for (const path of new Set([...files.keys(), ...entries.keys()])) {
    const now = files.get(path) ?? (await look(join(place.folder, path)));
    const before = entries.get(path);
    if (!(await isSame(folder, now, before))) differing.push({ path, now, before });
  }
  const contents = differing.flatMap(({ path, now }) =>
    now.kind === 'file' && place.root === 'checkout' ? [{ path, blob: blobId(now.bytes) }] : [],
  );
  const vouched = contents.length === 0 ? new Set<string>() : await onForge(contents);
  const changed: Changed[] = [];
  for (const { path, now, before } of differing) {
    if (vouched.has(path) || !(await hasRealParents(place.folder, path))) continue;
    if (now.kind !== 'none') await moveAway(folder, place, path);
    if (before !== undefined) await putFile(folder, join(place.folder, path), before);
    changed.push({ root: place.root, path });
  }
  return changed;
}

async function isSame(
  folder: string,
  now: Found,
  before: Kept['entries'][number]['found'] | undefined,
): Promise<boolean> {
  if (before === undefined) return now.kind === 'none';
  if (before.kind === 'link') return now.kind === 'link' && now.target === before.target;
  return now.kind === 'file' && now.bytes.equals(await readFile(join(folder, 'files', String(before.n))));
}

/** Into the worker's folder, for a person to look at. Only the last version of each is kept. */
async function moveAway(folder: string, place: Place, path: string): Promise<void> {
  const aside = join(folder, 'aside', place.root, path);
  await rm(aside, { recursive: true, force: true });
  // An earlier run can have left a file where a folder is needed.
  for (let at = dirname(aside); at.length > folder.length; at = dirname(at)) {
    if (['file', 'link', 'odd'].includes((await look(at)).kind)) await unlink(at);
  }
  await mkdir(dirname(aside), { recursive: true, mode: 0o700 });
  const from = join(place.folder, path);
  await rename(from, aside).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EXDEV') throw error;
    const found = await look(from);
    if (found.kind === 'file') await writeFile(aside, found.bytes, { mode: 0o600 });
    await rm(from, { recursive: true, force: true });
  });
}

async function putFile(
  folder: string,
  target: string,
  before: Kept['entries'][number]['found'],
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  if (before.kind === 'link') return await symlink(before.target, target);
  await writeFile(target, await readFile(join(folder, 'files', String(before.n))), { flag: 'wx' });
  await chmod(target, before.mode);
}

async function readKept(folder: string): Promise<Kept | null> {
  return await readJson<Kept>(join(folder, 'kept.json'));
}

async function readJson<T>(file: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
