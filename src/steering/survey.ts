/** The steering files of one root as they are now. Links are not followed, but what they lead to counts as well. */
import { join, posix } from 'node:path';
import { importsOf, isImporting, type Root, steers } from './paths.ts';
import { type Found, look, pathsBelow } from './tree.ts';

export interface Place {
  root: Root;
  /** absolute, on this machine */
  folder: string;
}

export interface Survey {
  files: Map<string, Found>;
  /** further paths that count, with all below them: imports of a file, and targets of a link */
  further: string[];
}

/** The CLI follows imports this deep; links in links are treated alike. */
const MOST_ROUNDS = 6;
// No container can write there.
const SYSTEM = /^\/(usr|bin|sbin|lib|lib32|lib64|libx32|opt|etc|proc|dev|sys)(\/|$)/;

/** `further`: the paths of an earlier look, which a second look takes as they are: the files may have changed since. */
export async function survey(place: Place, further: readonly string[] | null): Promise<Survey> {
  const found: Survey = { files: new Map(), further: [...(further ?? [])] };
  await take(place, found, (path) => steers(place.root, path) || isBelow(found.further, path));
  if (further !== null) return found;
  let fresh = [...found.files];
  for (let round = 0; round < MOST_ROUNDS && fresh.length > 0; round += 1) {
    const named = [...new Set(fresh.flatMap(([path, at]) => leadsTo(place.root, path, at)))];
    const more = named.filter((path) => !steers(place.root, path) && !isBelow(found.further, path));
    if (more.length === 0) break;
    // guard: steering: imports and links
    found.further.push(...more);
    const known = new Set(found.files.keys());
    await take(place, found, (path) => !known.has(path) && isBelow(more, path));
    fresh = [...found.files].filter(([path]) => !known.has(path));
  }
  return found;
}

async function take({ root, folder }: Place, into: Survey, wanted: (path: string) => boolean): Promise<void> {
  const enters = (path: string) => root !== 'checkout' || path !== '.git/objects';
  const takes = (path: string, isLink: boolean) => wanted(path) || (isLink && root === 'checkout');
  for await (const path of pathsBelow(folder, takes, enters)) {
    const found = await look(join(folder, path));
    if (found.kind === 'none') continue;
    // A link out of the checkout can lead to a folder with instructions. The target of any other link is looked at itself.
    if (wanted(path) || (found.kind === 'link' && leaves(path, found.target))) into.files.set(path, found);
  }
}

function leaves(path: string, target: string): boolean {
  if (target.startsWith('/')) return !SYSTEM.test(posix.normalize(target));
  return within(path, target) === null;
}

/** Paths of the same root that a file has read with it, or a link leads to. */
function leadsTo(root: Root, path: string, found: Found): string[] {
  if (found.kind === 'link') return [within(path, found.target)].filter((p) => p !== null);
  if (found.kind !== 'file' || !isImporting(path) || root !== 'checkout') return [];
  return importsOf(found.bytes.toString('utf8'))
    .map((name) => within(path, name))
    .filter((p) => p !== null);
}

/** Where `name`, written in `path`, leads; null = out of the root, or to all of it. */
function within(path: string, name: string): string | null {
  if (name.startsWith('/') || name.startsWith('~')) return null;
  const to = posix.normalize(posix.join(posix.dirname(path), name)).replace(/\/$/, '');
  return to === '.' || to === '..' || to.startsWith('../') ? null : to;
}

function isBelow(prefixes: readonly string[], path: string): boolean {
  return prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}
