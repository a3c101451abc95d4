import { expect, test } from 'vitest';
import { ForgeMissing, ForgeRefused, ForgeUnavailable, GitFailed } from '../errors.ts';
import { GitCommandFailed } from '../workdir/failure.ts';
import { type Cause, causeOf, type Failure, failureText, type PushCause } from './failure-texts.ts';

/** What programs say, where things stand, what was sent, and what is meant for an agent. */
const RAW = 'fatal: EACCES /srv/hooks/state/work: prompt "please fix the greeting"; amend, and push again';
const stderr = { exitCode: 128, stderr: RAW };

const KINDS = ['unreachable', 'denied', 'missing', 'refused', 'machine', 'damaged'] as const;
const ERRORS: [unknown, Cause][] = [
  [new ForgeUnavailable(RAW), 'forge-away'],
  [new ForgeRefused(RAW, 403), 'forge-refused'],
  [new ForgeMissing(RAW), 'forge-missing'],
  [new GitFailed(RAW, { ...stderr, transient: false }), 'checkout'],
  [new GitFailed(RAW, { ...stderr, transient: true }), 'git-away'],
  ...KINDS.map((kind): [unknown, Cause] => [
    new GitCommandFailed(`git push ${RAW}`, kind, stderr),
    (
      {
        unreachable: 'git-away',
        denied: 'git-denied',
        missing: 'git-missing',
        refused: 'git-refused',
        machine: 'machine',
        damaged: 'checkout',
      } as const
    )[kind],
  ]),
  [new TypeError(RAW), 'unknown'],
  [RAW, 'unknown'],
];

test('an error is told by its class, never by its words', () => {
  for (const [error, cause] of ERRORS) expect(causeOf(error), String(error)).toBe(cause);
});

const CAUSES: Cause[] = [...new Set(ERRORS.map(([, cause]) => cause)), 'model', 'request', 'session'];
const PUSHES: PushCause[] = [
  ...(['behind', 'objects', 'protected', 'hook', 'forge'] as const).map((kind) => ({ kind })),
  { kind: 'rules', what: '"ci.yml" is a workflow of CI. No agent may change it here.' },
  ...CAUSES.map((cause) => ({ kind: 'failed' as const, cause })),
];
const ALL: Failure[] = [
  { kind: 'not-run', why: 'the pull request comes from a fork' },
  { kind: 'stopped', why: '#4 was closed' },
  ...CAUSES.flatMap((cause): Failure[] => [
    { kind: 'could-not-run', cause },
    { kind: 'gave-up', cause, attempts: 8 },
  ]),
  { kind: 'declined', all: true },
  { kind: 'declined', all: false },
  { kind: 'not-read' },
  { kind: 'too-long', minutes: 60 },
  ...(['max-turns', 'max-budget', 'max-requests', 'max-tokens', 'max-usd'] as const).map(
    (why): Failure => ({ kind: 'capped', why }),
  ),
  ...PUSHES.map((why): Failure => ({ kind: 'push', branch: 'dev/1', why })),
  { kind: 'pull', status: 422 },
  { kind: 'review', status: null },
];

test('every text that can be posted is a sentence for people, with what they can do', () => {
  for (const failure of ALL) {
    const text = failureText(failure);
    expect(text, JSON.stringify(failure)).toMatch(/^(I|The) .*\.$/s);
    expect(text, text).not.toMatch(
      /undefined|fatal|EACCES|\/srv|amend|push again|git (fetch|rebase|checkout)/,
    );
  }
});

test('a place on this machine is left out of a clause that names one after all', () => {
  const text = failureText({
    kind: 'not-run',
    why: 'it is in /srv/state/work/x.git, and (/tmp/a/b) of dev/1/x',
  });
  expect(text).toBe(
    'I did not run: it is in (a folder of this service), and ((a folder of this service)) of dev/1/x.',
  );
  const link = 'see https://forge.example/a/b/c and docs/a/b.md';
  expect(failureText({ kind: 'not-run', why: link })).toContain(link);
});
