import type { Guard } from './guard.ts';

const LFS = 'src/workdir/lfs.test.ts';
const SUBMODULES = 'src/workdir/submodules.test.ts';

/** What commits only name: contents in Git LFS, and submodules. */
export const LFS_GUARDS: Guard[] = [
  {
    name: 'lfs: pointers to nothing, at the door',
    keeps: 'the forge from getting a pointer whose content nobody has',
    off: [
      {
        mark: 'lfs: pointers to nothing, at the door',
        becomes: 'if (lost.length > files.length) return lostRefusal(lost);',
      },
    ],
    tests: { files: [LFS], named: 'pointer to nothing' },
  },
  {
    name: 'lfs: earlier commits of a push',
    keeps: 'a pointer to nothing from leaving in a commit that a later one takes back',
    off: [
      { mark: 'lfs: earlier commits of a push', becomes: 'const brought = (await newBlobs(q)).slice(0, 0);' },
    ],
    tests: { files: [LFS], named: 'earlier commit' },
  },
  {
    name: 'lfs: content in place of a pointer',
    keeps: 'content from being committed where a pointer belongs',
    off: [
      {
        mark: 'lfs: content in place of a pointer',
        becomes: 'if (changes.raw.length < 0) return rawRefusal(changes.raw);',
      },
    ],
    tests: { files: [LFS], named: 'in place of a pointer' },
  },
  {
    name: 'lfs: what is sent is what is named',
    keeps: 'content that is not what its pointer names from being taken',
    off: [
      { mark: 'lfs: what is sent is what is named, part 1', becomes: 'return size === pointer.size;' },
      {
        mark: 'lfs: what is sent is what is named, part 2',
        lines: 1,
        becomes: 'if (is.length !== oid.length || content.byteLength !== Number(size)) {',
      },
    ],
    tests: { files: [LFS], named: 'is something else' },
  },
  {
    name: 'lfs: no link on the way to a content',
    keeps: 'an agent from sending what a link leads to: the content of another repository',
    off: [
      {
        mark: 'lfs: no link on the way to a content',
        becomes: 'const folder = constants.O_RDONLY | constants.O_DIRECTORY;',
      },
    ],
    tests: { files: [LFS], named: 'folder behind a link' },
  },
  {
    name: 'lfs: no other host',
    keeps: 'contents and the token from going where the answer of the forge points',
    off: [{ mark: 'lfs: no other host', becomes: "if (url.origin !== '') return url.href;" }],
    tests: { files: [LFS], named: 'no other host' },
  },
  {
    name: 'lfs: limit of a push',
    keeps: 'more from being sent to Git LFS than the operator allows',
    off: [{ mark: 'lfs: limit of a push', becomes: 'if (bytes <= Math.max(maxBytes, 1e12)) return null;' }],
    tests: { files: [LFS], named: 'more than the operator allows' },
  },
  {
    name: 'lfs: a content in a checkout is no change',
    keeps: 'files whose content was fetched from counting as changed by the agent',
    off: [
      {
        mark: 'lfs: a content in a checkout is no change',
        becomes: "config: [['filter.lfs.clean', CLEAN === '' ? CLEAN : 'cat']],",
      },
    ],
    tests: { files: [LFS], named: 'they are no changes' },
  },
  {
    name: 'submodules: only what is listed',
    keeps: 'a repository that the operator did not list from being fetched as a submodule',
    off: [
      {
        mark: 'submodules: only what is listed',
        lines: 1,
        becomes: "(isListed(o.forgeConfig, fullName) || fullName !== '')",
      },
    ],
    tests: { files: ['src/dispatch/gather/contents.test.ts'] },
  },
  {
    name: 'submodules: only this forge',
    keeps: 'the token from going to the host that .gitmodules names',
    off: [
      {
        mark: 'submodules: only this forge',
        becomes: 'if (!found.pathname.startsWith(base.pathname)) continue;',
      },
    ],
    tests: { files: ['src/workdir/submodule-address.test.ts'] },
  },
  {
    name: 'submodules: instruct nobody',
    keeps: 'a CLAUDE.md or settings of a submodule from standing in a checkout',
    off: [
      {
        mark: 'submodules: instruct nobody',
        becomes: "else if (isConfigurationPath(name) && name === '') instructing = true;",
      },
    ],
    tests: { files: [SUBMODULES], named: 'instruct nobody' },
  },
  {
    name: 'submodules: through no link',
    keeps: 'the files of a submodule from being written outside of the checkout',
    off: [
      {
        mark: 'submodules: through no link',
        becomes: "if (path === '')\n  return no('a folder above it is a link or a file in the checkout');",
      },
    ],
    tests: { files: [SUBMODULES], named: 'through no link' },
  },
];
