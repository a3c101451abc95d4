/** What real forges refuse, do not tell, or tell wrongly: rights, names of tokens, labels. */
import type { Guard } from './guards.ts';

const LABELS = { files: ['src/dispatcher/labels.test.ts'] };
const IDENTITIES = { files: ['src/trust/identities.test.ts'] };
const DOINGS = { files: ['src/forge/gitea-family-doings.test.ts'] };

export const WORLD_TRUST_GUARDS: Guard[] = [
  {
    name: 'world trust: a refused list is not offered',
    keeps: 'a list that a forge keeps from readers from failing every dispatch',
    off: [
      {
        file: 'src/forge/not-offered.ts',
        find: "return error.status === 403 ? 'not-to-us' : null;",
        replace: 'return null;',
      },
    ],
    tests: DOINGS,
  },
  {
    name: 'world trust: the number of a run is proved',
    keeps: 'jobs of one run from being told as those of another',
    off: [
      {
        file: 'src/forge/gitea-family-tasks.ts',
        find: 'jobs.every((job) => job.html_url.startsWith(`${htmlUrl}/`))',
        replace: 'jobs.every((job) => job.id > 0)',
      },
    ],
    tests: DOINGS,
  },
  {
    name: 'world trust: teams before the organization',
    keeps: "an account with the README's scopes from refusing everybody",
    off: [
      {
        file: 'src/forge/gitea-family-access.ts',
        find: "if (error instanceof ForgeRefused && error.status === 405) return 'no-organization';",
        replace: '',
      },
    ],
    tests: { files: ['src/forge/gitea-family-access.test.ts'] },
  },
  {
    name: 'world trust: a team that reads stays in doubt',
    keeps: 'a member of a reading team from counting as a writer',
    off: [
      {
        file: 'src/forge/gitea-family-access.ts',
        find: "teams.every((team) => WRITING_TEAMS.includes(team.permission ?? ''))",
        replace: "teams.every((team) => team.permission !== '')",
      },
    ],
    tests: { files: ['src/forge/gitea-family-access.test.ts'] },
  },
  {
    name: 'world trust: a name without an id is no pass',
    keeps: 'a delivery that pairs our login with a stranger’s id from waking agents',
    off: [
      {
        file: 'src/trust/sender.ts',
        find: 'agent !== null && ids.has(agent) && sameLogin',
        replace: 'agent !== null && sameLogin',
      },
    ],
    tests: IDENTITIES,
  },
  {
    name: 'world trust: the author of what we post',
    keeps: 'an agent from going on in the name of whose token it was given',
    off: [
      {
        file: 'src/forge/author-watch.ts',
        find: 'if (author !== undefined) watch.posted(author);',
        replace: '',
      },
    ],
    tests: IDENTITIES,
  },
  {
    name: 'world trust: labels are asked for',
    keeps: 'a body with the old set of labels from hiding one that is put on again',
    off: [
      {
        file: 'src/dispatcher/facts.ts',
        find: 'if (item === null || !isAboutLabels(event)) return null;',
        replace: 'if (item === null || isAboutLabels(event)) return null;',
      },
    ],
    tests: LABELS,
  },
  {
    name: 'world trust: a label put on since counts again',
    keeps: 'a label that was taken off and put on before anybody looked from waking nobody',
    off: [
      {
        file: 'src/dispatcher/items.ts',
        find: 'if (told === null || before === undefined) return announced;',
        replace: 'if (told !== undefined || before === undefined) return announced;',
      },
    ],
    tests: LABELS,
  },
  {
    name: 'world trust: doctor tries the permission check',
    keeps: 'an installation that would refuse everybody from being called well',
    off: [
      {
        file: 'src/doctor/permissions.ts',
        find: "if (!allowed && permission === 'unknown') untold",
        replace: "if (allowed && permission === 'unknown') untold",
      },
    ],
    tests: { files: ['src/doctor/rights.test.ts'], named: 'an organization' },
  },
  {
    name: 'world trust: doctor reads what a dispatch reads',
    keeps: 'an account whose every dispatch fails from being called well',
    off: [
      {
        file: 'src/doctor/reads.ts',
        find: 'if (failed.length > 0) findings',
        replace: 'if (failed.length > 99) findings',
      },
    ],
    tests: { files: ['src/doctor/rights.test.ts'], named: 'could not read' },
  },
];
