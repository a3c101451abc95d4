/** Finds the marked places of the source and replaces what stands there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MarkedEdit } from './guard.ts';

const MARK = /^\s*\/\/ guard: (.+)$/;
/** Folders with marked source. Guards themselves and tests hold none. */
const MARKED = ['src', 'rehearsal', 'scripts'];

/** Where each mark stands: mark → files below `root`, one for each time it is written. */
export function marks(root: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const folder of MARKED) {
    for (const file of sources(root, folder)) {
      for (const line of readFileSync(join(root, file), 'utf8').split('\n')) {
        const mark = MARK.exec(line)?.[1];
        if (mark !== undefined) found.set(mark, [...(found.get(mark) ?? []), file]);
      }
    }
  }
  return found;
}

function sources(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

/** `text` with what stands below the mark replaced. Throws when the mark is not there. */
export function replaced(text: string, edit: MarkedEdit): string {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => MARK.exec(line)?.[1] === edit.mark);
  if (at === -1) throw new Error(`No comment says "guard: ${edit.mark}"; mark the guarded line again.`);
  // Several guards may mark one line.
  let first = at + 1;
  while (MARK.test(lines[first] ?? '')) first++;
  const count = edit.lines ?? lastOfBlock(lines, first) - first + 1;
  const indent = ' '.repeat(indentOf(lines[first]!));
  const becomes = edit.becomes === '' ? [] : edit.becomes.split('\n').map((line) => indent + line);
  return lines.toSpliced(first, count, ...becomes).join('\n');
}

/** The last line of what begins at `first`: deeper indented lines belong to it, and so does the one that closes it. */
function lastOfBlock(lines: string[], first: number): number {
  const indent = indentOf(lines[first]!);
  let last = first;
  for (let n = first + 1; n < lines.length; n++) {
    const line = lines[n]!;
    if (line.trim() === '') continue;
    const deeper = indentOf(line) > indent;
    const closing = indentOf(line) === indent && /^ *[}\])]/.test(line);
    if (!deeper && !closing) break;
    last = n;
    if (closing && !/[{[(]$/.test(line)) break;
  }
  return last;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
