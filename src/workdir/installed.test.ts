import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { MissingProgram } from '../errors.ts';
import { requireGit } from './installed.ts';

/** A PATH with a git that says this, or with none. */
function pathWith(said: string | null): string {
  const folder = mkdtempSync(join(tmpdir(), 'claude-hooks-git-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  if (said !== null) writeFileSync(join(folder, 'git'), `#!/bin/sh\necho '${said}'\n`, { mode: 0o755 });
  return folder;
}

test('the git of this machine will do', async () => {
  await requireGit(process.env.PATH);
});

test.each(['git version 2.38.0', 'git version 2.51.1.windows.1', 'git version 3.0.0'])(
  '%s is new enough',
  async (said) => {
    await requireGit(pathWith(said));
  },
);

test.each([
  [null, /^claude-hooks needs git 2\.38 or newer, and there is no git in PATH \(.*\)\. Install /],
  ['git version 2.37.9', /^claude-hooks needs git 2\.38 or newer, and this is git version 2\.37\. Install /],
  ['git version 1.99.1', /and this is git version 1\.99\. Install it .*apt-get install git/],
  ['hello', /`git --version` answers: hello\. Install /],
])('git that says %s is refused, with what to install', async (said, words) => {
  const refused = await requireGit(pathWith(said)).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(MissingProgram);
  expect((refused as Error).message).toMatch(words);
});
