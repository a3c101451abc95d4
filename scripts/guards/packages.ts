/** The guards of the package door. */
import type { Guard } from './guard.ts';

const DOOR = ['src/packages/door.test.ts'];

export const PACKAGES_GUARDS: Guard[] = [
  {
    name: 'packages: only names in a lock file',
    keeps: 'an agent from asking a registry for what no lock file of the base branch names',
    off: [{ mark: 'packages: only names in a lock file', becomes: 'if (known.length === 0) return null;' }],
    tests: { files: DOOR, named: 'what is in no lock file is refused' },
  },
  {
    name: 'packages: only content in a lock file',
    keeps: 'a file with another hash than the lock file says from reaching an agent',
    off: [
      { mark: 'packages: only content in a lock file', lines: 1, becomes: 'if (wanted === undefined) {' },
    ],
    tests: { files: DOOR, named: 'another hash' },
  },
  {
    name: 'packages: only GET and HEAD',
    keeps: 'the package door from being a way to publish or to send data',
    off: [{ mark: 'packages: only GET and HEAD', lines: 1, becomes: "if (method === '') {" }],
    tests: { files: DOOR, named: 'nothing goes out' },
  },
  {
    name: 'packages: no query',
    keeps: 'data from leaving in the query of a request',
    off: [{ mark: 'packages: no query', becomes: '' }],
    tests: { files: DOOR, named: 'nothing goes out' },
  },
  {
    name: 'packages: an address of checked parts',
    keeps: 'data from leaving in the path of a request, as a version that is none',
    off: [
      {
        mark: 'packages: an address of checked parts',
        becomes: "return { kind: 'artefact', name, version, file };",
      },
    ],
    tests: { files: DOOR, named: 'nothing goes out' },
  },
  {
    name: 'packages: redirect to another host',
    keeps: 'the service from fetching at a host that nobody configured',
    off: [{ mark: 'packages: redirect to another host', becomes: '' }],
    tests: { files: DOOR, named: 'a redirect is followed' },
  },
  {
    name: 'packages: credential of the registry',
    keeps: "a registry's credential from going to the host of its files",
    off: [
      {
        mark: 'packages: credential of the registry',
        becomes: "const sent = { ...headers, 'user-agent': USER_AGENT, ...registry.headers };",
      },
    ],
    tests: { files: DOOR, named: 'a redirect is followed' },
  },
  {
    name: 'packages: a damaged file is not used',
    keeps: 'a file that a crash of the machine damaged from being installed',
    off: [{ mark: 'packages: a damaged file is not used', becomes: '' }],
    tests: { files: ['src/packages/cache.test.ts'], named: 'damaged is not used' },
  },
  {
    name: 'packages: a marked session',
    keeps: 'a run that has read strangers’ words from installing what no lock file names',
    off: [{ mark: 'packages: a marked session', becomes: 'return configured;' }],
    tests: { files: ['src/packages/policy.test.ts'], named: 'a marked session' },
  },
  {
    name: 'packages: a withdrawn approval does not count',
    keeps: 'an approval that a person took back from counting',
    off: [{ mark: 'packages: a withdrawn approval does not count', becomes: '' }],
    tests: { files: ['src/packages/approvals.test.ts'], named: 'withdrawn' },
  },
  {
    name: 'packages: lock files of the base branch',
    keeps: 'a lock file that a pull request changed from counting',
    off: [{ mark: 'packages: lock files of the base branch', becomes: 'const base = checkout.headSha;' }],
    tests: { files: ['test/package-door.test.ts'], named: 'bubblewrap' },
  },
  {
    name: 'packages: a reason phrase is one line',
    keeps: 'a refusal from breaking the answer that carries it',
    off: [
      {
        mark: 'packages: a reason phrase is one line',
        becomes: 'const line = `claude-hooks: ${message}`;',
      },
    ],
    tests: { files: ['src/packages/refused.test.ts'], named: 'printable ASCII' },
  },
  {
    name: 'packages: large lock files are read apart',
    keeps: 'a large lock file from holding up everything else of the service for seconds',
    off: [{ mark: 'packages: large lock files are read apart', becomes: 'return readNow(file);' }],
    tests: { files: ['src/packages/read-apart.test.ts'], named: 'in another thread' },
  },
  {
    name: 'doors: only behind a network of its own',
    keeps: 'doors of one container from being open to the whole machine',
    off: [{ mark: 'doors: only behind a network of its own', becomes: 'return network !== undefined;' }],
    tests: { files: ['src/container/doors.test.ts'], named: 'network namespace of its own' },
  },
];
