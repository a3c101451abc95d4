/** Files of a commit by their names, read from the mirror alone: no agent can have changed them on the way. */
import type { Git } from './git.ts';
import { requireSha } from './names.ts';
import type { NamedFile } from './port.ts';

/** Lock files of large workspaces are some megabytes each. */
const LARGEST_FILE = 32 * 1024 * 1024;
const MOST_FILES = 300;
const MOST_BYTES = 128 * 1024 * 1024;

interface Commit {
  git: Git;
  /** bare repository */
  mirror: string;
  sha: string;
}

/** null = the mirror does not have the commit. What is too large, or one too many, is left out. */
export async function readFilesNamed(
  { git, mirror, sha }: Commit,
  isWanted: (path: string) => boolean,
): Promise<NamedFile[] | null> {
  requireSha(sha);
  const known = await git({
    gitDir: mirror,
    args: ['cat-file', '-e', `${sha}^{commit}`],
    answers: [0, 1, 128],
  });
  if (known.exitCode !== 0) return null;
  const { stdout } = await git({ gitDir: mirror, args: ['ls-tree', '-r', '-l', '-z', sha] });
  const found: NamedFile[] = [];
  let bytes = 0;
  for (const line of stdout.split('\0')) {
    const tab = line.indexOf('\t');
    const path = line.slice(tab + 1);
    const [mode = '', type, blob, size] = line.slice(0, Math.max(0, tab)).split(/ +/);
    if (type !== 'blob' || blob === undefined || !mode.startsWith('100') || !isWanted(path)) continue;
    if (Number(size) > LARGEST_FILE || bytes + Number(size) > MOST_BYTES || found.length >= MOST_FILES)
      continue;
    bytes += Number(size);
    found.push({ path, text: (await git({ gitDir: mirror, args: ['cat-file', 'blob', blob] })).stdout });
  }
  return found;
}
