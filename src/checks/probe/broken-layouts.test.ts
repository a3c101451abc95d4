/** Each layout is broken on purpose in the real engine; the check must turn red and name the cause and the mount. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TestEngine, testEngines } from '../../../test/support/engines.ts';
import { needs } from '../../../test/support/requirements.ts';
import { type Installation, openInstallation } from '../../../test/support/smoke-config.ts';
import { renderSmoke } from '../../cli/print/checks.ts';
import type { ContainerEngine, Mount, SpawnSpec } from '../../container/container.ts';
import { runSmoke } from '../smoke.ts';
import type { SmokeReport } from '../smoke-report.ts';

const engines = testEngines().filter((e) => e.name === 'bubblewrap' || e.name === 'podman');
const bubblewrap = engines.find((e) => e.name === 'bubblewrap')!;
const podman = engines.find((e) => e.name === 'podman')!;
const tools = needs('cli', 'git');
const readyFor = ({ need }: TestEngine) => (tools.ok ? need : tools);

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

interface Change {
  mounts?: (mounts: Mount[]) => Mount[];
  env?: Record<string, string>;
}

/** The real engine, given something else than the layout says. */
function broken({ engine }: TestEngine, change: Change): ContainerEngine {
  return {
    ...engine,
    start: async (spec) => {
      const mounts = change.mounts?.(spec.mounts) ?? spec.mounts;
      const container = await engine.start({ ...spec, mounts });
      return {
        stop: (graceMs) => container.stop(graceMs),
        spawn: (s: SpawnSpec) => container.spawn({ ...s, env: { ...s.env, ...change.env } }),
      };
    },
  };
}

const isCliFolder = (m: Mount) => m.target === '/state/cli';

const CASES: Record<string, { change: () => Change; reason: string; says: RegExp }> = {
  'the CLI folder is mounted read-only': {
    change: () => ({
      mounts: (all) => all.map((m) => (isCliFolder(m) ? { ...m, access: 'read' as const } : m)),
    }),
    reason: 'config-read-only',
    says: /read-only inside the container: mount .*\/cli at .*; inside, .*\/cli is mounted ro/,
  },
  'only `projects` is read-only': {
    change: () => ({
      mounts: (all) =>
        all.flatMap((m) =>
          isCliFolder(m)
            ? [m, { source: `${m.source}/projects`, target: `${m.target}/projects`, access: 'read' as const }]
            : [m],
        ),
    }),
    reason: 'config-read-only',
    says: /inside, .*\/cli\/projects is mounted ro/,
  },
  'the CLI folder is not mounted': {
    change: () => ({ mounts: (all) => all.filter((m) => !isCliFolder(m)) }),
    reason: 'cli-folder-missing',
    says: /not there inside the container: mount .*\/cli at/,
  },
  'the CLI folder is mounted at another path': {
    change: () => ({
      mounts: (all) => all.map((m) => (isCliFolder(m) ? { ...m, target: m.source } : m)),
    }),
    reason: 'cli-folder-missing',
    says: /not there inside the container/,
  },
  'a copy stands in for the volume': {
    change: () => ({
      mounts: (all) =>
        all.map((m) => {
          if (!isCliFolder(m)) return m;
          cpSync(m.source, elsewhere, { recursive: true });
          return { ...m, source: elsewhere };
        }),
    }),
    reason: 'volume-missing',
    says: /is not in .*\/cli on this machine: mount .*; inside, .*\/cli is mounted rw/,
  },
};

/** What a container sees of its mounts is read from inside, the same way in each engine: two cases show that. */
const IN_PODMAN = ['the CLI folder is mounted read-only', 'the CLI folder is not mounted'];

for (const kind of engines) {
  const ready = readyFor(kind);
  const { name, image, oci } = kind;
  describe.skipIf(!ready.ok)(ready.title(`broken layouts in ${name}`), () => {
    for (const [what, { change, reason, says }] of Object.entries(CASES)) {
      if (name === 'podman' && !IN_PODMAN.includes(what)) continue;
      test(what, async () => {
        const config = here.config({ container: { engine: name, ...(image === null ? {} : { image }) } });
        const report = await runSmoke(config, here.smoke(broken(kind, change()), { oci }));
        const words = renderSmoke(report);
        expect(report.ok, words).toBe(false);
        const layout = find(report, 'layout');
        expect(layout, words).toMatchObject({
          state: 'failed',
          detail: expect.stringContaining(`${reason}: `),
        });
        expect(layout.detail).toMatch(says);
        expect(layout.remedy).not.toBe('');
        // And it is no false alarm: the CLI really forgets there.
        expect(find(report, 'transcript'), words).toMatchObject({ state: 'failed' });
        expect(find(report, 'resume'), words).toMatchObject({ state: 'failed' });
        expect(find(report, 'resume').detail).toContain(reason);
      });
    }
  });
}

const ready = readyFor(bubblewrap);
describe.skipIf(!ready.ok)(ready.title('between two checks'), () => {
  test('CLAUDE_CODE_SKIP_PROMPT_HISTORY that leaks in does no harm', async () => {
    const config = here.config({ container: { engine: 'bubblewrap' } });
    const leaking = broken(bubblewrap, { env: { CLAUDE_CODE_SKIP_PROMPT_HISTORY: '1' } });
    const report = await runSmoke(config, here.smoke(leaking));
    expect(report.ok, renderSmoke(report)).toBe(true);
  });

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
  });
});

function find(report: SmokeReport, check: string) {
  return report.checks.find((c) => c.check === check)!;
}

const inPodman = readyFor(podman);
describe.skipIf(!inPodman.ok)(inPodman.title('another user'), () => {
  const config = () =>
    here.config({ container: { engine: 'podman', image: podman.image, user: '4242:4242' } });

  test('a container with a user of its own keeps conversations: what belongs to them is given to it', async () => {
    const report = await runSmoke(config(), here.smoke(podman.engine, { oci: podman.oci }));
    expect(report.ok, renderSmoke(report)).toBe(true);
  });

  test('a user who may not write what the service has made', async () => {
    const giving = podman.engine;
    const notGiving: ContainerEngine = {
      ...giving,
      start: (spec) => giving.start({ ...spec, mounts: spec.mounts.map((m) => ({ ...m, owned: false })) }),
    };
    const report = await runSmoke(config(), here.smoke(notGiving, { oci: podman.oci }));
    expect(find(report, 'layout'), renderSmoke(report)).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/^config-not-writable: uid 4242 may not write .* belongs to uid \d+/),
    });
    expect(report.ok).toBe(false);
  });
});
