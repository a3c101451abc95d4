/** Our own lines in the exclude file of a checkout. The agent may change that file; nothing rests on it. */
import { lstat, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFolder } from './base-configuration.ts';
import { removeTree } from './remove-tree.ts';

const LARGEST = 4 * 1024 * 1024;
const END = '# claude-hooks: end';

/** Patterns that name exactly these paths. */
export function excludeLines(paths: readonly string[]): string[] {
  return paths.map((path) => `/${path.replace(/[\\*?[\]]/g, '\\$&').replace(/ $/, '\\ ')}`);
}

/** Replaces the block of this name; without lines there is none. A link in the place of the file is not followed. */
export async function writeExcludeBlock(
  checkout: string,
  name: string,
  lines: readonly string[],
): Promise<void> {
  const info = join(checkout, '.git/info');
  if (!(await isFolder(info))) {
    if (lines.length === 0) return;
    await rm(info, { force: true });
    await mkdir(info);
  }
  const begin = `# claude-hooks: ${name}`;
  const file = join(info, 'exclude');
  const s = await lstat(file).catch(() => null);
  const readable = s?.isFile() && s.size <= LARGEST;
  const before = readable ? await readFile(file, 'utf8') : '';
  const kept = before.replace(new RegExp(`${begin}\n[^]*?${END}\n`, 'g'), '');
  const block = lines.length === 0 ? '' : `${begin}\n${lines.join('\n')}\n${END}\n`;
  if (readable && kept + block === before) return;
  await removeTree(file);
  await writeFile(file, kept === '' || kept.endsWith('\n') ? kept + block : `${kept}\n${block}`, {
    flag: 'wx',
  });
}
