import type { Guard } from './guards.ts';

const NETWORK = { files: ['test/network.test.ts'] };
const RED = { files: ['test/doctor-and-smoke.test.ts'] };

/** One way out of this machine for git and for all else, and commands that tell when it is barred. */
export const HOUR_NETWORK_GUARDS: Guard[] = [
  {
    name: 'network: this machine',
    keeps: 'what is for this machine itself from being sent to a proxy',
    off: [{ file: 'src/network/proxies.ts', find: 'isThisMachine(host) || ', replace: '' }],
    tests: { files: ['src/network/proxies.test.ts'], named: 'never reached through a proxy' },
  },
  {
    name: 'network: names below',
    keeps: 'no_proxy from meaning another thing for the API than for git',
    off: [
      {
        file: 'src/network/proxies.ts',
        find: 'at.host.endsWith(`.${name}`)',
        replace: 'at.host === `.${name}`',
      },
    ],
    tests: { files: ['src/network/proxies.test.ts'], named: 'no_proxy' },
  },
  {
    name: 'network: git obeys',
    keeps: 'git from going past the proxy, or to another one than the API',
    off: [
      {
        file: 'src/workdir/remote.ts',
        find: 'network?.proxyFor(`${origin}/`) ?? null',
        replace: "(network === null ? '' : null) as string | null",
      },
    ],
    tests: { ...NETWORK, named: 'all go through the proxy' },
  },
  {
    name: 'network: the model',
    keeps: 'the gateway from going past the proxy',
    off: [
      {
        file: 'src/gateway/upstream.ts',
        find: 'this.#proxyFor(`${url.origin}/`)',
        replace: "(url.origin === '' ? this.#proxyFor('') : null)",
      },
    ],
    tests: { ...NETWORK, named: 'all go through the proxy' },
  },
  {
    name: 'network: authorities of git',
    keeps: 'an own authority from being known to the API alone',
    off: [
      {
        file: 'src/workdir/git.ts',
        find: 'GIT_SSL_CAINFO: authorities.file, ',
        replace: '',
      },
    ],
    tests: { ...NETWORK, named: 'an own authority' },
  },
  {
    name: 'network: authorities of the process',
    keeps: 'an own authority from being known to git alone',
    off: [
      {
        file: 'src/network.ts',
        find: 'if (isTls) trustInThisProcess(certificates);',
        replace: 'void trustInThisProcess;',
      },
    ],
    tests: { ...NETWORK, named: 'an own authority' },
  },
  {
    name: 'network: a tunnel that never comes',
    keeps: 'a request that was ended from waiting for a proxy that says nothing',
    off: [
      {
        file: 'src/gateway/upstream.ts',
        find: "asked.signal.addEventListener('abort', aborted, { once: true });",
        replace: '',
      },
    ],
    tests: { ...NETWORK, named: 'does not answer' },
  },
  {
    name: 'network: passwords of proxies',
    keeps: 'the password of a proxy from standing in the log',
    off: [{ file: 'src/config/assemble.ts', find: ', ...secretsOfProxies(read.network)', replace: '' }],
    tests: { files: ['src/config/network-settings.test.ts'], named: 'its password is a secret' },
  },
  {
    name: 'doctor and smoke: git really clones',
    keeps: 'a forge whose API answers from passing where git does not get there',
    off: [
      {
        file: 'src/smoke/clones.ts',
        find: "if (trial.kind === 'failed') {",
        replace: "if (trial.kind === 'failed' && cloned.length > 9) {",
      },
    ],
    tests: { ...RED, named: 'git behind a proxy' },
  },
  {
    name: 'doctor and smoke: what failed',
    keeps: 'failed work from being forgotten',
    off: [{ file: 'src/smoke/dispatches.ts', find: "['failed', 'unposted']", replace: "['unposted']" }],
    tests: { ...RED, named: 'work that waits' },
  },
  {
    name: 'doctor and smoke: hidden CI',
    keeps: 'an account that may not read CI from passing for a forge that has none',
    off: [{ file: 'src/forge/gitea-family-runs.ts', find: ', isHidden: true }', replace: ' }' }],
    tests: { ...RED, named: 'may not read CI' },
  },
  {
    name: 'doctor: whose environment',
    keeps: 'the variables of another process from being taken for those of the service',
    off: [{ file: 'src/state-lock.ts', find: 'if (!isHolder) return null;', replace: 'void isHolder;' }],
    tests: { files: ['src/state-lock.test.ts'], named: 'of nobody else' },
  },
];
