import type { Guard } from './guards.ts';

/** What may be pushed, and what the worker’s git reads. */
export const RELAY_GUARDS: Guard[] = [
  {
    name: 'relay: branches',
    keeps: 'an agent from pushing to a branch that is not its own',
    off: [
      {
        file: 'src/broker/git-policy.ts',
        find: 'if (!isOwn(policy, branch)) {',
        replace: "if (branch === '') {",
      },
    ],
    tests: { files: ['src/broker/git-policy.test.ts'] },
  },
  {
    name: 'relay: force',
    keeps: 'a forced push from losing what others have pushed since',
    off: [
      {
        file: 'src/broker/git-policy.ts',
        find: 'if (facts.remoteSha === facts.seen) return null;',
        replace: "if (facts.branch !== '') return null;",
      },
    ],
    tests: { files: ['src/broker/git-policy.test.ts'] },
  },
  {
    name: 'relay: workflow files',
    keeps: 'workflow files from being pushed during the run',
    off: [
      {
        file: 'src/broker/git-policy.ts',
        find: 'const kept = protectedIn(policy, facts);',
        replace: "const kept = policy.base === '' ? protectedIn(policy, facts) : null;",
      },
    ],
    tests: { files: ['src/broker/git-door.test.ts'], named: '.github/workflows/ci.yml' },
  },
  {
    name: 'relay: push after the run',
    keeps: 'what the door refused from being sent after the run',
    off: [
      {
        file: 'src/workdir/push.ts',
        find: 'if (check === undefined) return null;',
        replace: 'if (check !== null) return null;',
      },
    ],
    tests: { files: ['src/broker/git-door.test.ts'], named: '.github/workflows/ci.yml' },
  },
  {
    name: 'relay: committer',
    keeps: 'commits in the name of another from reaching the forge',
    off: [
      {
        file: 'src/broker/git-policy.ts',
        find: 'refuseCommitters(policy, facts)\n  );',
        replace: 'null\n  );',
      },
    ],
    tests: { files: ['src/broker/git-policy.test.ts'] },
  },
  {
    name: 'relay: links in the outbox',
    keeps: 'the worker from reading a file that an agent links to',
    off: [
      {
        file: 'src/broker/git-outbox.ts',
        find: 'constants.O_RDONLY | constants.O_NOFOLLOW |',
        replace: 'constants.O_RDONLY |',
      },
    ],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'no plain files' },
  },
  {
    name: 'relay: FIFO in the outbox',
    keeps: 'the worker from waiting for ever at a pipe of an agent',
    off: [
      {
        file: 'src/broker/git-outbox.ts',
        find: ' | constants.O_NONBLOCK',
        replace: '',
      },
    ],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'no plain files' },
  },
  {
    name: 'relay: fsck',
    keeps: 'objects that git would not make from reaching the mirror',
    off: [
      {
        file: 'src/workdir/receive.ts',
        find: "'--strict', '--fix-thin'",
        replace: "'--fix-thin'",
      },
    ],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'packs of garbage' },
  },
  {
    name: 'relay: kept before it is sent',
    keeps: 'an accepted push from being lost with the worker',
    off: [
      {
        file: 'src/workdir/receive.ts',
        find: 'keep ? `+${sha}:${keptRef(r.checkout.conversation)}` : sha',
        replace: 'keep ? sha : sha',
      },
    ],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'a worker killed' },
  },
  {
    name: 'checkout: hard links',
    keeps: "an agent from writing into the mirror's packs",
    off: [
      {
        file: 'src/workdir/checkout.ts',
        find: "'--local', '--no-hardlinks'",
        replace: "'--local'",
      },
    ],
    tests: { files: ['src/workdir.test.ts'], named: 'shares no inode' },
  },
  {
    name: 'checkout: links below .git',
    keeps: 'the worker from writing refs through a link',
    off: [
      {
        file: 'src/workdir/control.ts',
        find: 'if (!entry.isDirectory()) return entry.name;',
        replace: 'if (!entry.isDirectory()) continue;',
      },
    ],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'links or pipes' },
  },
  {
    name: 'checkout: configuration from the base',
    keeps: 'a pull request from instructing the agent that reviews it',
    off: [
      {
        file: 'src/workdir/prepare.ts',
        find: 'if (spec.configurationFromBase) {',
        replace: "if (spec.conversation === '') {",
      },
    ],
    tests: { files: ['src/workdir/configuration.test.ts'] },
  },
];
