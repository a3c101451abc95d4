/** The guards of the gateway, for scripts/guards.ts. */
import type { Guard } from './guards.ts';

export const GATEWAY_GUARDS: Guard[] = [
  {
    name: 'headers of the container dropped',
    keeps: 'what an agent sends as a credential from going out beside ours',
    off: [
      {
        file: 'src/gateway/headers.ts',
        find: '  const headers = passing(from, (name) => Object.hasOwn(OUTWARD_HEADERS, name));\n',
        replace: '  const headers: OutgoingHttpHeaders = { ...from };\n',
      },
    ],
    tests: { files: ['src/gateway/door.test.ts'], named: 'headers of the container stay behind' },
  },
  {
    name: 'headers of upstream dropped',
    keeps: 'what upstream says to us from reaching an agent',
    off: [
      {
        file: 'src/gateway/headers.ts',
        find: '(name) => INWARD.has(name) || INWARD_PREFIXES.some((prefix) => name.startsWith(prefix)),',
        replace: '() => true,',
      },
    ],
    tests: { files: ['src/gateway/door.test.ts'], named: 'headers of upstream' },
  },
  {
    name: 'key removed from errors',
    keeps: 'an agent from reading the key in an error of upstream',
    off: [
      {
        file: 'src/gateway/relay.ts',
        find: 'const text = without(secrets, await textOf(answer));',
        replace: 'const text = without([], await textOf(answer));',
      },
    ],
    tests: { files: ['src/gateway/door.test.ts'], named: 'shows the key' },
  },
  {
    name: 'paths of the model’s API',
    keeps: 'an agent from asking anything but the Messages API with our key',
    off: [
      {
        file: 'src/gateway/admission.ts',
        find: 'if (!PASSING.has(url)) {',
        replace: "if (url === '') {",
      },
    ],
    tests: { files: ['src/gateway/door.test.ts'], named: 'is refused, counted and audited' },
  },
  {
    name: 'host of the model’s API',
    keeps: 'the gateway from serving other hosts',
    off: [
      {
        file: 'src/gateway/admission.ts',
        find: '!LOCAL_HOST.test(host)',
        replace: "host === ''",
      },
    ],
    tests: { files: ['src/gateway/door.test.ts'], named: 'is refused, counted and audited' },
  },
  {
    name: 'tunnels',
    keeps: 'the gateway from being a proxy',
    off: [
      {
        file: 'src/gateway/door.ts',
        find: "  server.on('upgrade', (request, socket) => refuseTunnel(at, request, socket));\n",
        replace: '',
      },
    ],
    tests: { files: ['src/gateway/door.test.ts'], named: 'tunnels' },
  },
  {
    name: 'redirects of upstream',
    keeps: 'the key from following a redirect, and a redirect from reaching the agent',
    off: [
      {
        file: 'src/gateway/pass.ts',
        find: 'if (status >= 300 && status < 400) {',
        replace: 'if (status < 0) {',
      },
    ],
    tests: { files: ['src/gateway/door.test.ts'], named: 'a redirect' },
  },
  {
    name: 'cap of requests',
    keeps: 'a run from going on past its cap',
    off: [
      {
        file: 'src/gateway/tally.ts',
        find: "this.#carried.requests + sent >= requests) return 'max-requests';",
        replace: "this.#carried.requests + sent < 0) return 'max-requests';",
      },
    ],
    tests: { files: ['src/gateway.test.ts'], named: 'a cap ends the run' },
  },
  {
    name: 'caps over attempts',
    keeps: 'a run that is taken up again from having all of its cap again',
    off: [
      {
        file: 'src/gateway/tally.ts',
        find: 'const used = this.#carried.tokens + inputTokens',
        replace: 'const used = inputTokens',
      },
    ],
    tests: { files: ['src/gateway/door.test.ts'], named: 'hold over its attempts' },
  },
  {
    name: 'cap without a price',
    keeps: 'a cap in dollars from being ignored for a model without a price',
    off: [
      {
        file: 'src/gateway/tally.ts',
        find: 'const isPriced = spent !== null && priceOf(this.#prices, model) !== null;',
        replace: 'const isPriced = spent !== null;',
      },
    ],
    tests: { files: ['src/gateway/door.test.ts'], named: 'whose price is not known' },
  },
  {
    name: 'rotation of the key',
    keeps: 'a run from ending when its key is replaced',
    off: [
      {
        file: 'src/gateway/pass.ts',
        find: 'if (second === null) return { answer, secrets };',
        replace: 'if (second !== undefined) return { answer, secrets };',
      },
    ],
    tests: { files: ['src/gateway.test.ts'], named: 'replaced in mid-run' },
  },
  {
    name: 'cut stays a cut',
    keeps: 'half an answer from looking like a whole one',
    off: [
      {
        file: 'src/gateway/relay.ts',
        find: "if (end !== 'ended') response.destroy();",
        replace: "if (end !== 'ended') response.end();",
      },
    ],
    tests: { files: ['src/gateway/door.test.ts'], named: 'breaks off' },
  },
  {
    name: 'request ends with its client',
    keeps: 'upstream from going on, and billing, for a run that has ended',
    off: [
      {
        file: 'src/gateway/pass.ts',
        find: 'if (!response.writableFinished) gone.abort();',
        replace: 'if (response.writableFinished) gone.abort();',
      },
    ],
    tests: { files: ['src/gateway/door.test.ts'], named: 'a client that leaves' },
  },
  {
    name: 'folder of a socket',
    keeps: 'another user of this machine from using a run’s socket',
    off: [
      {
        file: 'src/gateway/sockets.ts',
        find: '    await chmod(folder, 0o700);\n',
        replace: '',
      },
    ],
    tests: { files: ['src/gateway/sockets.test.ts'], named: 'closed to others' },
  },
];
