import type { Guard } from './guard.ts';

/** What an engine keeps apart, and that nothing of a run is left. */
export const CONTAINERS_GUARDS: Guard[] = [
  {
    name: 'container: orphan reaping (docker, podman)',
    keeps: 'a container of a dead service from going on beside the new one',
    off: [
      { mark: 'container: orphan reaping (docker, podman), part 1', becomes: 'const found: string[] = [];' },
      { mark: 'container: orphan reaping (docker, podman), part 2', becomes: 'const late: string[] = [];' },
      {
        mark: 'container: orphan reaping (docker, podman), part 3',
        becomes: 'const tree = new ProcessTree(() => false);',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'podman .*an orphan is ended' },
  },
  {
    name: 'container: orphan reaping (bubblewrap)',
    keeps: 'a sandbox of a dead service from going on beside the new one',
    off: [{ mark: 'container: orphan reaping (bubblewrap)', becomes: '' }],
    tests: { files: ['src/container/conformance.test.ts'], named: 'bubblewrap .*an orphan is ended' },
  },
  {
    name: 'container: name taken under the lock (docker, podman)',
    keeps: 'a container whose client died from running beside the next one',
    off: [
      {
        mark: 'container: name taken under the lock (docker, podman)',
        becomes: "const remove = ['true', name].map(quoted).join(' ');",
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'podman .*the process we started dying' },
  },
  {
    name: 'container: tree (bubblewrap)',
    keeps: 'a tool of a stopped dispatch from going on',
    off: [
      { mark: 'container: tree (bubblewrap), part 1', lines: 2, becomes: 'await endAll(\n  async () => [],' },
      { mark: 'container: tree (bubblewrap), part 2', becomes: '' },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'bubblewrap .*stop ends the whole tree' },
  },
  {
    name: 'container: last lines (bubblewrap)',
    keeps: 'a stopped CLI from losing the end of its transcript',
    off: [
      {
        mark: 'container: last lines (bubblewrap)',
        lines: 2,
        becomes: 'return send(child.pid!, signal);\n}',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'bubblewrap .*stop lets the command' },
  },
  {
    name: 'container: kill past the client (docker, podman)',
    keeps: 'a killed run from going on in its container',
    off: [
      {
        mark: 'container: kill past the client (docker, podman)',
        lines: 1,
        becomes: "void ask(['/bin/false'], {}).then(async ({ code }) => {",
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'podman .*passes SIGKILL' },
  },
  {
    name: 'container: environment (all engines)',
    keeps: 'a variable of the worker from reaching the agent',
    off: [
      {
        mark: 'container: environment (all engines)',
        becomes:
          'const child = spawn(program!, args, { cwd: spec.cwd, env: { ...process.env, ...spec.env }, stdio, detached: true });',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'exactly the environment' },
  },
  {
    name: 'container: values outside argument lists (docker, podman)',
    keeps: 'a value of the environment from being seen by every user of the machine',
    off: [
      {
        mark: 'container: values outside argument lists (docker, podman)',
        becomes: "...names.flatMap((n) => ['-e', `${VARIABLE_PREFIX}${n}=${spawn.env[n]}`]),",
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'podman .*no value' },
  },
  {
    name: 'container: no network (docker, podman)',
    keeps: 'an agent from reaching any network address',
    off: [{ mark: 'container: no network (docker, podman)', lines: 2, becomes: "'--network',\n'host'," }],
    tests: { files: ['src/container/isolation.test.ts'], named: 'podman, isolated .*there is no network' },
  },
  {
    name: 'container: no network (bubblewrap)',
    keeps: 'an agent from reaching any network address',
    off: [
      {
        mark: 'container: no network (bubblewrap)',
        becomes: "...(spec.network !== null ? ['--share-net'] : []),",
      },
    ],
    tests: {
      files: ['src/container/isolation.test.ts'],
      named: 'bubblewrap, isolated .*there is no network',
    },
  },
  {
    name: 'container: read-only mounts (docker, podman)',
    keeps: 'an agent from writing what it was given to read',
    off: [
      {
        mark: 'container: read-only mounts (docker, podman)',
        becomes:
          "const fields = ['type=bind', `src=${source}`, `dst=${target}`, ...(access === null ? ['readonly'] : [])];",
      },
    ],
    tests: {
      files: ['src/container/isolation.test.ts'],
      named: 'podman, isolated .*what is mounted to read',
    },
  },
  {
    name: 'container: read-only mounts (bubblewrap)',
    keeps: 'an agent from writing what it was given to read',
    off: [
      {
        mark: 'container: read-only mounts (bubblewrap)',
        becomes:
          "...spec.mounts.flatMap((m) => [m.access === null ? '--ro-bind' : '--bind', m.source, m.target]),",
      },
    ],
    tests: {
      files: ['src/container/isolation.test.ts'],
      named: 'bubblewrap, isolated .*what is mounted to read',
    },
  },
  {
    name: 'container: no capabilities (docker, podman)',
    keeps: 'root inside from being root of anything',
    off: [{ mark: 'container: no capabilities (docker, podman)', lines: 2, becomes: "'--cap-add',\n'ALL'," }],
    tests: { files: ['src/container/isolation.test.ts'], named: 'podman, isolated .*there is no privilege' },
  },
  {
    name: 'container: no capabilities (bubblewrap)',
    keeps: 'root inside from being root of anything',
    off: [
      {
        mark: 'container: no capabilities (bubblewrap)',
        becomes: "...['--cap-add', 'ALL', '--die-with-parent', '--hostname', 'claude-hooks'],",
      },
    ],
    tests: {
      files: ['src/container/isolation.test.ts'],
      named: 'bubblewrap, isolated .*there is no privilege',
    },
  },
  {
    name: 'container: limits (docker, podman)',
    keeps: 'one dispatch from taking the whole machine',
    off: [{ mark: 'container: limits (docker, podman)', becomes: '' }],
    tests: { files: ['src/container/isolation.test.ts'], named: 'podman, isolated .*(more|share)' },
  },
  {
    name: 'container: limits (bubblewrap)',
    keeps: 'one dispatch from taking the whole machine',
    off: [{ mark: 'container: limits (bubblewrap)', becomes: 'if (this.#groups !== undefined) return [];' }],
    tests: { files: ['src/container/isolation.test.ts'], named: 'bubblewrap, isolated .*(more|share)' },
  },
  {
    name: 'container: lock descriptor (bubblewrap)',
    keeps: 'an agent from unlocking its conversation',
    off: [
      {
        mark: 'container: lock descriptor (bubblewrap)',
        becomes:
          "return [flock, '-n', how === 'exec' ? '-F' : '-x', '-E', String(LOCK_HELD_EXIT_CODE), lockFile];",
      },
    ],
    tests: {
      files: ['src/container/isolation.test.ts'],
      named: 'bubblewrap, isolated .*the lock is not inherited',
    },
  },
  {
    name: 'container: system calls (bubblewrap)',
    keeps: 'an agent from the key ring that its sandbox inherits',
    off: [{ mark: 'container: system calls (bubblewrap)', becomes: 'const REFUSE = ALLOW; // EPERM' }],
    tests: { files: ['src/container/isolation.test.ts'], named: 'bubblewrap, isolated .*key ring' },
  },
  {
    name: 'container: links on the way to a mount',
    keeps: 'an agent from leading the engine out of the checkout',
    off: [{ mark: 'container: links on the way to a mount', lines: 1, becomes: 'if (found.isSocket()) {' }],
    tests: { files: ['src/container/isolation.test.ts'], named: 'a link that the agent left' },
  },
  {
    name: 'container: mount names (docker, podman)',
    keeps: 'a name from being read as an option of a mount',
    off: [
      {
        mark: 'container: mount names (docker, podman)',
        becomes: "return ['--mount', fields.map((field) => `\"${field}\"`).join(',')];",
      },
    ],
    tests: { files: ['src/container/isolation.test.ts'], named: 'podman .*a folder may be called' },
  },
  {
    name: 'container: bare process only by name',
    keeps: 'agents from running with the rights of the service unasked',
    off: [
      {
        mark: 'container: bare process only by name',
        becomes:
          "if (tried.length > 0) return await chooseEngine({ ...choice, engine: 'process' });\nthrow nothingWorks(choice, tried);",
      },
    ],
    tests: { files: ['src/container/choose.test.ts'], named: 'without an engine' },
  },
];
