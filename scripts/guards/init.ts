/** What `init` makes, and what it leaves alone. */
import type { Guard } from './guard.ts';

const TESTS = ['src/init.test.ts'];

export const INIT_GUARDS: readonly Guard[] = [
  {
    name: 'init: secrets are for this user alone',
    keeps: 'tokens and secrets from being read by everybody on the machine',
    off: [{ mark: 'init: secrets are for this user alone', becomes: 'chmodSync(fresh, 0o644);' }],
    tests: { files: TESTS, named: 'once: everything' },
  },
  {
    name: 'init: a second run changes nothing',
    keeps: 'the configuration from being written anew by each run',
    off: [{ mark: 'init: a second run changes nothing', becomes: '' }],
    tests: { files: TESTS, named: 'once: everything' },
  },
  {
    name: 'init: what a person wrote is not overwritten',
    keeps: 'a configuration that says something else from being passed over in silence',
    off: [
      {
        mark: 'init: what a person wrote is not overwritten',
        lines: 1,
        becomes: "if (value === '') {",
      },
    ],
    tests: { files: TESTS, named: 'says something else' },
  },
  {
    name: 'init: a changed configuration is not removed',
    keeps: 'what a person wrote into the configuration from being deleted',
    off: [
      { mark: 'init: a changed configuration is not removed', lines: 1, becomes: 'if (text === null) {' },
    ],
    tests: { files: TESTS, named: 'a configuration that a person wrote' },
  },
  {
    name: 'init: an account that others made is not taken',
    keeps: 'the password of somebody’s account from being changed',
    off: [
      {
        mark: 'init: an account that others made is not taken',
        lines: 1,
        becomes: 'if (isOurs(made, login, agent.account.mail) || login !== "") {',
      },
    ],
    tests: { files: TESTS, named: 'account-exists' },
  },
  {
    name: 'init: no account without an administrator',
    keeps: 'init from beginning what the forge will refuse',
    off: [
      {
        mark: 'init: no account without an administrator',
        lines: 1,
        becomes: 'if (makesAccounts && found.forge === "") {',
      },
    ],
    tests: { files: TESTS, named: 'no-administrator' },
  },
  {
    name: 'a refusal names the scope of the route',
    keeps: 'people from making a token with the wrong scope',
    off: [
      {
        mark: 'a refusal names the scope of the route',
        becomes: 'return `${access}:repository`;',
      },
    ],
    tests: { files: TESTS, named: 'admin-token-scope' },
  },
];
