import type { Guard } from './guard.ts';

const NETWORK = { files: ['test/network.test.ts'] };
const RED = { files: ['test/doctor-and-smoke.test.ts'] };

/** One way out of this machine for git and for all else, and commands that tell when it is barred. */
export const NETWORK_GUARDS: Guard[] = [
  {
    name: 'network: this machine',
    keeps: 'what is for this machine itself from being sent to a proxy',
    off: [
      {
        mark: 'network: this machine',
        becomes: 'if (noProxy.some((entry) => covers(entry, { host, port }))) return null;',
      },
    ],
    tests: { files: ['src/config/proxies.test.ts'], named: 'never reached through a proxy' },
  },
  {
    name: 'network: names below',
    keeps: 'no_proxy from meaning another thing for the API than for git',
    off: [
      {
        mark: 'network: names below',
        becomes: 'return at.host === name || (isIP(at.host) === 0 && at.host === `.${name}`);',
      },
    ],
    tests: { files: ['src/config/proxies.test.ts'], named: 'no_proxy' },
  },
  {
    name: 'network: git obeys',
    keeps: 'git from going past the proxy, or to another one than the API',
    off: [
      {
        mark: 'network: git obeys',
        becomes: "const proxy = (network === null ? '' : null) as string | null;",
      },
    ],
    tests: { ...NETWORK, named: 'all go through the proxy' },
  },
  {
    name: 'network: the model',
    keeps: 'the gateway from going past the proxy',
    off: [
      {
        mark: 'network: the model',
        becomes: "const proxy = (url.origin === '' ? this.#proxyFor('') : null);",
      },
    ],
    tests: { ...NETWORK, named: 'all go through the proxy' },
  },
  {
    name: 'network: authorities of git',
    keeps: 'an own authority from being known to the API alone',
    off: [
      {
        mark: 'network: authorities of git',
        becomes: "...(authorities.text === '' ? {} : { GIT_PROXY_SSL_CAINFO: authorities.file }),",
      },
    ],
    tests: { ...NETWORK, named: 'an own authority' },
  },
  {
    name: 'network: authorities of the process',
    keeps: 'an own authority from being known to git alone',
    off: [{ mark: 'network: authorities of the process', becomes: 'void trustInThisProcess;' }],
    tests: { ...NETWORK, named: 'an own authority' },
  },
  {
    name: 'network: a tunnel that never comes',
    keeps: 'a request that was ended from waiting for a proxy that says nothing',
    off: [{ mark: 'network: a tunnel that never comes', becomes: '' }],
    tests: { ...NETWORK, named: 'does not answer' },
  },
  {
    name: 'network: passwords of proxies',
    keeps: 'the password of a proxy from standing in the log',
    off: [
      { mark: 'network: passwords of proxies', becomes: 'secrets: [...new Set([...secretsOf(found)])],' },
    ],
    tests: { files: ['src/config/network-settings.test.ts'], named: 'its password is a secret' },
  },
  {
    name: 'doctor and smoke: git really clones',
    keeps: 'a forge whose API answers from passing where git does not get there',
    off: [
      {
        mark: 'doctor and smoke: git really clones',
        lines: 1,
        becomes: "if (trial.kind === 'failed' && fullName === '') {",
      },
    ],
    tests: { ...RED, named: 'git behind a proxy' },
  },
  {
    name: 'doctor and smoke: what failed',
    keeps: 'failed work from being forgotten',
    off: [{ mark: 'doctor and smoke: what failed', becomes: ".where('d.state', 'in', ['unposted'])" }],
    tests: { ...RED, named: 'work that waits' },
  },
  {
    name: 'doctor and smoke: hidden CI',
    keeps: 'an account that may not read CI from passing for a forge that has none',
    off: [{ mark: 'doctor and smoke: hidden CI', becomes: "return { kind: 'not-offered', why };" }],
    tests: { ...RED, named: 'may not read CI' },
  },
  {
    name: 'doctor: whose environment',
    keeps: 'the variables of another process from being taken for those of the service',
    off: [{ mark: 'doctor: whose environment', becomes: 'void isHolder;' }],
    tests: { files: ['src/state-lock.test.ts'], named: 'of nobody else' },
  },
];
