import type { Guard } from './guard.ts';

const ADAPTERS = 'src/packages/ecosystems/adapters.test.ts';

/** What each kind of registry needs of its own at the package door. */
export const PACKAGE_KINDS_GUARDS: Guard[] = [
  {
    name: 'packages: hash of a Go module',
    keeps: 'a module whose files differ from go.sum from passing',
    off: [
      {
        mark: 'packages: hash of a Go module',
        becomes: 'hash.update(name).update(hex.slice(64));',
      },
    ],
    tests: { files: [ADAPTERS], named: 'hash of a zip' },
  },
  {
    name: 'packages: a zip is read in one way',
    keeps: 'a module that Go reads differently from us from passing',
    off: [{ mark: 'packages: a zip is read in one way', becomes: 'if (left < 0) return [];' }],
    tests: { files: [ADAPTERS], named: 'read in two ways' },
  },
  {
    name: 'packages: documents about a version',
    keeps: 'an agent from carrying data out in a version that nobody has locked',
    off: [
      {
        mark: 'packages: documents about a version',
        becomes: "if (asked.kind === 'metadata') return known;",
      },
    ],
    tests: { files: [ADAPTERS], named: 'a version that is not locked' },
  },
  {
    name: 'packages: a file of that project, PyPI',
    keeps: 'a file of another project from being asked for under a locked name',
    off: [
      {
        mark: 'packages: a file of that project, PyPI',
        lines: 1,
        becomes: 'if (name === "" || !/^[vV]?\\d/.test(parts[count]!)) continue;',
      },
    ],
    tests: { files: [ADAPTERS], named: 'a file of another project' },
  },
  {
    name: 'packages: a file of that project, crates',
    keeps: 'an index file of another crate from being asked for under a locked name',
    off: [
      {
        mark: 'packages: a file of that project, crates',
        lines: 1,
        becomes: "if (kind !== 'index' || !NAME.test(name)) return null;",
      },
    ],
    tests: { files: [ADAPTERS], named: 'a file of another project' },
  },
  {
    name: 'packages: a file of that project, Maven',
    keeps: 'a file of another artifact from being asked for under a locked name',
    off: [
      {
        mark: 'packages: a file of that project, Maven',
        lines: 1,
        becomes: 'if (name === null) return null;',
      },
    ],
    tests: { files: [ADAPTERS], named: 'a file of another project' },
  },
  {
    name: 'packages: no aliases in a lock file',
    keeps: 'a small YAML file from becoming a huge one in memory',
    off: [
      {
        mark: 'packages: no aliases in a lock file',
        becomes: 'return document.toJS({ maxAliasCount: -1 });',
      },
    ],
    tests: { files: ['src/packages/lock-files.test.ts'], named: 'aliases are refused' },
  },
];
