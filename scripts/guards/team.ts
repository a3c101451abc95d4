/** The guards of "the team carries an issue to a merged pull request", for scripts/guards.ts. */
import type { Guard } from './guard.ts';

const TABLE = 'src/team/table.test.ts';
const ROWS = 'src/router/team.test.ts';
const MERGE = 'src/broker/merge.test.ts';

export const TEAM_GUARDS: Guard[] = [
  {
    name: 'team: a veto stands',
    keeps: 'a pull request from being reviewed or merged against a person',
    off: [{ mark: 'team: a veto stands', becomes: 'when: [VETO, OVER],' }],
    tests: { files: [TABLE], named: 'against a veto' },
  },
  {
    name: 'team: the cap of rounds',
    keeps: 'reviews from going on for ever',
    off: [{ mark: 'team: the cap of rounds', becomes: 'when: [AT_CAP, OVER],' }],
    tests: { files: [TABLE], named: 'more rounds than the cap' },
  },
  {
    name: 'team: pending is no verdict',
    keeps: 'a head from being reviewed or merged before CI has ended',
    off: [{ mark: 'team: pending is no verdict', becomes: 'when: [RUNNING, OVER],' }],
    tests: { files: [TABLE], named: 'whose CI has not passed' },
  },
  {
    name: 'team: one rebase at a time',
    keeps: 'each merge from causing a rebase of all others',
    off: [{ mark: 'team: one rebase at a time', becomes: 'when: [APPROVED, CONFLICT, LATER, OVER],' }],
    tests: { files: ['src/team/merge-order.test.ts'], named: 'seven rebases' },
  },
  {
    name: 'team: the nearest setting of who merges',
    keeps: 'agents from merging in a repository where people do',
    off: [{ mark: 'team: the nearest setting of who merges', becomes: 'return config.team.merge;' }],
    tests: { files: ['src/team/settings.test.ts'], named: 'who merges' },
  },
  {
    name: 'team: one head, one review',
    keeps: 'one head from being reviewed twice',
    off: [
      {
        mark: 'team: one head, one review',
        becomes: 'return agent === "" && standing === null && decided === null;',
      },
    ],
    tests: { files: [ROWS], named: 'told to the reviewer once' },
  },
  {
    name: 'team: what a decision rests on',
    keeps: 'two processes that route from telling an agent the same',
    off: [{ mark: 'team: what a decision rests on', becomes: "return 'same';" }],
    tests: { files: [ROWS], named: 'another process' },
  },
  {
    name: 'team: a merge lets the others be looked at',
    keeps: 'a conflict that a merge has caused from being overlooked',
    off: [{ mark: 'team: a merge lets the others be looked at', becomes: '' }],
    tests: { files: [ROWS], named: 'a merge lets the others' },
  },
  {
    name: 'team: people merge',
    keeps: 'an agent from merging where people do, whatever it was told',
    off: [{ mark: 'team: people merge', becomes: "if (mergeBy !== 'nobody' as string) return;" }],
    tests: { files: [MERGE], named: 'left to them' },
  },
  {
    name: 'team: the head that is merged is the one that was reviewed',
    keeps: 'a commit from being merged that nobody has approved',
    off: [
      {
        mark: 'team: the head that is merged is the one that was reviewed',
        becomes: 'if (strangers.length >= 0) return;',
      },
    ],
    tests: { files: [MERGE], named: 'counts for its commit alone' },
  },
  {
    name: 'team: a head that was reviewed meanwhile',
    keeps: 'a reviewer from reviewing a head again for a message that came during its run',
    off: [
      {
        mark: 'team: a head that was reviewed meanwhile',
        becomes: 'if (isReviewed && number < 0) return null;',
      },
    ],
    tests: { files: ['src/dispatch/gather/overtaken.test.ts'], named: 'is not made again' },
  },
  {
    name: 'team: remarks that the forge refuses',
    keeps: 'a verdict from being lost with a line that the forge does not know',
    off: [{ mark: 'team: remarks that the forge refuses', becomes: 'throw error;' }],
    tests: { files: ['src/broker/publication.test.ts'], named: 'keeps its verdict' },
  },
];
