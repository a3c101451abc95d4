/** The guards that the red team leans on and that no other list has. */
import type { Guard } from './guards.ts';

const PLAIN = 'src/sessions/plain-files.ts';
const PLAIN_TESTS = { files: ['src/sessions/plain-files.test.ts'] };
const ISOLATION = ['src/container/isolation.test.ts'];

export const RED_TEAM_GUARDS: Guard[] = [
  {
    name: 'CLI folder: folders that are links',
    keeps: 'the archive from taking, and a restore from writing, this machine’s files',
    off: [
      {
        file: PLAIN,
        find: 'within(folder, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW',
        replace: 'within(folder, name), O_RDONLY | O_DIRECTORY',
      },
    ],
    tests: PLAIN_TESTS,
  },
  {
    name: 'CLI folder: devices and pipes',
    keeps: 'a transcript that never ends from taking the worker’s memory or its threads',
    off: [{ file: PLAIN, find: 'if (found.isFile()) return handle;', replace: 'if (found) return handle;' }],
    tests: { ...PLAIN_TESTS, named: 'no plain file|not read to its end' },
  },
  {
    name: 'CLI folder: links in the way of a write',
    keeps: 'a restored transcript from being written through a link',
    off: [
      {
        file: PLAIN,
        find: '    await moveAside(folder, `${name}.tmp`, (path) => unlink(path));\n',
        replace: '',
      },
      { file: PLAIN, find: 'O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW', replace: 'O_WRONLY | O_CREAT' },
    ],
    tests: PLAIN_TESTS,
  },
  {
    name: 'CLI folder: put right before a run',
    keeps: 'a link in the place of `projects` from being taken for it',
    off: [
      {
        file: 'src/sessions/folders.ts',
        find: 'if (found !== undefined && !found.isDirectory())',
        replace: 'if (found === null)',
      },
    ],
    tests: PLAIN_TESTS,
  },
  {
    name: 'container: settings of the kernel (bubblewrap)',
    keeps: 'an agent from naming the program that the kernel runs at a crash',
    off: [
      {
        file: 'src/container/bubblewrap-arguments.ts',
        find: "      '--remount-ro',\n      '/proc',\n",
        replace: '',
      },
    ],
    tests: { files: ISOLATION, named: 'bubblewrap, isolated .*kernel’s settings' },
  },
  {
    name: 'container: kinds of sockets (bubblewrap)',
    keeps: 'an agent from the hypervisor, which no network namespace hides',
    off: [
      {
        file: 'src/container/seccomp.ts',
        find: 'const NO_FAMILY = 0x00050000 | 97;',
        replace: 'const NO_FAMILY = ALLOW;',
      },
    ],
    tests: { files: ISOLATION, named: 'bubblewrap, isolated .*past the network' },
  },
  {
    name: 'container: kinds of sockets (podman)',
    keeps: 'an agent from the hypervisor, which no network namespace hides',
    off: [
      {
        file: 'src/container/oci.ts',
        find: "this.options.name === 'podman' ? seccompArguments(this.options.runArgs) : []",
        replace: "this.options.name === 'docker' ? seccompArguments(this.options.runArgs) : []",
      },
    ],
    tests: { files: ISOLATION, named: 'podman, isolated .*past the network' },
  },
  {
    name: 'relay: answers are the worker’s',
    keeps: 'an agent from writing the worker’s answers itself',
    off: [
      {
        file: 'src/container/place.ts',
        find: 'shown(`${r.relay.root}/answers`, `${relay.root}/answers`)',
        replace: "mount(`${r.relay.root}/answers`, `${relay.root}/answers`, 'write')",
      },
    ],
    tests: { files: ['test/red-team/bubblewrap.test.ts'], named: 'the answers of the worker' },
  },
  {
    name: 'rotation: the forge’s token',
    keeps: 'a call from being lost to a token that was replaced',
    off: [
      {
        file: 'src/forge/rotating-forge.ts',
        find: 'error.status !== 401) throw error;',
        replace: 'error.status !== 0) throw error;',
      },
    ],
    tests: { files: ['test/rotation.test.ts'], named: 'bubblewrap' },
  },
  {
    name: 'container: namespaces (podman)',
    keeps: 'an agent from rights towards the kernel that it has in a namespace of its own',
    off: [
      { file: 'src/container/podman-seccomp.ts', find: 'value: NEW_NAMESPACES,', replace: 'value: 0,' },
      { file: 'src/container/podman-seccomp.ts', find: 'clone clone3 unshare', replace: 'clone' },
    ],
    tests: { files: ISOLATION, named: 'podman, isolated .*namespace of users' },
  },
  {
    name: 'checkout: folders without a bottom',
    keeps: 'a conversation from being parked for ever',
    off: [
      {
        file: 'src/workdir/control.ts',
        find: "if (error.code === 'ENAMETOOLONG') return null;",
        replace: "if (error.code === 'never') return null;",
      },
      {
        file: 'src/workdir/remove-tree.ts',
        find: "if (code === 'ENAMETOOLONG') await moveUp(path);",
        replace: "if (code === 'never') await moveUp(path);",
      },
    ],
    tests: { files: ['src/workdir/remove-tree.test.ts'] },
  },
];
