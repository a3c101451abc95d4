/** What real servers send: each reading of a body that does not mean what it says. */
import type { Guard } from './guards.ts';

const RECORDED = { files: ['src/forge/gitea-family-recorded.test.ts'] };

export const WORLD_FORGE_GUARDS: Guard[] = [
  {
    name: 'cleared labels are gone',
    keeps: 'a label that is put on again after a clearing from waking nobody',
    off: [
      {
        file: 'src/forge/gitea-family-events.ts',
        find: "return action === 'label_cleared' ? { ...object, labels: [] } : object;",
        replace: 'return action === "never" ? { ...object, labels: [] } : object;',
      },
    ],
    tests: { ...RECORDED, named: 'labels-cleared' },
  },
  {
    name: 'the second reviewer of one call is asked, too',
    keeps: 'a request for a review from being taken for one that was withdrawn',
    off: [
      {
        file: 'src/forge/gitea-family-events.ts',
        find: 'requestedReviewers: reviewersAfterwards(payload)',
        replace: 'requestedReviewers: pull.requested_reviewers.map(({ login }) => login)',
      },
    ],
    tests: { ...RECORDED, named: 'review-requested' },
  },
  {
    name: 'a cancelled run is no failure',
    keeps: 'agents from being woken for a run that a person stopped',
    off: [
      {
        file: 'src/forge/gitea-family-ci.ts',
        find: 'if (isCancellation(payload)) return ignored(',
        replace: 'if (isCancellation({ description: payload.state })) return ignored(',
      },
    ],
    tests: { ...RECORDED, named: '0815-status-failure' },
  },
  {
    name: 'times are UTC',
    keeps: 'the same second from looking like another one after the forge changed its time zone',
    off: [
      {
        file: 'src/forge/gitea-family-payloads.ts',
        find: "return at > 0 ? new Date(at).toISOString().replace('.000Z', 'Z') : '';",
        replace: "return at > 0 ? value : '';",
      },
    ],
    tests: { ...RECORDED, named: 'tokyo' },
  },
];
