import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contextOf } from '../../test/support/doctor.ts';
import { testEngines } from '../../test/support/engines.ts';
import { withoutOverlays } from '../../test/support/layers-stage.ts';
import { needs, PODMAN_ARGS } from '../../test/support/requirements.ts';
import { type Installation, openInstallation } from '../../test/support/smoke-config.ts';
import { chooseEngine } from '../container/choose.ts';
import { cliFor } from '../container/cli-build.ts';
import type { DoctorContext } from './context.ts';
import { checkEngines } from './engines.ts';

const engines = testEngines();
const bubblewrap = engines.find((e) => e.name === 'bubblewrap')!;
const podman = engines.find((e) => e.name === 'podman')!;
const cli = needs('cli');

let here: Installation;
beforeEach(async () => {
  here = await openInstallation();
});
afterEach(() => here.close());

const look = (changes: Partial<DoctorContext>, config: Record<string, unknown> = {}) =>
  checkEngines({ ...contextOf(here.config(config)), ...changes, rows: null });

const inBubblewrap = {
  engine: async () => ({ chosen: { engine: bubblewrap.engine, takesImages: false }, tried: [] }),
};

test('no engine: each is named with what it lacks', async () => {
  const engine = async () => {
    const { engine, tried } = await chooseEngine({
      engine: 'auto',
      image: null,
      programArgs: [],
      runtime: null,
      runArgs: [],
      path: '/nonexistent',
      flock: null,
      environment: {},
    });
    return { chosen: { engine, takesImages: false }, tried };
  };
  const [finding] = await look({ engine });
  expect(finding).toMatchObject({ check: 'engine-missing', severity: 'broken' });
  for (const name of ['docker', 'podman', 'bwrap']) expect(finding?.evidence).toContain(name);
});

test('another CLI than the pinned one', async () => {
  const file = join(here.folder, 'other-cli');
  writeFileSync(file, '#!/bin/sh\necho "9.9.9 (Claude Code)"\n');
  chmodSync(file, 0o755);
  const found = await look({ cli: async () => file }, { worker: { cli_path: file } });
  expect(found).toMatchObject([
    { check: 'cli-version-drift', severity: 'risk', evidence: expect.stringContaining('9.9.9') },
  ]);
});

const inside = cli.ok ? bubblewrap.need : cli;
describe.skipIf(!inside.ok)(inside.title('bubblewrap'), () => {
  test('the CLI starts in it: nothing to say but limits this machine cannot keep', async () => {
    const found = await look(inBubblewrap);
    expect(found.filter((f) => f.severity !== 'note')).toEqual([]);
  });

  const setUp = { container: { setup: { commands: ['true'], keep: ['node_modules'] } } };
  const layerChecks = async (changes: Partial<DoctorContext>, config: Record<string, unknown>) =>
    (await look(changes, config)).filter(({ check }) => /^(layers-copied|set-up-not-run)$/.test(check));

  test('set-up commands: copies are named where no overlay is mounted, and that nothing is run without an engine', async () => {
    const copies = withoutOverlays(bubblewrap).engine;
    const engine = async () => ({ chosen: { engine: copies, takesImages: false }, tried: [] });
    expect(await layerChecks({ engine }, setUp)).toMatchObject([
      {
        check: 'layers-copied',
        severity: 'note',
        evidence: 'No overlay can be mounted here. None is needed.',
      },
    ]);
    expect(await layerChecks({ engine }, {})).toEqual([]);
    expect(await layerChecks({}, setUp)).toMatchObject([{ check: 'set-up-not-run', severity: 'risk' }]);
  });

  test('a program for another C library', async () => {
    const file = join(here.folder, 'musl-program');
    const bytes = readFileSync('/usr/bin/true');
    const at = bytes.indexOf('/ld-linux');
    expect(at).toBeGreaterThan(0);
    // What a musl build asks for; nothing else of it differs before its first instruction.
    bytes.write('/ld-musl0', at);
    writeFileSync(file, bytes);
    chmodSync(file, 0o755);
    const found = await look({ ...inBubblewrap, cli: async () => file });
    expect(found.find((f) => f.check === 'cli-does-not-start')).toMatchObject({
      severity: 'broken',
      evidence: expect.stringContaining('exit code 127'),
      remedy: expect.stringContaining('musl'),
    });
  });
});

describe.skipIf(!podman.need.ok)(podman.need.title('images'), () => {
  test('an image without a shell', async () => {
    const image = `localhost/claude-hooks-no-shell:${process.pid}`;
    const client = ['podman', ...PODMAN_ARGS];
    const run = (args: string[], input?: Buffer) =>
      execFileSync(client[0]!, [...client.slice(1), ...args], { input, stdio: ['pipe', 'ignore', 'pipe'] });
    // An empty tar is two blocks of zeros.
    run(['import', '-', image], Buffer.alloc(1024));
    try {
      const found = await look(
        {
          engine: async () => ({ chosen: { engine: podman.engine, takesImages: true }, tried: [] }),
          cli: (asked) => cliFor({ oci: podman.oci, image: asked, executable: null, muslCliPath: null }),
        },
        { container: { engine: 'podman', image } },
      );
      expect(found.find((f) => f.check === 'image-without-shell')).toMatchObject({
        severity: 'broken',
        subject: `image ${image}`,
        remedy: expect.stringContaining('Choose an image'),
      });
    } finally {
      run(['rmi', '--force', image]);
    }
  });
});
