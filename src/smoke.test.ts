import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testEngines } from '../test/support/engines.ts';
import { needs } from '../test/support/requirements.ts';
import { type Installation, openInstallation } from '../test/support/smoke-config.ts';
import { renderSmoke, type SmokeReport } from './smoke/report.ts';
import { runSmoke } from './smoke.ts';

const tools = needs('cli', 'git', 'flock');

let here: Installation;
beforeEach(async () => {
  here = await openInstallation();
});
afterEach(() => here.close());

const states = (report: SmokeReport) =>
  Object.fromEntries(report.checks.map((c) => [c.check, c.state] as const));

for (const { name, need, engine, image, oci } of testEngines()) {
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
        layout: 'ok',
        'earlier-session': 'skipped',
        shell: 'ok',
        transcript: 'ok',
        resume: 'ok',
        push: 'skipped',
      });
      const second = await runSmoke(config, here.smoke(engine, { oci }));
      expect(states(second), renderSmoke(second)).toMatchObject({ 'earlier-session': 'ok', resume: 'ok' });
      // One conversation waits for the next check; nothing piles up.
      expect(readdirSync(join(config.state, 'conversations'))).toHaveLength(1);
    }, 120_000);
  });
}
