import { chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseModelScript } from '../../rehearsal/model-script.ts';
import { isShownByPodman, testEngines } from '../../test/support/engines.ts';
import { needs } from '../../test/support/requirements.ts';
import { type Installation, openInstallation } from '../../test/support/smoke-config.ts';
import { renderSmoke } from '../cli/print/checks.ts';
import { EngineFailed } from '../container/container.ts';
import { lockState } from '../state-lock.ts';
import { runSmoke } from './smoke.ts';
import type { SmokeReport } from './smoke-report.ts';

const tools = needs('cli', 'git', 'flock');

let here: Installation;
beforeEach(async () => {
  here = await openInstallation();
});
afterEach(() => here.close());

const states = (report: SmokeReport) =>
  Object.fromEntries(report.checks.map((c) => [c.check, c.state] as const));

for (const { name, need, engine, image, oci } of testEngines().filter((one) => !isShownByPodman(one))) {
  const ready = tools.ok ? need : tools;
  describe.skipIf(!ready.ok)(ready.title(`smoke in ${name}`), () => {
    test('all is well, and the second check resumes what the first has left', async () => {
      const config = here.config({ container: { engine: name, ...(image === null ? {} : { image }) } });
      const first = await runSmoke(config, here.smoke(engine, { oci }));
      expect(first.ok, renderSmoke(first)).toBe(true);
      expect(states(first)).toEqual({
        'model-credential': 'ok',
        'webhook-secret': 'ok',
        'forge-token': 'ok',
        'forge-reads': 'ok',
        'git-clone': 'ok',
        layout: 'ok',
        'earlier-session': 'skipped',
        shell: 'ok',
        transcript: 'ok',
        resume: 'ok',
        push: 'ok',
      });
      const second = await runSmoke(config, here.smoke(engine, { oci }));
      expect(states(second), renderSmoke(second)).toMatchObject({ 'earlier-session': 'ok', resume: 'ok' });
      // One conversation waits for the next check; nothing piles up.
      expect(readdirSync(join(config.state, 'conversations'))).toHaveLength(1);
    });
  });
}

const { need, engine } = testEngines().find((e) => e.name === 'process')!;
const bare = tools.ok ? need : tools;
describe.skipIf(!bare.ok)(bare.title('smoke --live'), () => {
  test('one real call per agent goes to the configured upstream with its credential', async () => {
    const report = await runSmoke(here.config(), here.smoke(engine, { live: true }));
    expect(report.ok, renderSmoke(report)).toBe(true);
    expect(report.checks.at(-1)).toMatchObject({ agent: 'dev', check: 'live', state: 'ok' });
    const turns = here.upstream.requests.filter((r) => r.kind === 'turn');
    expect(turns).toHaveLength(1);
    expect(turns[0]?.headers['x-api-key']).toBe('…-key');
  });

  test('a refused credential is told as such', async () => {
    here.upstream.use(
      parseModelScript(
        '{ fallback: { text: no, faults: [{ error: { status: 401 }, times: always }] } }',
        'the upstream of the test',
      ),
    );
    const report = await runSmoke(here.config(), here.smoke(engine, { live: true }));
    expect(report.checks.at(-1), renderSmoke(report)).toMatchObject({ check: 'live', state: 'refused' });
    expect(report.ok).toBe(false);
  });

  test('no engine: the credentials are checked all the same', async () => {
    const none = async () => {
      throw new EngineFailed('No container engine works here.', 'Install one.');
    };
    const report = await runSmoke(here.config(), here.smoke(engine, { engine: none }));
    expect(states(report)).toMatchObject({ 'forge-token': 'ok', engine: 'missing' });
    expect(report).toMatchObject({ ok: false, engine: null });
  });

  test('two at once would share a mirror: the second says so', async () => {
    const config = here.config();
    const lock = lockState(join(config.state, 'smoke'));
    const report = await runSmoke(config, here.smoke(engine));
    lock.release();
    expect(states(report)).toMatchObject({ 'forge-token': 'ok', run: 'failed' });
  });

  test.skipIf(process.getuid?.() !== 0)(
    'another user than the service’s makes nothing in its folder',
    async () => {
      const config = here.config();
      mkdirSync(config.state);
      writeFileSync(join(config.state, 'instance'), 'one');
      chownSync(join(config.state, 'instance'), 4242, 4242);
      const report = await runSmoke(config, here.smoke(engine));
      expect(states(report)).toMatchObject({ 'forge-token': 'ok', run: 'failed' });
      expect(report.checks.at(-1)?.remedy).toContain('4242');
      expect(readdirSync(config.state)).toEqual(['instance']);
    },
  );
});
