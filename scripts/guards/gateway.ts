/** The guards of the gateway, for scripts/guards.ts. */
import type { Guard } from './guard.ts';

export const GATEWAY_GUARDS: Guard[] = [
  {
    name: 'headers of the container dropped',
    keeps: 'what an agent sends as a credential from going out beside ours',
    off: [
      {
        mark: 'headers of the container dropped',
        becomes: 'const headers: OutgoingHttpHeaders = { ...from };',
      },
    ],
    tests: { files: ['src/gateway/door.test.ts'], named: 'headers of the container stay behind' },
  },
  {
    name: 'headers of upstream dropped',
    keeps: 'what upstream says to us from reaching an agent',
    off: [{ mark: 'headers of upstream dropped', becomes: '() => true,' }],
    tests: { files: ['src/gateway/door.test.ts'], named: 'headers of upstream' },
  },
  {
    name: 'key removed from errors',
    keeps: 'an agent from reading the key in an error of upstream',
    off: [{ mark: 'key removed from errors', becomes: 'const text = without([], await textOf(answer));' }],
    tests: { files: ['src/gateway/door.test.ts'], named: 'shows the key' },
  },
  {
    name: 'paths of the model’s API',
    keeps: 'an agent from asking anything but the Messages API with our key',
    off: [{ mark: 'paths of the model’s API', lines: 1, becomes: "if (url === '') {" }],
    tests: { files: ['src/gateway/door.test.ts'], named: 'is refused, counted and audited' },
  },
  {
    name: 'host of the model’s API',
    keeps: 'the gateway from serving other hosts',
    off: [{ mark: 'host of the model’s API', lines: 1, becomes: "if (host === undefined || host === '') {" }],
    tests: { files: ['src/gateway/door.test.ts'], named: 'is refused, counted and audited' },
  },
  {
    name: 'tunnels',
    keeps: 'the gateway from being a proxy',
    off: [{ mark: 'tunnels', becomes: '' }],
    tests: { files: ['src/gateway/door.test.ts'], named: 'tunnels' },
  },
  {
    name: 'redirects of upstream',
    keeps: 'the key from following a redirect, and a redirect from reaching the agent',
    off: [{ mark: 'redirects of upstream', lines: 1, becomes: 'if (status < 0) {' }],
    tests: { files: ['src/gateway/door.test.ts'], named: 'a redirect' },
  },
  {
    name: 'cap of requests',
    keeps: 'a run from going on past its cap',
    off: [
      {
        mark: 'cap of requests',
        becomes: "if (requests !== null && this.#carried.requests + sent < 0) return 'max-requests';",
      },
    ],
    tests: { files: ['src/gateway.test.ts'], named: 'a cap ends the run' },
  },
  {
    name: 'caps over attempts',
    keeps: 'a run that is taken up again from having all of its cap again',
    off: [
      { mark: 'caps over attempts', becomes: 'const used = inputTokens + outputTokens + cacheWriteTokens;' },
    ],
    tests: { files: ['src/gateway/door.test.ts'], named: 'hold over its attempts' },
  },
  {
    name: 'cap without a price',
    keeps: 'a cap in dollars from being ignored for a model without a price',
    off: [{ mark: 'cap without a price', becomes: 'const isPriced = spent !== null;' }],
    tests: { files: ['src/gateway/door.test.ts'], named: 'whose price is not known' },
  },
  {
    name: 'rotation of the key',
    keeps: 'a run from ending when its key is replaced',
    off: [{ mark: 'rotation of the key', becomes: 'if (second !== undefined) return { answer, secrets };' }],
    tests: { files: ['src/gateway.test.ts'], named: 'replaced in mid-run' },
  },
  {
    name: 'cut stays a cut',
    keeps: 'half an answer from looking like a whole one',
    off: [{ mark: 'cut stays a cut', becomes: "if (end !== 'ended') response.end();" }],
    tests: { files: ['src/gateway/door.test.ts'], named: 'breaks off' },
  },
  {
    name: 'request ends with its client',
    keeps: 'upstream from going on, and billing, for a run that has ended',
    off: [{ mark: 'request ends with its client', becomes: 'if (response.writableFinished) gone.abort();' }],
    tests: { files: ['src/gateway/door.test.ts'], named: 'a client that leaves' },
  },
  {
    name: 'folder of a socket',
    keeps: 'another user of this machine from using a run’s socket',
    off: [{ mark: 'folder of a socket', becomes: '' }],
    tests: { files: ['src/container/sockets.test.ts'], named: 'closed to others' },
  },
];
