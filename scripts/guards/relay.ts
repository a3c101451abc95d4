import type { Guard } from './guard.ts';

/** What may be pushed, and what the worker’s git reads. */
export const RELAY_GUARDS: Guard[] = [
  {
    name: 'relay: branches',
    keeps: 'an agent from pushing to a branch that is not its own',
    off: [{ mark: 'relay: branches', lines: 1, becomes: "if (branch === '') {" }],
    tests: { files: ['src/broker/git-policy.test.ts'] },
  },
  {
    name: 'relay: force',
    keeps: 'a forced push from losing what others have pushed since',
    off: [{ mark: 'relay: force', becomes: "if (facts.branch !== '') return null;" }],
    tests: { files: ['src/broker/git-policy.test.ts'] },
  },
  {
    name: 'relay: workflow files',
    keeps: 'workflow files from being pushed during the run',
    off: [
      {
        mark: 'relay: workflow files',
        becomes: "const kept = policy.base === '' ? protectedIn(policy, facts) : null;",
      },
    ],
    tests: { files: ['src/broker/git-door.test.ts'], named: '.github/workflows/ci.yml' },
  },
  {
    name: 'relay: push after the run',
    keeps: 'what the door refused from being sent after the run',
    off: [{ mark: 'relay: push after the run', becomes: 'if (check !== null) return null;' }],
    tests: { files: ['src/broker/git-door.test.ts'], named: '.github/workflows/ci.yml' },
  },
  {
    name: 'relay: committer',
    keeps: 'commits in the name of another from reaching the forge',
    off: [{ mark: 'relay: committer', lines: 2, becomes: 'null\n  );' }],
    tests: { files: ['src/broker/git-policy.test.ts'] },
  },
  {
    name: 'relay: links in the outbox',
    keeps: 'the worker from reading a file that an agent links to',
    off: [
      {
        mark: 'relay: links in the outbox',
        becomes: 'return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);',
      },
    ],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'no plain files' },
  },
  {
    name: 'relay: FIFO in the outbox',
    keeps: 'the worker from waiting for ever at a pipe of an agent',
    off: [
      {
        mark: 'relay: FIFO in the outbox',
        becomes: 'return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);',
      },
    ],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'no plain files' },
  },
  {
    name: 'relay: fsck',
    keeps: 'objects that git would not make from reaching the mirror',
    off: [
      {
        mark: 'relay: fsck',
        becomes: "const args = ['index-pack', '--stdin', '--fix-thin', `--max-input-size=${maxBytes}`];",
      },
    ],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'packs of garbage' },
  },
  {
    name: 'relay: kept before it is sent',
    keeps: 'an accepted push from being lost with the worker',
    off: [{ mark: 'relay: kept before it is sent', becomes: 'const refspec = keep ? sha : sha;' }],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'a worker killed' },
  },
  {
    name: 'checkout: hard links',
    keeps: "an agent from writing into the mirror's packs",
    off: [
      {
        mark: 'checkout: hard links',
        becomes: "const copied = [...one, '--local', '--no-checkout', '--origin', 'origin', '--template='];",
      },
    ],
    tests: { files: ['src/workdir.test.ts'], named: 'shares no inode' },
  },
  {
    name: 'checkout: links below .git',
    keeps: 'the worker from writing refs through a link',
    off: [{ mark: 'checkout: links below .git', becomes: 'if (!entry.isDirectory()) continue;' }],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'links or pipes' },
  },
  {
    name: 'checkout: configuration from the base',
    keeps: 'a pull request from instructing the agent that reviews it',
    off: [
      { mark: 'checkout: configuration from the base', lines: 1, becomes: "if (spec.conversation === '') {" },
    ],
    tests: { files: ['src/workdir/configuration.test.ts'] },
  },
];
