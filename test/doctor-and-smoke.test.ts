/**
 * Each fault that keeps the service from working turns both commands red and shows its remedy. Each fault is set up
 * for real.
 */
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { runSmoke } from '../src/checks/smoke.ts';
import type { SmokeCheckName } from '../src/checks/smoke-report.ts';
import type { LoadedConfig } from '../src/config/config.ts';
import { EngineFailed } from '../src/container/container.ts';
import { migrate, openDatabase } from '../src/database/database.ts';
import { createGiteaFamilyClient } from '../src/forges/gitea/client.ts';
import { networkOf } from '../src/network.ts';
import { tryClone } from '../src/workdir/try-clone.ts';
import { diagnose, find } from './support/doctor.ts';
import { git } from './support/git-remotes.ts';
import { conversationOn, say } from './support/mailbox.ts';
import { makeAuthority } from './support/own-authority.ts';
import { openSilentProxy } from './support/proxy.ts';
import { openRefusingForge } from './support/refusing-forge.ts';
import { needs } from './support/requirements.ts';
import { type Installation, openInstallation } from './support/smoke-config.ts';

const tools = needs('git', 'cli');
const tls = needs('git', 'cli', 'openssl');

let here: Installation;
beforeEach(async () => {
  here = await openInstallation();
});
afterEach(() => here.close());

/** Both commands, with the way out that this configuration says. No container: that is another test's. */
async function look(config: LoadedConfig, { gitTimeoutMs = 30_000 } = {}) {
  const network = networkOf(config);
  const deps = {
    network,
    forge: ({ name, url, accounts }: LoadedConfig['forges'][string], agent: string) =>
      createGiteaFamilyClient({ name, url, token: accounts[agent]!.token, fetch: network.fetch }),
    clone: (remote: Parameters<typeof tryClone>[0], names: readonly string[]) =>
      tryClone(remote, { env: process.env, network, names, gitTimeoutMs }),
  };
  const report = await diagnose(config, deps);
  const engine = async () => {
    throw new EngineFailed('none in this test', 'None.');
  };
  const smoke = await runSmoke(config, { ...here.smoke(null as never), ...deps, engine });
  return {
    report,
    found: (check: string) => find(report, check),
    check: (name: SmokeCheckName) => smoke.checks.find(({ check }) => check === name),
    smoke,
  };
}

describe.skipIf(!tools.ok)(tools.title('red, with the remedy'), () => {
  test('nothing, where all is well', async () => {
    const { report, smoke } = await look(here.config());
    expect(report.ok).toBe(true);
    const bad = smoke.checks.filter(({ state }) => state !== 'ok');
    expect(bad.map(({ check }) => check)).toEqual(['engine']);
    expect(smoke.checks).toContainEqual(
      expect.objectContaining({ check: 'git-clone', detail: 'home: git cloned ada/greeter' }),
    );
  });

  test('a token of somebody else, in the same words', async () => {
    const accounts = { dev: { login: 'dev-bot', token: 'ada-token' } };
    const { found, check } = await look(here.config({ home: { accounts } }));
    const wrong = found('token-of-another-account')!;
    expect(wrong.evidence).toBe('the forge answers ada, forges.home.accounts.dev.login is dev-bot');
    expect(check('forge-token')).toEqual({
      agent: 'dev',
      check: 'forge-token',
      state: 'refused',
      detail: `home: ${wrong.problem}: ${wrong.evidence}`,
      remedy: wrong.remedy,
    });
  });

  test('git behind a proxy that does not answer, while the API answers', async () => {
    const proxy = await openSilentProxy();
    const config = here.config({
      home: { clone_url: 'http://git.test:3000' },
      network: { proxy: proxy.replace('//', '//ada:open%20sesame@') },
    });
    const { report, found, check, smoke } = await look(config, { gitTimeoutMs: 1000 });
    const remedy = expect.stringContaining(
      `See that the proxy ${proxy} answers and lets requests to git.test:3000`,
    );
    expect(found('clone-failed')).toMatchObject({ severity: 'broken', remedy });
    expect(check('git-clone')).toMatchObject({ state: 'failed', remedy });
    expect(check('forge-token')).toMatchObject({ state: 'ok' });
    expect(JSON.stringify([report, smoke])).not.toMatch(/open( |%20)sesame/);
  });

  test('work that waits, and work that failed and was not done since', async () => {
    const config = here.config();
    const database = openDatabase({ url: config.database.url });
    onTestFinished(() => database.close());
    await migrate(database);
    const { rows } = database;
    const set = (id: string, to: object) =>
      rows.updateTable('dispatches').set(to).where('id', '=', id).execute();
    const waiting = (await say(rows, await conversationOn(rows, { number: 1 }))).dispatchId;
    const failing = await conversationOn(rows, { number: 2 });
    const failed = (await say(rows, failing)).dispatchId;
    const soon = Date.now() + 10_000;
    await set(waiting, { state: 'parked', due_at: soon, reason: 'CI runs' });
    await set(failed, { state: 'failed', ended_at: Date.now(), reason: 'git clone: no route' });
    const first = await look(config);
    // Who waits for CI looks again at once.
    expect(first.found('dispatches-wait')).toBe(undefined);
    expect(first.found('dispatches-failed')).toMatchObject({
      severity: 'broken',
      evidence: expect.stringContaining('git clone: no route'),
      remedy: expect.stringContaining(`claude-hooks conversations ${failing.id}`),
    });
    expect(first.check('dispatches')).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/^1 dispatch has failed/),
    });
    const again = (await say(rows, failing)).dispatchId;
    await set(again, { state: 'succeeded', ended_at: Date.now() });
    await set(waiting, {
      due_at: Date.now() + 900_000,
      reason: 'home: GET /user got no answer',
      troubles: 3,
    });
    const second = await look(config);
    expect(second.found('dispatches-failed')).toBe(undefined);
    expect(second.found('dispatches-wait')).toMatchObject({
      severity: 'broken',
      evidence: expect.stringMatching(/3 attempts, next at .*: home: GET \/user got no answer$/),
      remedy: expect.stringContaining('Mend what the evidence names'),
    });
    expect(second.check('dispatches')).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/^1 dispatch waits/),
    });
  });

  test('a branch that is called like the prefix', async () => {
    git(join(here.folder, 'forge', 'repositories', 'ada', 'greeter.git'), 'branch', 'dev', 'main');
    const { report, found, check } = await look(here.config());
    const remedy = expect.stringContaining('set branch_prefix in agents/dev.md');
    expect(found('branch-name-taken')).toMatchObject({ remedy });
    expect(report.ok).toBe(false);
    expect(check('branch-name')).toMatchObject({ state: 'refused', remedy });
  });

  test('no git', async () => {
    const clone = (remote: Parameters<typeof tryClone>[0], names: readonly string[]) =>
      tryClone(remote, { env: { PATH: here.folder }, names });
    const report = await diagnose(here.config(), { clone });
    const remedy = expect.stringContaining('Install git');
    expect(find(report, 'clone-failed')).toMatchObject({ severity: 'broken', remedy });
    const engine = async () => {
      throw new EngineFailed('none in this test', 'None.');
    };
    const smoke = await runSmoke(here.config(), { ...here.smoke(null as never), clone, engine });
    expect(smoke.checks).toContainEqual(
      expect.objectContaining({ check: 'git-clone', state: 'failed', remedy }),
    );
    expect(existsSync(join(here.folder, 'git'))).toBe(false);
  });

  test('a port that is taken, unless by the service itself', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    const config = here.config({ server: { port } });
    const { found, check } = await look(config);
    const remedy = expect.stringContaining('Choose another server.port');
    expect(found('port-busy')).toMatchObject({
      severity: 'broken',
      evidence: expect.stringContaining('EADDRINUSE'),
      remedy,
    });
    expect(check('port')).toMatchObject({ state: 'failed', remedy });
    const running = await diagnose(config, { service: { url: null, healthUrl: null, running: true } });
    expect(find(running, 'port-busy')).toBe(undefined);
  });

  test('an account that may not read CI, and one to whom only a list is not shown', async () => {
    const hidden = await openRefusingForge(here.forge.url, [
      { call: /\/actions\/(runs|tasks)$/, status: 403 },
    ]);
    const { found, check } = await look(here.config({ home: { url: hidden.url } }));
    const remedy = expect.stringContaining('Let the account read Actions');
    expect(found('ci-hidden')).toMatchObject({
      severity: 'broken',
      subject: 'forge home, ada/greeter, agent dev',
      remedy,
    });
    expect(check('forge-reads')).toMatchObject({
      state: 'refused',
      detail: expect.stringContaining('may not read CI runs'),
      remedy,
    });
    const part = await openRefusingForge(here.forge.url, [{ call: /\/actions\/runs$/, status: 403 }]);
    const partly = await look(here.config({ home: { url: part.url } }));
    expect(partly.found('ci-hidden')).toBe(undefined);
    expect(partly.check('forge-reads')).toMatchObject({ state: 'ok' });
  });
});

describe.skipIf(!tls.ok)(tls.title('red, with the remedy: own authorities'), () => {
  test('one that signed for git alone, or for the API alone, and is not known here', async () => {
    const [known, unknown] = [makeAuthority('Known'), makeAuthority('Unknown')];
    const trusted = `https://localhost:${await known.serve(here.forge.url)}`;
    const other = `https://localhost:${await unknown.serve(here.forge.url)}`;
    const network = { ca_file: known.file };
    const remedy = expect.stringContaining('network.ca_file');
    const ofGit = await look(here.config({ home: { url: trusted, clone_url: other }, network }));
    expect(ofGit.check('forge-token')).toMatchObject({ state: 'ok' });
    expect(ofGit.found('forge-unreachable')).toBe(undefined);
    expect(ofGit.found('clone-failed')).toMatchObject({ severity: 'broken', remedy });
    expect(ofGit.check('git-clone')).toMatchObject({ state: 'failed', remedy });
    const ofApi = await look(here.config({ home: { url: other, clone_url: trusted }, network }));
    expect(ofApi.found('certificate-refused')).toMatchObject({ severity: 'broken', remedy });
    expect(ofApi.found('forge-unreachable')).toMatchObject({ severity: 'broken', remedy });
    expect(ofApi.check('forge-token')).toMatchObject({ state: 'failed', remedy });
    const both = await look(here.config({ home: { url: trusted }, network }));
    expect(both.report.ok).toBe(true);
  });
});
