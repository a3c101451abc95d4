import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { diagnose, find } from '../../test/support/doctor.ts';
import { git } from '../../test/support/git-remotes.ts';
import { type Listener, openListener, openLyingForge } from '../../test/support/lying-forge.ts';
import { needs } from '../../test/support/requirements.ts';
import { type Installation, openInstallation } from '../../test/support/smoke-config.ts';

const tools = needs('git', 'cli');

let here: Installation;
let elsewhere: Listener;
beforeEach(async () => {
  here = await openInstallation();
  elsewhere = await openListener();
});
afterEach(async () => {
  await elsewhere.close();
  await here.close();
});

describe.skipIf(!tools.ok)(tools.title('clones'), () => {
  test('of a forge that is reached under its own address are no finding', async () => {
    expect(find(await diagnose(here.config()), 'clone-failed')).toBeUndefined();
    expect(find(await diagnose(here.config()), 'check-failed')).toBeUndefined();
  });

  test('of a repository with a branch that is called like the prefix: what the agent does, and what to do', async () => {
    git(join(here.folder, 'forge', 'repositories', 'ada', 'greeter.git'), 'branch', 'dev', 'main');
    const report = await diagnose(here.config());
    expect(find(report, 'branch-name-taken')).toMatchObject({
      severity: 'broken',
      subject: 'forge home, ada/greeter, agent dev',
      evidence: 'the repository has a branch called dev',
    });
  });

  test('that fail although the API answers: what to set, and what the forge names', async () => {
    const forge = await openLyingForge(here.forge.url);
    forge.lies.redirects = elsewhere.url;
    forge.lies.names = elsewhere.url;
    const report = await diagnose(here.config({ home: { url: forge.url } }));
    await forge.close();
    expect(find(report, 'clone-failed')).toMatchObject({
      severity: 'broken',
      subject: 'forge home, ada/greeter, agent dev',
      problem: 'the API answers, but git cannot clone',
      evidence: expect.stringContaining(
        `the forge itself names ${elsewhere.url}/ada/greeter.git, which is not used`,
      ),
      remedy: expect.stringContaining('Set forges.home.clone_url to the address'),
    });
    expect(report.ok).toBe(false);
    expect(elsewhere.seen).toEqual([]);
    expect(JSON.stringify(report)).not.toContain(
      Buffer.from('x-access-token').toString('base64').slice(0, 16),
    );
  });

  test('under another address: the option mends it', async () => {
    const forge = await openLyingForge(here.forge.url);
    forge.lies.redirects = elsewhere.url;
    const home = { url: forge.url, clone_url: here.forge.url };
    expect(find(await diagnose(here.config({ home })), 'clone-failed')).toBeUndefined();
    await forge.close();
  });

  test('by a token that may not read: the scope', async () => {
    const trial = {
      kind: 'failed',
      failure: 'denied',
      words: 'The requested URL returned error: 403',
    } as const;
    const report = await diagnose(here.config(), { clone: async () => trial });
    expect(find(report, 'clone-failed')?.remedy).toContain('the scope write:repository');
  });
});
