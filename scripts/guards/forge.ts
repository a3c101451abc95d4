/** What real servers send: each reading of a body that does not mean what it says. */
import type { Guard } from './guard.ts';

const RECORDED = { files: ['src/forges/gitea/recorded.test.ts'] };

export const FORGE_GUARDS: Guard[] = [
  {
    name: 'cleared labels are gone',
    keeps: 'a label that is put on again after a clearing from waking nobody',
    off: [
      {
        mark: 'cleared labels are gone',
        becomes: 'return action === "never" ? { ...object, labels: [] } : object;',
      },
    ],
    tests: { ...RECORDED, named: 'labels-cleared' },
  },
  {
    name: 'the second reviewer of one call is asked, too',
    keeps: 'a request for a review from being taken for one that was withdrawn',
    off: [
      {
        mark: 'the second reviewer of one call is asked, too',
        becomes:
          'pull: { ...toPull(pull, repository), requestedReviewers: pull.requested_reviewers.map(({ login }) => login) },',
      },
    ],
    tests: { ...RECORDED, named: 'review-requested' },
  },
  {
    name: 'a cancelled run is no failure',
    keeps: 'agents from being woken for a run that a person stopped',
    off: [
      {
        mark: 'a cancelled run is no failure',
        becomes:
          "if (isCancellation({ description: payload.state })) return ignored('status: the run was cancelled, which Gitea calls a failure');",
      },
    ],
    tests: { ...RECORDED, named: '0815-status-failure' },
  },
  {
    name: 'times are UTC',
    keeps: 'the same second from looking like another one after the forge changed its time zone',
    off: [{ mark: 'times are UTC', becomes: "return at > 0 ? value : '';" }],
    tests: { ...RECORDED, named: 'tokyo' },
  },
];
