/**
 * Which files the instructions of a repository could import with an `@`. On purpose this finds more imports than the
 * CLI does: what the CLI takes for one depends on Markdown, escapes, anchors and its release. A file too many costs
 * little; one too few would let a pull request instruct the agent that looks at it.
 *
 * So every `@` counts, wherever it stands, and every file of the tree whose name the text behind it begins with.
 */
import { posix } from 'node:path';

/** Files and folders of one tree: the base's, or a checkout. */
export interface Tree {
  /** The entries of a folder, `''` = the top; empty where there is no such folder. A link is not a folder. */
  list(folder: string): Promise<readonly TreeEntry[]>;
}

export interface TreeEntry {
  name: string;
  /** `name` as it is compared */
  key: string;
  kind: 'file' | 'folder' | 'link';
}

/** No path can be longer. */
const LONGEST = 4096;
const OPENING = /^["'`<([{]+/;
const NAME_GOES_ON = /[\p{L}\p{N}]/u;
const MOST_PARTS = 64;
/**
 * After so many comparisons other work gets a turn, so that a long text does not keep the service from answering.
 */
const TURN = 200;

/**
 * Paths in `tree` that `text` may import; relative names may begin in any of `folders`. A link stands for everything
 * behind it.
 */
export async function possibleImports(
  text: string,
  folders: readonly string[],
  tree: Tree,
): Promise<Set<string>> {
  const found = new Set<string>();
  let looked = 0;
  for (const spelled of spellings(text)) {
    for (const start of startsOf(folders, spelled)) {
      await walk(tree, found, start);
      looked += 1;
      if (looked % TURN === 0) await new Promise(setImmediate);
    }
  }
  return found;
}

interface Position {
  folder: string;
  rest: string;
}

/**
 * The possible readings of the text behind each `@`: as written, with escaped spaces, without any backslash; `a/../` is
 * resolved.
 */
function* spellings(text: string): Generator<string> {
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at + 1, Math.min(end < 0 ? text.length : end, at + 1 + LONGEST));
    const raw = line.replace(OPENING, '');
    if (raw === '' || /^\s/.test(raw)) continue;
    const word = /^(?:\\ |\S)*/.exec(raw)![0];
    const forms = [raw, ...[raw, word].flatMap((form) => [form, posix.normalize(form)])];
    if (raw.includes('\\')) {
      for (const form of [raw, word]) {
        for (const plain of [form.replaceAll('\\ ', ' '), form.replaceAll('\\', '')]) {
          forms.push(plain, posix.normalize(plain));
        }
      }
    }
    yield* new Set(forms.map(keyOf));
  }
}

/**
 * A name may begin in each folder. A path that leads out of the tree may lead back in, so each later part of it may
 * also begin at the top.
 */
function* startsOf(folders: readonly string[], spelled: string): Generator<Position> {
  for (const folder of folders) yield { folder, rest: spelled };
  if (!/^(?:[/~]|\.\.)/.test(spelled)) return;
  let at = spelled.indexOf('/');
  for (let parts = 0; at >= 0 && parts < MOST_PARTS; parts += 1, at = spelled.indexOf('/', at + 1)) {
    yield { folder: '', rest: spelled.slice(at + 1) };
  }
}

async function walk(tree: Tree, found: Set<string>, start: Position): Promise<void> {
  const open: Position[] = [start];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { folder, rest } = withoutDots(at);
    if (rest === '') continue;
    for (const { name, key, kind } of await tree.list(folder)) {
      if (key[0] !== rest[0] || !rest.startsWith(key)) continue;
      const next = rest[key.length] ?? '';
      if (NAME_GOES_ON.test(next)) continue;
      const path = folder === '' ? name : `${folder}/${name}`;
      if (kind !== 'folder') found.add(path);
      else if (next === '/') open.push({ folder: path, rest: rest.slice(key.length + 1) });
    }
  }
}

/** A path that leads out of the tree goes on at the top. */
function withoutDots(at: Position): Position {
  let { folder, rest } = at;
  for (;;) {
    if (rest.startsWith('/')) rest = rest.slice(1);
    else if (rest.startsWith('./')) rest = rest.slice(2);
    else if (rest.startsWith('../')) {
      folder = folder.includes('/') ? folder.slice(0, folder.lastIndexOf('/')) : '';
      rest = rest.slice(3);
    } else return { folder, rest };
  }
}

/**
 * Names are compared without case and with composed accents: the CLI composes accents, and a file system may ignore
 * case.
 */
export function keyOf(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
