import { expect, test } from 'vitest';
import { leftOver, leftOverSentences } from './left-over.ts';

test('names a few files and all branches, and says how to get them', () => {
  expect(leftOverSentences({ dirtyFiles: [], branches: [] })).toEqual([]);
  const dirtyFiles = ['a', 'b`c\nd', 'e', 'f', 'g', 'h', 'i'];
  const branches = [
    { name: 'fix', commits: 1 },
    { name: null, commits: 2 },
  ];
  expect(leftOverSentences({ dirtyFiles, branches })).toEqual([
    'Not committed, so not published: `a`, `b?c?d`, `e`, `f`, `g` and 2 more. Ask me to commit what should be kept.',
    'Not published: 1 commit on the branch `fix` of my working copy. Ask me to bring them to the branch of this conversation.',
    'Not published: 2 commits on no branch of my working copy. Ask me to bring them to the branch of this conversation.',
  ]);
});

test('a working copy that cannot be read is no reason to lose the answer, nor to say that all is well', async () => {
  const workdir = { unpublished: () => Promise.reject(new Error('broken in /srv/state')) };
  const checkout = { conversation: '', repositoryId: '', path: '', branch: null, baseSha: '' };
  const said = await leftOver(workdir, checkout, { published: null, since: 0 });
  expect(said).toEqual([expect.stringContaining('cannot be read')]);
  expect(said.join()).not.toContain('/srv');
});
