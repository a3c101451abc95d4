/** What accounts and their tokens may do, as real forges limit it, and what the doctor says of it before the first event. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { diagnose, find } from '../../test/support/doctor.ts';
import {
  GITEA_RUNS,
  NAMED_REPOSITORIES,
  openRefusingForge,
  README_SCOPES,
  type Refusal,
} from '../../test/support/refusing-forge.ts';
import { needs } from '../../test/support/requirements.ts';
import { DIRECT, type Installation, openInstallation } from '../../test/support/smoke-config.ts';
import { createGiteaFamilyClient } from '../forges/gitea/client.ts';
import { checkCredentials } from './credentials.ts';

const tools = needs('git', 'cli');

let here: Installation;
beforeEach(async () => {
  here = await openInstallation();
  // No administrator, as most accounts.
  here.forge.state.repositories[0]!.collaborators[0]!.permission = 'write';
});
afterEach(() => here.close());

async function configFor(refusals: readonly Refusal[], home: Record<string, unknown> = {}) {
  const { url } = await openRefusingForge(here.forge.url, refusals);
  return here.config({ home: { url, ...home } });
}

async function smoke(config: ReturnType<Installation['config']>) {
  const forge = (f: Parameters<Parameters<typeof checkCredentials>[1]['forge']>[0], agent: string) =>
    createGiteaFamilyClient({ name: f.name, url: f.url, token: f.accounts[agent]!.token });
  const checks = await checkCredentials(config, { agents: ['dev'], forge, network: DIRECT });
  return (name: string) => checks.find(({ check }) => check === name);
}

/** An organization's repository has no person for an owner. */
const CY: readonly Refusal[] = [
  { call: /^GET .*\/assignees$/, status: 200, json: [{ id: 77, login: 'cy' }] },
  { call: /^GET .*\/collaborators\/cy\/permission$/, status: 403 },
];
const TEAMS = (permission: string): Refusal => ({
  call: /^GET \/repos\/ada\/greeter\/teams$/,
  status: 200,
  json: [{ permission }],
});

describe.skipIf(!tools.ok)(tools.title('rights'), () => {
  test('the README’s scopes, no administrator, a Gitea of today, and no event yet: nothing is broken', async () => {
    await here.forge.as('ada').createIssue('ada/greeter', { title: 'Hello', body: '' });
    const config = await configFor([...README_SCOPES, GITEA_RUNS], { repositories: ['ada/*'] });
    const report = await diagnose(config);
    expect(report.findings.filter(({ severity }) => severity === 'broken')).toEqual([]);
    expect(find(report, 'not-started-yet')).toMatchObject({ severity: 'note' });
    expect(find(report, 'not-offered')).toMatchObject({
      severity: 'note',
      subject: 'forge home, ada/greeter, agent dev',
      problem: 'the forge does not offer this account: ids of CI runs',
      evidence: expect.stringContaining('CI from commit statuses'),
    });
    expect((await smoke(config))('forge-reads')).toMatchObject({
      state: 'ok',
      detail: 'home: all of ada/greeter that a dispatch reads; not offered: ids of CI runs',
    });
  });

  test('an organization that does not tell who may write: broken before the first event, until people are named', async () => {
    const untold = [...CY, TEAMS('read'), ...README_SCOPES];
    const report = await diagnose(await configFor(untold, { repositories: ['ada/*'] }));
    expect(find(report, 'permission-untold')).toMatchObject({
      severity: 'broken',
      subject: 'forge home, ada/greeter',
      evidence: expect.stringContaining('asked about cy'),
      remedy: expect.stringContaining('read:organization'),
    });
    const named = await configFor(untold, { trusted_senders: ['cy'] });
    expect(find(await diagnose(named), 'permission-untold')).toBeUndefined();
    const writing = await configFor([...CY, TEAMS('write'), ...README_SCOPES]);
    expect(find(await diagnose(writing), 'permission-untold')).toBeUndefined();
  });

  test('a token for named repositories works, and it is said what it cannot do', async () => {
    const config = await configFor(NAMED_REPOSITORIES);
    const report = await diagnose(config);
    expect(report.findings.filter(({ severity }) => severity === 'broken')).toEqual([]);
    expect(find(report, 'token-without-name')).toMatchObject({
      severity: 'note',
      problem: expect.stringContaining('forges.home.accounts.dev.login is believed until its first post'),
      remedy: expect.stringContaining('reads no hooks and no permissions of others'),
    });
    expect((await smoke(config))('forge-token')).toMatchObject({
      state: 'skipped',
      detail: expect.stringMatching(
        /^home: the token may not be asked whose it is, so forges\.home\.accounts\.dev\.login is believed .* answered 403/,
      ),
    });
    here.forge.state.repositories[0]!.collaborators[0]!.permission = 'read';
    expect(find(await diagnose(config), 'account-cannot-write')).toMatchObject({ severity: 'broken' });
  });

  test('what a dispatch could not read is broken, in both commands', async () => {
    await here.forge.as('ada').createIssue('ada/greeter', { title: 'Hello', body: '' });
    const config = await configFor([{ call: /\/issues\/1\/comments$/, status: 403 }]);
    expect(find(await diagnose(config), 'read-refused')).toMatchObject({
      severity: 'broken',
      problem: 'a dispatch could not read comments of #1, and would fail',
    });
    expect((await smoke(config))('forge-reads')).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(
        /^home, ada\/greeter: a dispatch could not read comments of #1, and would fail: /,
      ),
    });
  });
});

describe.skipIf(!tools.ok)(tools.title('repositories as they are listed'), () => {
  test('a renamed one is followed: what to change, if anything', async () => {
    await here.forge.as('ada').renameRepository('ada/greeter', 'hello');
    const report = await diagnose(here.config());
    expect(find(report, 'repository-renamed')).toMatchObject({
      severity: 'broken',
      subject: 'forge home, ada/greeter',
      problem: expect.stringContaining('is called ada/hello now'),
      remedy: expect.stringContaining('Write ada/hello in place of ada/greeter in forges.home.repositories'),
    });
    expect(find(report, 'repository-invisible')).toBeUndefined();
    expect(find(report, 'clone-failed')).toBeUndefined();
    const both = await diagnose(here.config({ home: { repositories: ['ada/greeter', 'ada/*'] } }));
    expect(find(both, 'repository-renamed')).toMatchObject({ severity: 'note' });
    const owner = await diagnose(here.config({ home: { repositories: ['ada/*'] } }));
    expect(find(owner, 'repository-renamed')).toBeUndefined();
    expect(owner.findings.filter(({ severity }) => severity === 'broken')).toEqual([]);
  });

  test('an empty one, and an owner of whom nothing is seen', async () => {
    const id = here.forge.state.repositories[0]!.id;
    const json = {
      id,
      full_name: 'ada/greeter',
      clone_url: `${here.forge.url}/ada/greeter.git`,
      empty: true,
    };
    const config = await configFor([{ call: /^GET \/repos\/ada\/greeter$/, status: 200, json }], {
      repositories: ['ada/greeter', 'nobody/*'],
    });
    const report = await diagnose(config);
    expect(find(report, 'repository-empty')).toMatchObject({
      severity: 'risk',
      subject: 'forge home, ada/greeter',
    });
    expect(find(report, 'no-repository-seen')).toMatchObject({
      severity: 'risk',
      subject: 'forge home, nobody/*',
    });
  });
});
