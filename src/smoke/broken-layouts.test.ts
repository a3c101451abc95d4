/** Each layout is broken on purpose in the real engine; the check must turn red and name the cause and the mount. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testEngines } from '../../test/support/engines.ts';
import { needs } from '../../test/support/requirements.ts';
import { type Installation, openInstallation } from '../../test/support/smoke-config.ts';
import type { ContainerEngine, ContainerSpec, Mount, SpawnSpec } from '../container/container.ts';
import { runSmoke } from '../smoke.ts';
import { renderSmoke, type SmokeReport } from './report.ts';

const bubblewrap = testEngines().find((e) => e.name === 'bubblewrap')!;
const tools = needs('cli', 'git');
const ready = tools.ok ? bubblewrap.need : tools;

let here: Installation;
let elsewhere: string;
beforeEach(async () => {
  here = await openInstallation();
  elsewhere = mkdtempSync(join(tmpdir(), 'claude-hooks-elsewhere-'));
});
afterEach(async () => {
  await here.close();
  rmSync(elsewhere, { recursive: true, force: true });
});

/** The real engine, given something else than the layout says. */
function broken(change: {
  mounts?: (mounts: Mount[]) => Mount[];
  spec?: Partial<ContainerSpec>;
  env?: Record<string, string>;
}): ContainerEngine {
  const { engine } = bubblewrap;
  return {
    ...engine,
    start: async (spec) => {
      const mounts = change.mounts?.(spec.mounts) ?? spec.mounts;
      const container = await engine.start({ ...spec, ...change.spec, mounts });
      return {
        stop: () => container.stop(),
        spawn: (s: SpawnSpec) => container.spawn({ ...s, env: { ...s.env, ...change.env } }),
      };
    },
  };
}

/** The CLI folder is the one mount that stands at its own path and may be written. */
const isCliFolder = (m: Mount) => m.source === m.target && m.access === 'write';

const CASES: Record<
  string,
  { engine: () => ContainerEngine; reason: string; says: RegExp; forgets: boolean }
> = {
  'the CLI folder is mounted read-only': {
    engine: () =>
      broken({ mounts: (all) => all.map((m) => (isCliFolder(m) ? { ...m, access: 'read' as const } : m)) }),
    reason: 'config-read-only',
    says: /read-only inside the container: mount .*\/cli at .*; inside, .*\/cli is mounted ro/,
    forgets: true,
  },
  'only `projects` is read-only': {
    engine: () =>
      broken({
        mounts: (all) =>
          all.flatMap((m) =>
            isCliFolder(m)
              ? [
                  m,
                  { source: `${m.source}/projects`, target: `${m.target}/projects`, access: 'read' as const },
                ]
              : [m],
          ),
      }),
    reason: 'config-read-only',
    says: /inside, .*\/cli\/projects is mounted ro/,
    forgets: true,
  },
  'the CLI folder is not mounted': {
    engine: () => broken({ mounts: (all) => all.filter((m) => !isCliFolder(m)) }),
    reason: 'cli-folder-missing',
    says: /not there inside the container: mount .*\/cli at/,
    forgets: true,
  },
  'the CLI folder is mounted at another path': {
    engine: () =>
      broken({ mounts: (all) => all.map((m) => (isCliFolder(m) ? { ...m, target: '/state/cli' } : m)) }),
    reason: 'cli-folder-missing',
    says: /not there inside the container/,
    forgets: true,
  },
  'a copy stands in for the volume': {
    engine: () =>
      broken({
        mounts: (all) =>
          all.map((m) => {
            if (!isCliFolder(m)) return m;
            cpSync(m.source, elsewhere, { recursive: true });
            return { ...m, source: elsewhere };
          }),
      }),
    reason: 'volume-missing',
    says: /is not on this machine: mount .*; inside, .*\/cli is mounted rw/,
    forgets: true,
  },
  'CLAUDE_CODE_SKIP_PROMPT_HISTORY leaks in': {
    engine: () => broken({ env: { CLAUDE_CODE_SKIP_PROMPT_HISTORY: '1' } }),
    reason: 'history-disabled',
    says: /CLAUDE_CODE_SKIP_PROMPT_HISTORY is set/,
    forgets: true,
  },
};

describe.skipIf(!ready.ok)(ready.title('broken layouts'), () => {
  for (const [name, { engine, reason, says, forgets }] of Object.entries(CASES)) {
    test(name, async () => {
      const config = here.config({ container: { engine: 'bubblewrap' } });
      const report = await runSmoke(config, here.smoke(engine()));
      const words = renderSmoke(report);
      expect(report.ok, words).toBe(false);
      const layout = find(report, 'layout');
      expect(layout, words).toMatchObject({
        state: 'failed',
        detail: expect.stringContaining(`${reason}: `),
      });
      expect(layout.detail).toMatch(says);
      expect(layout.remedy).not.toBe('');
      if (!forgets) return;
      expect(find(report, 'transcript'), words).toMatchObject({ state: 'failed' });
      expect(find(report, 'resume'), words).toMatchObject({ state: 'failed' });
      expect(find(report, 'resume').detail).toContain(reason);
    }, 90_000);
  }

  test('what the last check has left is gone: the next one says so, and the one after it is well again', async () => {
    const config = here.config({ container: { engine: 'bubblewrap' } });
    await runSmoke(config, here.smoke(bubblewrap.engine));
    const conversations = join(config.state, 'conversations');
    for (const id of readdirSync(conversations)) rmSync(join(conversations, id), { recursive: true });
    const next = await runSmoke(config, here.smoke(bubblewrap.engine));
    expect(find(next, 'earlier-session'), renderSmoke(next)).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/^transcript-missing: .*began rebuilt/),
    });
    expect(find(next, 'resume').state).toBe('ok');
    const after = await runSmoke(config, here.smoke(bubblewrap.engine));
    expect(after.ok, renderSmoke(after)).toBe(true);
  }, 120_000);
});

function find(report: SmokeReport, check: string) {
  return report.checks.find((c) => c.check === check)!;
}

const podman = testEngines().find((e) => e.name === 'podman')!;
const inPodman = tools.ok ? podman.need : tools;
describe.skipIf(!inPodman.ok)(inPodman.title('another user'), () => {
  test('the container runs as a user who may not write what the service has made', async () => {
    const config = here.config({
      container: { engine: 'podman', image: podman.image, user: '4242:4242' },
    });
    const report = await runSmoke(config, here.smoke(podman.engine, { oci: podman.oci }));
    expect(find(report, 'layout'), renderSmoke(report)).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/^config-not-writable: uid 4242 may not write .* belongs to uid \d+/),
    });
    expect(report.ok).toBe(false);
  }, 90_000);
});
