/**
 * What a run leaves in the checkout that no branch of the forge has. People are told, because they would take "done"
 * for published.
 */
import { PULL_FOLDERS } from '../forges/registry.ts';
import { inCheckout, readStatus } from './checkout.ts';
import type { Control } from './control.ts';
import type { Git } from './git.ts';
import type { Unpublished } from './port.ts';

export interface UnpublishedQuestion {
  /** the commit of the checkout that was published; null = nothing was */
  published: string | null;
  /** unix ms; people were told of older commits when those were made */
  since: number;
  /** files that differed right after git made the checkout: nobody's work */
  bornDirty: readonly string[];
}

const MOST_BRANCHES = 50;
/** Git keeps whole seconds. */
const SLACK_MS = 1000;

export async function readUnpublished(
  git: Git,
  control: Control,
  { published, since, bornDirty }: UnpublishedQuestion,
): Promise<Unpublished> {
  const status = await readStatus(git, control);
  const born = new Set(bornDirty);
  const dirtyFiles = status.dirtyFiles.filter((file) => !born.has(file));
  const format = '--format=%(objectname) %(committerdate:unix) %(refname:lstrip=2)';
  const list = ['for-each-ref', '--sort=-committerdate', `--count=${MOST_BRANCHES}`, format, 'refs/heads'];
  const { stdout } = await inCheckout(git, control, list);
  const heads: { name: string | null; sha: string }[] = stdout
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, at]) => Number(at) * 1000 >= since - SLACK_MS)
    .map(([sha = '', , ...name]) => ({ sha, name: name.join(' ') }))
    // People were told of these when an earlier run was kept.
    .filter(({ name }) => !name.startsWith('kept-'));
  if (status.branch === null && !heads.some(({ sha }) => sha === status.headSha)) {
    heads.push({ name: null, sha: status.headSha });
  }
  const branches: Unpublished['branches'] = [];
  for (const { name, sha } of heads) {
    const commits = await countOf(git, control, sha, published);
    if (commits > 0) branches.push({ name, commits });
  }
  return { dirtyFiles, branches };
}

/** The published commit may be unknown to the checkout, so a missing one is ignored. */
async function countOf(git: Git, control: Control, sha: string, published: string | null): Promise<number> {
  const known = published === null ? [] : [published];
  const args = [
    'rev-list',
    '--count',
    '--ignore-missing',
    sha,
    '--not',
    '--remotes',
    ...PULL_FOLDERS.map((folder) => `--glob=${folder}/*`),
    ...known,
  ];
  return Number((await inCheckout(git, control, args)).stdout);
}
