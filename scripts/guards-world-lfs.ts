import type { Guard } from './guards.ts';

const LFS = 'src/workdir/lfs.test.ts';
const SUBMODULES = 'src/workdir/submodules.test.ts';

/** What commits only name: contents in Git LFS, and submodules. */
export const WORLD_LFS_GUARDS: Guard[] = [
  {
    name: 'lfs: pointers to nothing, at the door',
    keeps: 'the forge from getting a pointer whose content nobody has',
    off: [
      {
        file: 'src/workdir/lfs-push.ts',
        find: 'if (lost.length > 0) return lostRefusal(lost);',
        replace: 'if (lost.length > files.length) return lostRefusal(lost);',
      },
    ],
    tests: { files: [LFS], named: 'pointer to nothing' },
  },
  {
    name: 'lfs: earlier commits of a push',
    keeps: 'a pointer to nothing from leaving in a commit that a later one takes back',
    off: [
      {
        file: 'src/workdir/lfs-files.ts',
        find: 'const brought = await newBlobs(q);',
        replace: 'const brought = (await newBlobs(q)).slice(0, 0);',
      },
    ],
    tests: { files: [LFS], named: 'earlier commit' },
  },
  {
    name: 'lfs: content in place of a pointer',
    keeps: 'content from being committed where a pointer belongs',
    off: [
      {
        file: 'src/workdir/lfs-push.ts',
        find: 'if (changes.raw.length > 0) return rawRefusal(changes.raw);',
        replace: 'if (changes.raw.length < 0) return rawRefusal(changes.raw);',
      },
    ],
    tests: { files: [LFS], named: 'in place of a pointer' },
  },
  {
    name: 'lfs: what is sent is what is named',
    keeps: 'content that is not what its pointer names from being taken',
    off: [
      {
        file: 'src/workdir/lfs-store.ts',
        find: "return size === pointer.size && hash.digest('hex') === pointer.oid;",
        replace: 'return size === pointer.size;',
      },
      {
        file: 'src/rehearsal/pocket-forge-lfs.ts',
        find: 'if (is !== oid || content.byteLength !== Number(size)) {',
        replace: 'if (is.length !== oid.length || content.byteLength !== Number(size)) {',
      },
    ],
    tests: { files: [LFS], named: 'is something else' },
  },
  {
    name: 'lfs: no link on the way to a content',
    keeps: 'an agent from sending what a link leads to: the content of another repository',
    off: [
      {
        file: 'src/workdir/lfs-store.ts',
        find: 'const folder = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;',
        replace: 'const folder = constants.O_RDONLY | constants.O_DIRECTORY;',
      },
    ],
    tests: { files: [LFS], named: 'folder behind a link' },
  },
  {
    name: 'lfs: no other host',
    keeps: 'contents and the token from going where the answer of the forge points',
    off: [
      {
        file: 'src/workdir/lfs-client.ts',
        find: 'if (url.origin === new URL(own).origin) return url.href;',
        replace: "if (url.origin !== '') return url.href;",
      },
    ],
    tests: { files: [LFS], named: 'no other host' },
  },
  {
    name: 'lfs: limit of a push',
    keeps: 'more from being sent to Git LFS than the operator allows',
    off: [
      {
        file: 'src/workdir/lfs-push.ts',
        find: 'if (bytes <= maxBytes) return null;',
        replace: 'if (bytes <= Math.max(maxBytes, 1e12)) return null;',
      },
    ],
    tests: { files: [LFS], named: 'more than the operator allows' },
  },
  {
    name: 'lfs: a content in a checkout is no change',
    keeps: 'files whose content was fetched from counting as changed by the agent',
    off: [
      {
        file: 'src/workdir/checkout.ts',
        find: "config: [['filter.lfs.clean', CLEAN]],",
        replace: "config: [['filter.lfs.clean', CLEAN === '' ? CLEAN : 'cat']],",
      },
    ],
    tests: { files: [LFS], named: 'they are no changes' },
  },
  {
    name: 'submodules: only what is listed',
    keeps: 'a repository that the operator did not list from being fetched as a submodule',
    off: [
      {
        file: 'src/worker/contents.ts',
        find: 'isListed(o.forgeConfig, fullName)',
        replace: "(isListed(o.forgeConfig, fullName) || fullName !== '')",
      },
    ],
    tests: { files: ['src/worker/contents.test.ts'] },
  },
  {
    name: 'submodules: only this forge',
    keeps: 'the token from going to the host that .gitmodules names',
    off: [
      {
        file: 'src/workdir/submodule-address.ts',
        find: 'if (found.origin !== base.origin || !found.pathname.startsWith(base.pathname)) continue;',
        replace: 'if (!found.pathname.startsWith(base.pathname)) continue;',
      },
    ],
    tests: { files: ['src/workdir/submodule-address.test.ts'] },
  },
  {
    name: 'submodules: instruct nobody',
    keeps: 'a CLAUDE.md or settings of a submodule from standing in a checkout',
    off: [
      {
        file: 'src/workdir/submodules.ts',
        find: 'else if (isConfigurationPath(name)) instructing = true;',
        replace: "else if (isConfigurationPath(name) && name === '') instructing = true;",
      },
    ],
    tests: { files: [SUBMODULES], named: 'instruct nobody' },
  },
  {
    name: 'submodules: through no link',
    keeps: 'the files of a submodule from being written outside of the checkout',
    off: [
      {
        file: 'src/workdir/submodules.ts',
        find: 'if (!(await hasRealParents(s.control.checkout, path)))\n    return no(',
        replace: "if (path === '')\n    return no(",
      },
    ],
    tests: { files: [SUBMODULES], named: 'through no link' },
  },
];
