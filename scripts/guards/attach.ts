import type { Guard } from './guard.ts';

/** A person at a session's own terminal. */
export const ATTACH_GUARDS: Guard[] = [
  {
    name: 'attach: not beside a run',
    keeps: 'a person from taking the lease of a run that is under way',
    off: [{ mark: 'attach: not beside a run', becomes: '' }],
    tests: { files: ['src/mailbox/attaching.test.ts'] },
  },
  {
    name: 'attach: its processes end before the next run',
    keeps: 'the CLI of a terminal that is gone from running beside the next dispatch',
    off: [{ mark: 'attach: its processes end before the next run', becomes: '' }],
    tests: { files: ['test/attach.test.ts'], named: 'kill -9' },
  },
  {
    name: 'attach: the next run goes on from here',
    keeps: 'what was said at a terminal from being taken for what a crash has left',
    off: [{ mark: 'attach: the next run goes on from here', becomes: '' }],
    tests: { files: ['test/attach.test.ts'], named: 'history in the next dispatch' },
  },
  {
    name: 'attach: the next prompt says who was there',
    keeps: 'the agent from taking an operator’s words for those of people on the forge',
    off: [{ mark: 'attach: the next prompt says who was there', becomes: 'return [];' }],
    tests: { files: ['test/attach.test.ts'], named: 'history in the next dispatch' },
  },
  {
    name: 'attach: a restricted session’s folder is closed',
    keeps: 'a restricted session from writing the CLI’s settings because a person is at its terminal',
    off: [{ mark: 'attach: a restricted session’s folder is closed', becomes: 'closed: [],' }],
    tests: { files: ['test/attach.test.ts'], named: 'a restricted session' },
  },
  {
    name: 'attach: only what was said here',
    keeps: 'what a run that was cut off has left from passing for a person’s words',
    off: [
      { mark: 'attach: only what was said here', becomes: 'const said = saidAfter(bytes, session.head);' },
    ],
    tests: { files: ['test/attach.test.ts'], named: 'says why not' },
  },
  {
    name: 'attach: cancel ends it',
    keeps: 'a person who forgot a terminal from holding a conversation for ever',
    off: [{ mark: 'attach: cancel ends it', becomes: '' }],
    tests: { files: ['test/attach.test.ts'], named: 'cancel detaches' },
  },
  {
    name: 'attach: a terminal of its own',
    keeps: 'what runs in a sandbox from typing into the operator’s shell',
    off: [{ mark: 'attach: a terminal of its own', becomes: 'argv: [...lock, ...sandbox],' }],
    tests: { files: ['src/container/terminal.test.ts'] },
  },
  {
    name: 'attach: the operator’s own session',
    keeps: 'the shell of whoever attached, and all that runs in it, from being ended with the terminal',
    off: [
      { mark: 'attach: the operator’s own session, part 1', becomes: '' },
      { mark: 'attach: the operator’s own session, part 2', becomes: 'return [0, 1, process.pid];' },
    ],
    tests: { files: ['src/container/terminal.test.ts'] },
  },
  {
    name: 'attach: the agent’s tools',
    keeps: 'a person’s session from having tools that the agent does not have',
    off: [{ mark: 'attach: the agent’s tools', becomes: '' }],
    tests: { files: ['src/agent-runner/terminal-arguments.test.ts'] },
  },
  {
    name: 'attach: limits on the project',
    keeps: 'settings of a repository from running hooks on the session of a person',
    off: [{ mark: 'attach: limits on the project', becomes: '' }],
    tests: { files: ['src/agent-runner/terminal-arguments.test.ts'] },
  },
  {
    name: 'mirror: one process at a time',
    keeps: 'two processes from mending and fetching one mirror at once',
    off: [{ mark: 'mirror: one process at a time', becomes: 'const lock = { release: () => {} };' }],
    tests: { files: ['src/workdir/mirror.test.ts'], named: 'another process' },
  },
];
