import type { Guard } from './guards.ts';

/** What an engine keeps apart, and that nothing of a run is left. */
export const CONTAINER_GUARDS: Guard[] = [
  {
    name: 'container: orphan reaping (docker, podman)',
    keeps: 'a container of a dead service from going on beside the new one',
    off: [
      {
        file: 'src/container/oci.ts',
        find: '  const found = await client.remove(labels);',
        replace: '  const found: string[] = [];',
      },
      {
        file: 'src/container/oci.ts',
        find: '  const late = await client.remove(labels);',
        replace: '  const late: string[] = [];',
      },
      {
        file: 'src/container/oci.ts',
        find: 'const tree = new ProcessTree((mark) => mark.instance === instance);',
        replace: 'const tree = new ProcessTree(() => false);',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'podman .*an orphan is ended' },
  },
  {
    name: 'container: orphan reaping (bubblewrap)',
    keeps: 'a sandbox of a dead service from going on beside the new one',
    off: [
      {
        file: 'src/container/bubblewrap.ts',
        find: '  await endAll(() => tree.running(), isNoSupervisor);\n',
        replace: '',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'bubblewrap .*an orphan is ended' },
  },
  {
    name: 'container: name taken under the lock (docker, podman)',
    keeps: 'a container whose client died from running beside the next one',
    off: [
      {
        file: 'src/container/oci.ts',
        find: "const remove = this.#client.argv(['rm', '-f', name])",
        replace: "const remove = ['true', name]",
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'podman .*the process we started dying' },
  },
  {
    name: 'container: tree (bubblewrap)',
    keeps: 'a tool of a stopped dispatch from going on',
    off: [
      {
        file: 'src/container/bubblewrap.ts',
        find: '    await endAll(\n      () => tree.running(),',
        replace: '    await endAll(\n      async () => [],',
      },
      {
        file: 'src/container/bubblewrap.ts',
        find: "    for (const child of running) child.kill('SIGTERM');\n",
        replace: '',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'bubblewrap .*stop ends the whole tree' },
  },
  {
    name: 'container: last lines (bubblewrap)',
    keeps: 'a stopped CLI from losing the end of its transcript',
    off: [
      {
        file: 'src/container/bubblewrap.ts',
        find: '  return send(pid, signal);\n}',
        replace: '  return send(child.pid!, signal);\n}',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'bubblewrap .*stop lets the command' },
  },
  {
    name: 'container: kill past the client (docker, podman)',
    keeps: 'a killed run from going on in its container',
    off: [
      {
        file: 'src/container/oci.ts',
        find: "    void ask(this.#client.argv(['kill', '--signal', signal.slice(3), name]), env)",
        replace: "    void ask(['/bin/false'], {})",
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'podman .*passes SIGKILL' },
  },
  {
    name: 'container: environment (all engines)',
    keeps: 'a variable of the worker from reaching the agent',
    off: [
      {
        file: 'src/container/client.ts',
        find: 'env: spec.env,',
        replace: 'env: { ...process.env, ...spec.env },',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'exactly the environment' },
  },
  {
    name: 'container: values outside argument lists (docker, podman)',
    keeps: 'a value of the environment from being seen by every user of the machine',
    off: [
      {
        file: 'src/container/oci-arguments.ts',
        find: "['-e', `${VARIABLE_PREFIX}${n}`]",
        replace: "['-e', `${VARIABLE_PREFIX}${n}=${spawn.env[n]}`]",
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'podman .*no value' },
  },
  {
    name: 'container: no network (docker, podman)',
    keeps: 'an agent from reaching any network address',
    off: [
      {
        file: 'src/container/oci-arguments.ts',
        find: "'--network',\n    spec.network,",
        replace: "'--network',\n    'host',",
      },
    ],
    tests: { files: ['src/container/isolation.test.ts'], named: 'podman, isolated .*there is no network' },
  },
  {
    name: 'container: no network (bubblewrap)',
    keeps: 'an agent from reaching any network address',
    off: [
      {
        file: 'src/container/bubblewrap-arguments.ts',
        find: "spec.network === 'host' ? ['--share-net'] : []",
        replace: "spec.network !== null ? ['--share-net'] : []",
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
        file: 'src/container/oci-arguments.ts',
        find: "...(access === 'read' ? ['readonly'] : [])",
        replace: "...(access === null ? ['readonly'] : [])",
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
        file: 'src/container/bubblewrap-arguments.ts',
        find: "m.access === 'read' ? '--ro-bind' : '--bind'",
        replace: "m.access === null ? '--ro-bind' : '--bind'",
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
    off: [
      {
        file: 'src/container/oci-arguments.ts',
        find: "'--cap-drop',\n    'ALL',",
        replace: "'--cap-add',\n    'ALL',",
      },
    ],
    tests: { files: ['src/container/isolation.test.ts'], named: 'podman, isolated .*there is no privilege' },
  },
  {
    name: 'container: no capabilities (bubblewrap)',
    keeps: 'root inside from being root of anything',
    off: [
      {
        file: 'src/container/bubblewrap-arguments.ts',
        find: "'--cap-drop', 'ALL'",
        replace: "'--cap-add', 'ALL'",
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
    off: [{ file: 'src/container/oci-arguments.ts', find: '    ...limitArguments(spec),\n', replace: '' }],
    tests: { files: ['src/container/isolation.test.ts'], named: 'podman, isolated .*(more|share)' },
  },
  {
    name: 'container: limits (bubblewrap)',
    keeps: 'one dispatch from taking the whole machine',
    off: [
      {
        file: 'src/container/bubblewrap.ts',
        find: 'if (this.#groups === null) return [];',
        replace: 'if (this.#groups !== undefined) return [];',
      },
    ],
    tests: { files: ['src/container/isolation.test.ts'], named: 'bubblewrap, isolated .*(more|share)' },
  },
  {
    name: 'container: lock descriptor (bubblewrap)',
    keeps: 'an agent from unlocking its conversation',
    off: [
      {
        file: 'src/container/client.ts',
        find: "how === 'exec' ? '-F' : '-o'",
        replace: "how === 'exec' ? '-F' : '-x'",
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
    off: [
      {
        file: 'src/container/seccomp.ts',
        find: 'const REFUSE = 0x00050000 | 1;',
        replace: 'const REFUSE = ALLOW;',
      },
    ],
    tests: { files: ['src/container/isolation.test.ts'], named: 'bubblewrap, isolated .*key ring' },
  },
  {
    name: 'container: links on the way to a mount',
    keeps: 'an agent from leading the engine out of the checkout',
    off: [
      {
        file: 'src/container/check-spec.ts',
        find: 'if (found.isSymbolicLink())',
        replace: 'if (found.isSocket())',
      },
    ],
    tests: { files: ['src/container/isolation.test.ts'], named: 'a link that the agent left' },
  },
  {
    name: 'container: mount names (docker, podman)',
    keeps: 'a name from being read as an option of a mount',
    off: [{ file: 'src/container/oci-arguments.ts', find: `field.replaceAll('"', '""')`, replace: 'field' }],
    tests: { files: ['src/container/isolation.test.ts'], named: 'podman .*a folder may be called' },
  },
  {
    name: 'container: bare process only by name',
    keeps: 'agents from running with the rights of the service unasked',
    off: [
      {
        file: 'src/container/choose.ts',
        find: '  throw nothingWorks(choice, tried);',
        replace:
          "  if (tried.length > 0) return await chooseEngine({ ...choice, engine: 'process' });\n  throw nothingWorks(choice, tried);",
      },
    ],
    tests: { files: ['src/container/choose.test.ts'], named: 'without an engine' },
  },
];
