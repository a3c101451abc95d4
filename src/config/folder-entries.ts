/**
 * Finds entries of the operator's folders that would be ignored: a wrong ending, a folder, a name that flows cannot
 * use.
 */
import { basename, extname } from 'node:path';
import type { Loading } from './loading.ts';
import { NAME_PATTERN } from './option-kinds.ts';

export interface EntriesOf {
  kind: 'agents' | 'flows' | 'skills';
  folder: string;
  endings: readonly string[];
}

/** A file with one of these endings was meant to be read. */
const MEANT = ['.md', '.markdown', '.mdown', '.mkd', '.mdx', '.yaml', '.yml'];
/** Editors and people leave such files there on purpose, so they are not reported. */
const LEFT = /^\.|^readme\b|^license\b|~$|\.(bak|orig|old|tmp|swp|disabled|example)$/i;

export function checkEntries({ kind, folder, endings }: EntriesOf, loading: Loading): void {
  for (const { path, isFolder } of loading.sources.entries(folder) ?? []) {
    const name = basename(path);
    // guard: files that are not read
    if (LEFT.test(name)) continue;
    const ending = extname(name);
    const fits = endings.includes(ending);
    const report = (problem: string, remedy: string) =>
      loading.problems.push({ file: path, path: '', value: null, problem, remedy });
    if (isFolder && fits) {
      report(
        'is a folder',
        `Put a file of that name in its place: ${kind} are files that end in ${endings[0]}.`,
      );
    } else if (isFolder) {
      loading.warnings.push(
        `${path}: is a folder, and ${kind} in folders below are not read. Move its files up to ${folder}, or the folder to another place.`,
      );
    } else if (!fits && MEANT.includes(ending.toLowerCase())) {
      const better = `${basename(name, ending)}${endings[0]}`;
      report(
        `is not read, because ${kind} are files that end in ${endings[0]}`,
        `Rename it to ${better}, or move it out of ${folder}.`,
      );
    } else if (!fits) {
      loading.warnings.push(
        `${path}: is not read, because ${kind} are files that end in ${endings[0]}. Rename it, or move it out of ${folder}.`,
      );
    } else if (kind !== 'flows' && !NAME_PATTERN.test(basename(name, ending).replace(/^_/, ''))) {
      const better = basename(name, ending)
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .replace(/^-|-$/g, '');
      report(
        'its name is not one that flows can use: lower-case letters, digits and dashes',
        `Rename it${better === '' ? '' : ` to ${better}${endings[0]}`}.`,
      );
    }
  }
}
