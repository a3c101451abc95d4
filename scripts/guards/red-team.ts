/** The guards that the red team leans on and that no other list has. */
import type { Guard } from './guard.ts';

const PLAIN_TESTS = { files: ['src/sessions/plain-files.test.ts'] };
const ISOLATION = ['src/container/isolation.test.ts'];

export const RED_TEAM_GUARDS: Guard[] = [
  {
    name: 'CLI folder: folders that are links',
    keeps: 'the archive from taking, and a restore from writing, this machine’s files',
    off: [
      {
        mark: 'CLI folder: folders that are links',
        becomes: 'const handle = await open(within(folder, name), O_RDONLY | O_DIRECTORY);',
      },
    ],
    tests: PLAIN_TESTS,
  },
  {
    name: 'CLI folder: devices and pipes',
    keeps: 'a transcript that never ends from taking the worker’s memory or its threads',
    off: [{ mark: 'CLI folder: devices and pipes', becomes: 'if (found) return handle;' }],
    tests: { ...PLAIN_TESTS, named: 'no plain file|not read to its end' },
  },
  {
    name: 'CLI folder: links in the way of a write',
    keeps: 'a restored transcript from being written through a link',
    off: [
      { mark: 'CLI folder: links in the way of a write, part 1', becomes: '' },
      {
        mark: 'CLI folder: links in the way of a write, part 2',
        becomes: 'const handle = await open(temporary, O_WRONLY | O_CREAT, 0o600);',
      },
    ],
    tests: PLAIN_TESTS,
  },
  {
    name: 'CLI folder: put right before a run',
    keeps: 'a link in the place of `projects` from being taken for it',
    off: [
      {
        mark: 'CLI folder: put right before a run',
        becomes: 'if (found === null) renameSync(folder, `${folder}.odd-${randomUUID()}`);',
      },
    ],
    tests: PLAIN_TESTS,
  },
  {
    name: 'container: settings of the kernel (bubblewrap)',
    keeps: 'an agent from naming the program that the kernel runs at a crash',
    off: [{ mark: 'container: settings of the kernel (bubblewrap)', lines: 2, becomes: '' }],
    tests: { files: ISOLATION, named: 'bubblewrap, isolated .*kernel’s settings' },
  },
  {
    name: 'container: kinds of sockets (bubblewrap)',
    keeps: 'an agent from the hypervisor, which no network namespace hides',
    off: [
      {
        mark: 'container: kinds of sockets (bubblewrap)',
        becomes: 'const NO_FAMILY = ALLOW; // EAFNOSUPPORT',
      },
    ],
    tests: { files: ISOLATION, named: 'bubblewrap, isolated .*past the network' },
  },
  {
    name: 'container: kinds of sockets (podman)',
    keeps: 'an agent from the hypervisor, which no network namespace hides',
    off: [
      {
        mark: 'container: kinds of sockets (podman)',
        becomes: "return this.options.name === 'docker' ? seccompArguments(this.options.runArgs) : [];",
      },
    ],
    tests: { files: ISOLATION, named: 'podman, isolated .*past the network' },
  },
  {
    name: 'relay: answers are the worker’s',
    keeps: 'an agent from writing the worker’s answers itself',
    off: [
      {
        mark: 'relay: answers are the worker’s',
        becomes: "mount(`${r.relay.root}/answers`, `${relay.root}/answers`, 'write'),",
      },
    ],
    tests: { files: ['test/red-team/bubblewrap.test.ts'], named: 'the answers of the worker' },
  },
  {
    name: 'rotation: the forge’s token',
    keeps: 'a call from being lost to a token that was replaced',
    off: [
      {
        mark: 'rotation: the forge’s token',
        becomes: 'if (!(error instanceof ForgeRefused) || error.status !== 0) throw error;',
      },
    ],
    tests: { files: ['test/rotation.test.ts'], named: 'bubblewrap' },
  },
  {
    name: 'container: namespaces (podman)',
    keeps: 'an agent from rights towards the kernel that it has in a namespace of its own',
    off: [
      {
        mark: 'container: namespaces (podman), part 1',
        becomes: "args: [{ index: 0, value: 0, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],",
      },
      {
        mark: 'container: namespaces (podman), part 2',
        lines: 1,
        becomes:
          "'socket socketcall clone setns mount umount umount2 pivot_root move_mount open_tree fsopen fsmount fsconfig fspick mount_setattr'.split(",
      },
    ],
    tests: { files: ISOLATION, named: 'podman, isolated .*namespace of users' },
  },
  {
    name: 'checkout: folders without a bottom',
    keeps: 'a conversation from being parked for ever',
    off: [
      {
        mark: 'checkout: folders without a bottom, part 1',
        becomes: "if (error.code === 'never') return null;",
      },
      {
        mark: 'checkout: folders without a bottom, part 2',
        becomes: "if (code === 'never') await moveUp(path);",
      },
    ],
    tests: { files: ['src/workdir/remove-tree.test.ts'] },
  },
];
