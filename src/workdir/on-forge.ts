/**
 * Whether a branch of the forge has a file with a given content. The mirror is asked, which only we write.
 */
import type { Git } from './git.ts';

/**
 * The newest branches are looked at first. A file that only an older branch has is not found, and counts as unknown.
 */
const MOST_BRANCHES = 200;

export async function onForge(
  git: Git,
  /** bare repository */
  gitDir: string,
  files: readonly { path: string; blob: string }[],
): Promise<Set<string>> {
  const found = new Set<string>();
  if (files.length === 0) return found;
  const list = [
    'for-each-ref',
    '--sort=-committerdate',
    `--count=${MOST_BRANCHES}`,
    '--format=%(objectname)',
  ];
  const { stdout } = await git({ gitDir, args: [...list, 'refs/heads'] });
  const paths = files.map(({ path }) => path);
  for (const sha of new Set(stdout.split('\n').filter((line) => line !== ''))) {
    const tree = await git({ gitDir, args: ['--literal-pathspecs', 'ls-tree', '-z', sha, '--', ...paths] });
    for (const line of tree.stdout.split('\0')) {
      const tab = line.indexOf('\t');
      const [, , blob] = line.slice(0, tab).split(' ');
      const path = line.slice(tab + 1);
      if (files.some((file) => file.path === path && file.blob === blob)) found.add(path);
    }
    if (found.size === files.length) break;
  }
  return found;
}
