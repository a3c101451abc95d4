/** The guards of "it says and approves what is so", for scripts/guards.ts. */
import type { Guard } from './guard.ts';

const PUBLICATION = ['src/broker/publication.test.ts'];

export const TRUTH_GUARDS: Guard[] = [
  {
    name: 'truth: only the bare word is a verdict',
    keeps: 'an approval with a condition from becoming one without it',
    off: [
      {
        mark: 'truth: only the bare word is a verdict',
        becomes: "return EXACT.find(([form]) => form.test(word.split(' ')[0]!))?.[1] ?? 'other';",
      },
    ],
    tests: { files: ['src/outcome/verdict.test.ts'], named: 'anything else' },
  },
  {
    name: 'truth: verdicts that differ are none',
    keeps: 'the first of two verdicts from counting',
    off: [{ mark: 'truth: verdicts that differ are none', lines: 1, becomes: 'if (others.length < 0) {' }],
    tests: { files: ['src/outcome/verdict.test.ts'], named: 'anything else' },
  },
  {
    name: 'truth: a missing verdict is asked for',
    keeps: 'a review without a verdict from going out before the reviewer was asked',
    off: [
      {
        mark: 'truth: a missing verdict is asked for',
        becomes: 'if (agent.publish !== null) return outcome;',
      },
    ],
    tests: { files: ['test/says-what-is-so.test.ts'], named: 'a verdict is asked' },
  },
  {
    name: 'truth: a pull request is checked out exactly',
    keeps: 'a file that is not committed from holding the checkout at an older commit',
    off: [
      {
        mark: 'truth: a pull request is checked out exactly',
        becomes:
          'if (status.dirtyFiles.length > 0 || (status.headSha === target.sha && aside === null)) return status;',
      },
    ],
    tests: { files: ['src/workdir.test.ts'], named: 'follows the head' },
  },
  {
    name: 'truth: nothing is moved through a link',
    keeps: 'files outside of the checkout from being put aside',
    off: [{ mark: 'truth: nothing is moved through a link', becomes: 'if (found === null) return false;' }],
    tests: { files: ['src/workdir.test.ts'], named: 'through a link' },
  },
  {
    name: 'truth: a review names the commit of its checkout',
    keeps: 'an approval from naming a commit that nobody looked at',
    off: [
      {
        mark: 'truth: a review names the commit of its checkout',
        lines: 1,
        becomes: "if (now === 'never') {",
      },
    ],
    tests: { files: ['src/dispatch/publish/reviewed.test.ts'], named: 'no verdict' },
  },
  {
    name: 'truth: a tool gives a verdict on the commit of its checkout alone',
    keeps: 'submit_review from approving what the agent did not have before it',
    off: [
      {
        mark: 'truth: a tool gives a verdict on the commit of its checkout alone',
        becomes: "if (began === 'never') throw new DeniedUnread(notInCheckout(sha, began));",
      },
    ],
    tests: { files: ['src/broker/tools.test.ts'], named: 'a verdict is refused' },
  },
  {
    name: 'truth: a dev follows the forge with files in nobody’s way',
    keeps: 'an untracked file from holding a branch back',
    off: [
      {
        mark: 'truth: a dev follows the forge with files in nobody’s way',
        lines: 1,
        becomes:
          'if (p.status.dirtyFiles.length === 0 && (await inCheckout(p.git, p.control, args, [0, 1, 128])).exitCode === 0) {',
      },
    ],
    tests: { files: ['src/workdir.test.ts'], named: 'follows the forge' },
  },
  {
    name: 'truth: a refused answer is no success',
    keeps: 'a dispatch whose answer nobody can read from counting as succeeded',
    off: [
      {
        mark: 'truth: a refused answer is no success',
        becomes: 'if (commentUrl !== null || reviewId !== null || refusals.length > 0) return null;',
      },
    ],
    tests: { files: PUBLICATION, named: 'an answer that the forge refuses' },
  },
  {
    name: 'truth: a refused answer can be posted',
    keeps: 'the command from finding the refusal again in place of asking the forge',
    off: [{ mark: 'truth: a refused answer can be posted', becomes: ".set({ state: 'refused' })" }],
    tests: { files: ['src/mailbox/unposted.test.ts'], named: 'is posted' },
  },
  {
    name: 'truth: work on a branch of the agent’s own is published',
    keeps: 'commits beside the branch of the conversation from staying behind',
    off: [
      {
        mark: 'truth: work on a branch of the agent’s own is published',
        becomes: "return own.exitCode === 0 && own.stdout === 'never' ? 'HEAD' : branch;",
      },
    ],
    tests: { files: ['src/workdir/unpublished.test.ts'], named: 'is published' },
  },
  {
    name: 'truth: what the agent pushed itself is news',
    keeps: 'a push of the agent’s own from having no pull request and no link',
    off: [{ mark: 'truth: what the agent pushed itself is news', becomes: 'return pushed;' }],
    tests: { files: PUBLICATION, named: 'what the agent pushed itself' },
  },
  {
    name: 'truth: what stays behind is told',
    keeps: '“done” from being said of work that is in the checkout only',
    off: [{ mark: 'truth: what stays behind is told', becomes: '' }],
    tests: { files: PUBLICATION, named: 'what the agent pushed itself' },
  },
  {
    name: 'truth: a failure is told by its class',
    keeps: 'paths, prompts and words of programs from being posted',
    off: [
      {
        mark: 'truth: a failure is told by its class',
        becomes: 'return sentencesOf(failure) as FailureText;',
      },
    ],
    tests: { files: ['src/outcome/failure-texts.test.ts'], named: 'a place on this machine' },
  },
];
