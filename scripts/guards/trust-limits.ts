/** What real forges refuse, do not tell, or tell wrongly: rights, names of tokens, labels. */
import type { Guard } from './guard.ts';

const LABELS = { files: ['src/router/labels.test.ts'] };
const IDENTITIES = { files: ['src/trust/identities.test.ts'] };
const DOINGS = { files: ['src/forges/gitea/doings.test.ts'] };

export const TRUST_LIMITS_GUARDS: Guard[] = [
  {
    name: 'world trust: a refused list is not offered',
    keeps: 'a list that a forge keeps from readers from failing every dispatch',
    off: [{ mark: 'world trust: a refused list is not offered', becomes: 'return null;' }],
    tests: DOINGS,
  },
  {
    name: 'world trust: the number of a run is proved',
    keeps: 'jobs of one run from being told as those of another',
    off: [
      {
        mark: 'world trust: the number of a run is proved',
        becomes: 'return jobs.length > 0 && jobs.every((job) => job.id > 0) ? number : null;',
      },
    ],
    tests: DOINGS,
  },
  {
    name: 'world trust: teams before the organization',
    keeps: "an account with the README's scopes from refusing everybody",
    off: [{ mark: 'world trust: teams before the organization', becomes: '' }],
    tests: { files: ['src/forges/gitea/access.test.ts'] },
  },
  {
    name: 'world trust: a team that reads stays in doubt',
    keeps: 'a member of a reading team from counting as a writer',
    off: [
      {
        mark: 'world trust: a team that reads stays in doubt',
        becomes: "return teams.every((team) => team.permission !== '') ? 'all-write' : 'some-read';",
      },
    ],
    tests: { files: ['src/forges/gitea/access.test.ts'] },
  },
  {
    name: 'world trust: a name without an id is no pass',
    keeps: 'a delivery that pairs our login with a stranger’s id from waking agents',
    off: [
      {
        mark: 'world trust: a name without an id is no pass',
        lines: 1,
        becomes: 'if (agent !== null && sameLogin(forge.accounts[agent]!.login, user.login))',
      },
    ],
    tests: IDENTITIES,
  },
  {
    name: 'world trust: the author of what we post',
    keeps: 'an agent from going on in the name of whose token it was given',
    off: [{ mark: 'world trust: the author of what we post', becomes: '' }],
    tests: IDENTITIES,
  },
  {
    name: 'world trust: labels are asked for',
    keeps: 'a body with the old set of labels from hiding one that is put on again',
    off: [
      {
        mark: 'world trust: labels are asked for',
        becomes: 'if (item === null || isAboutLabels(event)) return null;',
      },
    ],
    tests: LABELS,
  },
  {
    name: 'world trust: a label put on since counts again',
    keeps: 'a label that was taken off and put on before anybody looked from waking nobody',
    off: [
      {
        mark: 'world trust: a label put on since counts again',
        becomes: 'if (told !== undefined || before === null) return announced;',
      },
    ],
    tests: LABELS,
  },
  {
    name: 'world trust: doctor tries the permission check',
    keeps: 'an installation that would refuse everybody from being called well',
    off: [
      {
        mark: 'world trust: doctor tries the permission check',
        becomes: "if (allowed && permission === 'unknown') untold.push({ user, reason });",
      },
    ],
    tests: { files: ['src/checks/rights.test.ts'], named: 'an organization' },
  },
  {
    name: 'world trust: doctor reads what a dispatch reads',
    keeps: 'an account whose every dispatch fails from being called well',
    off: [
      {
        mark: 'world trust: doctor reads what a dispatch reads',
        becomes: 'if (failed.length > 99) findings.push(refused(subject, failed));',
      },
    ],
    tests: { files: ['src/checks/rights.test.ts'], named: 'could not read' },
  },
];
