import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contextOf, diagnose, type Edge, find, openEdge } from '../../test/support/doctor.ts';
import { openRefusingForge } from '../../test/support/refusing-forge.ts';
import { needs } from '../../test/support/requirements.ts';
import { HOOK_SECRET, type Installation, openInstallation } from '../../test/support/smoke-config.ts';
import { judgeHook } from './hooks.ts';

const tools = needs('git', 'cli');

let here: Installation;
let edge: Edge;
beforeEach(async () => {
  here = await openInstallation();
  edge = await openEdge(here.config());
});
afterEach(async () => {
  await edge.close();
  await here.close();
});

const running = () => ({ service: { url: edge.url, healthUrl: edge.url, running: true } });

async function hook(o: { secret?: string; events?: string[]; path?: string } = {}) {
  return await here.forge.as('ada').addHook('ada/greeter', {
    url: `${edge.url}${o.path ?? '/webhooks/home'}`,
    secret: o.secret ?? HOOK_SECRET,
    ...(o.events === undefined ? {} : { events: o.events }),
  });
}

describe.skipIf(!tools.ok)(tools.title('hooks'), () => {
  test('a healthy set-up yields no finding', async () => {
    await hook();
    const report = await diagnose(here.config(), running());
    expect(report.findings).toEqual([]);
    expect(report.ok).toBe(true);
  });

  test('no hook at all', async () => {
    const report = await diagnose(here.config(), running());
    // ada may have one for all her repositories, and shows it to nobody.
    expect(find(report, 'hook-not-seen')).toMatchObject({
      severity: 'risk',
      subject: 'forge home, ada/greeter',
      problem: expect.stringContaining('our accounts cannot see whether ada or the installation has one'),
      remedy: expect.stringContaining('/webhooks/home'),
    });
    expect(find(report, 'hook-missing')).toBeUndefined();
  });

  test('no hook of an owner whose hooks are shown is missing, and one that is there is judged', async () => {
    const hooks = (json: unknown) => [{ call: /^GET \/orgs\/ada\/hooks$/, status: 200, json }];
    const none = await openRefusingForge(here.forge.url, hooks([]));
    const missing = find(await diagnose(here.config({ home: { url: none.url } }), running()), 'hook-missing');
    expect(missing).toMatchObject({
      severity: 'broken',
      problem: 'no hook of this repository or of ada points to this service',
    });
    const config = { url: `${edge.url}/webhooks/home`, content_type: 'json' };
    const one = await openRefusingForge(
      here.forge.url,
      hooks([{ id: 4, active: false, events: [], config }]),
    );
    const report = await diagnose(here.config({ home: { url: one.url } }), running());
    expect(find(report, 'hook-inactive')?.subject).toBe('forge home, ada, hook 4');
    expect(find(report, 'hook-missing')).toBeUndefined();
  });

  test('an inactive hook', async () => {
    const { id } = await hook();
    here.forge.state.repositories[0]!.hooks.find((h) => h.id === id)!.active = false;
    const report = await diagnose(here.config(), running());
    expect(find(report, 'hook-inactive')).toMatchObject({ severity: 'broken' });
  });

  test('another secret: the test delivery is refused, and says so', async () => {
    await hook({ secret: 'something else' });
    const report = await diagnose(here.config(), running());
    expect(find(report, 'hook-secret')).toMatchObject({
      severity: 'broken',
      evidence: expect.stringContaining('signature-wrong'),
      remedy: expect.stringContaining('forges.home.webhook_secret'),
    });
  });

  test('the secret of the forge, where the repository has one of its own', async () => {
    const own = { name: 'ada/greeter', webhook_secret: 'own-secret' };
    const config = here.config({ home: { repositories: [own, 'ada/other'] } });
    await edge.close();
    edge = await openEdge(config);
    await hook();
    expect(find(await diagnose(config, running()), 'hook-secret')).toMatchObject({
      severity: 'broken',
      evidence: 'the test delivery was signed with the secret of forges.home',
      remedy: expect.stringContaining('entry ada/greeter, webhook_secret'),
    });
    here.forge.state.repositories[0]!.hooks[0]!.secret = 'own-secret';
    expect(find(await diagnose(config, running()), 'hook-secret')).toBeUndefined();
  });

  test('no secret on the hook', async () => {
    await hook({ secret: '' });
    expect(find(await diagnose(here.config(), running()), 'hook-secret')?.evidence).toContain(
      'signature-empty',
    );
  });

  test('events that flows wait for are named with the flows', async () => {
    await hook({ events: ['issues_only', 'push'] });
    const finding = find(await diagnose(here.config(), running()), 'hook-events');
    expect(finding?.evidence).toContain('issue_assign (flows dev-assigned');
    expect(finding?.evidence).toContain('pull_request_comment');
  });

  test('a delivery that does not arrive at a loopback address', async () => {
    await hook();
    // The forge calls an address where nobody listens, as when it may not call ours.
    const stored = here.forge.state.repositories[0]!.hooks[0]!;
    stored.url = 'http://127.0.0.1:9/webhooks/home';
    const finding = find(await diagnose(here.config(), running()), 'hook-host-not-allowed');
    expect(finding).toMatchObject({
      severity: 'broken',
      evidence: expect.stringContaining('loopback'),
      remedy: expect.stringContaining('ALLOWED_HOST_LIST = external,loopback'),
    });
  });

  test('without a running service the address alone is judged, unless something arrived lately', async () => {
    await hook();
    expect(find(await diagnose(here.config()), 'hook-host-not-allowed')).toMatchObject({ severity: 'risk' });
    await here.forge.as('ada').createIssue('ada/greeter', { title: 'Hello', body: '' });
    await here.forge.settled();
    expect(find(await diagnose(here.config()), 'hook-host-not-allowed')).toBeUndefined();
  });

  test('a hook to a wrong path of ours', async () => {
    await hook({ path: '/webhooks/other' });
    const config = here.config({ server: { public_url: edge.url } });
    expect(find(await diagnose(config, running()), 'hook-path')).toMatchObject({ severity: 'broken' });
  });

  test('accounts without administrator rights: noted, and what stands in', async () => {
    await hook();
    here.forge.state.repositories[0]!.collaborators[0]!.permission = 'write';
    const report = await diagnose(here.config(), running());
    expect(find(report, 'hooks-unreadable')).toMatchObject({ severity: 'note' });
    expect(find(report, 'no-repository-administrator')).toMatchObject({ severity: 'note' });
    expect(report.ok).toBe(true);
  });

  test.each([
    ['gitea', ['workflow_run'], ['hook-status']],
    ['gitea', ['workflow_run', 'status'], []],
    // Already broken: nothing of CI comes.
    ['gitea', ['push'], []],
    ['forgejo', ['action_run_failure'], []],
  ] as const)('statuses of CI: a hook of %s that sends %j', (kind, events, expected) => {
    const config = here.config({ home: { kind } });
    const url = 'https://x.example/webhooks/home';
    const hook = { id: 1, url, active: true, events: [...events], contentType: 'json' };
    const found = judgeHook({ subject: 's', hook, forge: config.forges.home! }, contextOf(config));
    const told = found.filter((f) => f.check === 'hook-status');
    expect(told.map((f) => f.check)).toEqual(expected);
    for (const { evidence, remedy } of told) {
      expect(evidence).toMatch(/^workflow_run without status \(flows .*dev-ci-failed.*\)$/);
      expect(remedy).toContain('“Status”');
    }
  });

  test('a hook that sends forms is told', () => {
    const config = here.config();
    const listed = {
      id: 1,
      url: 'https://x.example/webhooks/home',
      active: true,
      events: [],
      contentType: 'form',
    };
    const found = judgeHook({ subject: 's', hook: listed, forge: config.forges.home! }, contextOf(config));
    expect(found.map((f) => f.check)).toContain('hook-content-type');
  });
});
