/**
 * The files that instruct an agent, as the base branch has them: CLAUDE.md and similar files in any folder, `.claude`,
 * `.mcp.json`, the targets of links among them, and everything that they may import with `@`. They are written to a
 * folder of the worker's own.
 */
import { lstat, mkdir, readFile, readlink } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { Git } from './git.ts';
import { possibleImports, type Tree } from './imports.ts';
import { removeTree } from './remove-tree.ts';
import { treeOfEntries } from './trees.ts';

// Upper and lower case alike: git tells such names apart, a file system may not.
const CONFIGURATION = /(^|\/)((claude|agents)(\.local)?\.md|\.mcp\.json|\.claude)(\/|$)/i;
/** Larger files are no instructions; the CLI leaves them out, too. */
const LARGEST_TEXT = 4 * 1024 * 1024;
/** A limit for imports of imports and links to links, more than any sensible tree needs. */
const MOST_ROUNDS = 100;

export function isConfigurationPath(path: string): boolean {
  return CONFIGURATION.test(path);
}

export interface BaseConfiguration {
  /** path in the checkout → its file in `folder`, and its blob */
  files: Map<string, { file: string; blob: string }>;
  /** paths in another tree that these files may import, also those that the base does not have */
  importsIn(tree: Tree): Promise<Set<string>>;
}

interface Reading {
  git: Git;
  /** bare repository that has the commit */
  mirror: string;
  baseSha: string;
  /** emptied and filled */
  folder: string;
}

type Entries = Map<string, { mode: string; blob: string }>;

export async function readBaseConfiguration(r: Reading): Promise<BaseConfiguration> {
  const entries = await readEntries(r);
  await removeTree(r.folder);
  await mkdir(join(r.folder, 'tree'), { recursive: true });
  const call = { gitDir: r.mirror, workTree: join(r.folder, 'tree'), indexFile: join(r.folder, 'index') };
  await r.git({ ...call, args: ['read-tree', r.baseSha] });
  const at: Layout = { entries, tree: treeOfEntries(entries), files: new Map(), texts: [] };
  const { files } = at;
  let wanted = new Map([...entries.keys()].filter(isConfigurationPath).map((path) => [path, path]));
  for (let round = 0; round <= MOST_ROUNDS && wanted.size > 0; round += 1) {
    const text = [...new Set(wanted.values())].join('\0');
    await r.git({ ...call, args: ['checkout-index', '-q', '-f', '-z', '--stdin'], input: { text } });
    const next = new Map<string, string>();
    for (const [path, source] of wanted) {
      for (const [p, s] of await follow(r, at, { path, source })) {
        if (!files.has(p)) next.set(p, s);
      }
    }
    wanted = next;
  }
  return { files, importsIn: (tree) => importsOf(at.texts, tree) };
}

interface Layout {
  entries: Entries;
  tree: Tree;
  files: BaseConfiguration['files'];
  texts: ImportingText[];
}

interface ImportingText {
  file: string;
  /** folders in which a relative import may begin: the file's own, that of a link's target, and the top */
  folders: string[];
}

/** Notes a file; answers what it needs besides: path → its place in the base's tree. */
async function follow(
  r: Reading,
  { entries, tree, files, texts }: Layout,
  { path, source }: { path: string; source: string },
): Promise<[string, string][]> {
  const { mode, blob } = entries.get(source)!;
  const file = join(r.folder, 'tree', source);
  if (mode === '120000') {
    const target = withinTree(source, await readlink(file));
    if (target === null) return [];
    return [...entries.keys()]
      .filter((entry) => entry === target || entry.startsWith(`${target}/`))
      .map((entry) => [path + entry.slice(target.length), entry]);
  }
  if (!mode.startsWith('100')) return [];
  files.set(path, { file, blob });
  const folders = [...new Set([path, source].map((name) => posix.dirname(name).replace(/^\.$/, ''))), ''];
  const text = { file, folders: [...new Set(folders)] };
  texts.push(text);
  return [...(await importsOf([text], tree))].map((name) => [name, name]);
}

async function importsOf(texts: readonly ImportingText[], tree: Tree): Promise<Set<string>> {
  const found = new Set<string>();
  for (const { file, folders } of texts) {
    if ((await lstat(file)).size > LARGEST_TEXT) continue;
    for (const path of await possibleImports(await readFile(file, 'utf8'), folders, tree)) found.add(path);
  }
  return found;
}

async function readEntries(r: Reading): Promise<Entries> {
  const { stdout } = await r.git({ gitDir: r.mirror, args: ['ls-tree', '-r', '-z', r.baseSha] });
  const entries: Entries = new Map();
  for (const line of stdout.split('\0')) {
    const tab = line.indexOf('\t');
    const path = line.slice(tab + 1);
    // A path with a line break cannot be named in an exclude file.
    if (tab < 0 || path.includes('\n')) continue;
    const [mode = '', , blob = ''] = line.slice(0, tab).split(' ');
    if (mode !== '160000') entries.set(path, { mode, blob });
  }
  return entries;
}

/** The path that the link `source` leads to; null = outside of the tree. */
function withinTree(source: string, name: string): string | null {
  if (name.startsWith('/')) return null;
  const path = posix.normalize(posix.join(dirname(source), name)).replace(/\/$/, '');
  return path === '.' || path === '..' || path.startsWith('../') ? null : path;
}

/** Topmost configuration files, folders and links of a checkout, tracked or not. Links are not followed. */
export async function findConfiguration(list: (path: string) => Promise<Listing>): Promise<string[]> {
  const found: string[] = [];
  const folders = [''];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const { name, isFolder } of await list(at)) {
      const path = at === '' ? name : `${at}/${name}`;
      if (isConfigurationPath(path)) found.push(path);
      else if (isFolder && name !== '.git') folders.push(path);
    }
  }
  return found;
}

export type Listing = { name: string; isFolder: boolean }[];

export async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() ?? false;
}
