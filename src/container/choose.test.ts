import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { testFolder } from '../../test/support/contained.ts';
import { dockerFolder, RUN_ARGS, testEngines } from '../../test/support/engines.ts';
import { needs, PODMAN_ARGS } from '../../test/support/requirements.ts';
import { chooseEngine, type EngineChoice, findProgram } from './choose.ts';
import { cliFor, installedCli } from './cli-build.ts';
import { EngineFailed } from './container.ts';

const PATH = process.env.PATH!;
const podman = needs('podman');
const bubblewrap = needs('bubblewrap');

function choice(changes: Partial<EngineChoice> = {}): EngineChoice {
  const environment = { HOME: '/nonexistent', SECRET: 'not for a client' };
  return {
    engine: 'auto',
    image: null,
    programArgs: PODMAN_ARGS,
    runtime: null,
    runArgs: RUN_ARGS,
    path: PATH,
    flock: '/usr/bin/flock',
    environment,
    ...changes,
  };
}

/** A folder for PATH with nothing but these programs of this machine, and scripts. */
function pathWith(programs: string[], scripts: Record<string, string> = {}): string {
  const folder = join(testFolder(), 'bin');
  mkdirSync(folder);
  for (const name of programs) symlinkSync(findProgram(name, PATH)!, join(folder, name));
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

describe('without an engine', () => {
  test('auto fails, says how to get each, and never takes a bare process', async () => {
    const failed = chooseEngine(choice({ path: pathWith([]) }));
    await expect(failed).rejects.toThrow(EngineFailed);
    await expect(failed).rejects.toThrow(
      /docker: .*not installed.*\npodman: .*Install the package podman.*\nbubblewrap: .*bwrap is not installed.*\n.*set container\.engine to process\.$/,
    );
  });

  test('a bare process is there for who asks for it by name, and says what it does not keep', async () => {
    const chosen = await chooseEngine(choice({ engine: 'process', path: pathWith([]) }));
    expect(chosen.engine).toMatchObject({ name: 'process', isolates: false });
    expect(chosen.unheld).toContain('network');
  });

  test('an engine asked for by name is not replaced by another', async () => {
    const failed = chooseEngine(choice({ engine: 'podman', path: pathWith([]) }));
    await expect(failed).rejects.toThrow(/^podman does not work here\. .*Install the package podman/);
  });

  test('an engine that is installed and broken is told in its own words', async () => {
    const path = pathWith([], {
      docker: 'echo "Cannot connect to the daemon" >&2; exit 1',
      bwrap: 'echo "bwrap: No permissions to create new namespace" >&2; exit 1',
    });
    const failed = chooseEngine(choice({ path, image: 'some:1' }));
    await expect(failed).rejects.toThrow(/docker: .*Cannot connect to the daemon.*Start its daemon/);
    await expect(failed).rejects.toThrow(
      /bubblewrap: .*No permissions to create new namespace.*user namespaces/,
    );
  });
});

describe.skipIf(!bubblewrap.ok)(bubblewrap.title('bubblewrap'), () => {
  test('is taken where no image is configured, and the sentence says why not the others', async () => {
    const chosen = await chooseEngine(choice());
    expect(chosen.engine.name).toBe('bubblewrap');
    expect(chosen.why).toMatch(
      /^bubblewrap is the first that works\. not docker: .* not podman: No image is configured/,
    );
    expect(chosen.tried.map(({ name }) => name)).toEqual(['docker', 'podman']);
    expect(chosen.oci).toBeNull();
  });
});

describe.skipIf(!podman.ok)(podman.title('docker and podman'), () => {
  let image: string;
  beforeAll(() => {
    image = testEngines().find(({ name }) => name === 'podman')!.image!;
  });

  test('podman is taken before bubblewrap where its image runs', async () => {
    const chosen = await chooseEngine(choice({ image, path: pathWith(['podman', 'bwrap']) }));
    expect(chosen.engine.name).toBe('podman');
    expect(chosen.oci).toMatchObject({ rootless: null, env: { HOME: '/nonexistent' } });
    expect(chosen.oci!.env).not.toHaveProperty('SECRET');
  });

  test('docker’s command line comes before podman', async () => {
    const chosen = await chooseEngine(choice({ image, path: `${dockerFolder()}:${PATH}` }));
    expect(chosen.engine.name).toBe('docker');
    expect(chosen.why).toBe('docker is the first that works.');
  });

  test('an image that is not here is told with the remedy, and the next engine is tried', async () => {
    const asked = { image: 'localhost/claude-hooks-no-such-image:1', path: pathWith(['podman', 'bwrap']) };
    const chosen = await chooseEngine(choice(asked));
    expect(chosen.engine.name).toBe('bubblewrap');
    expect(chosen.tried[1]).toMatchObject({
      name: 'podman',
      problem: expect.stringContaining('is not on this machine'),
      remedy: expect.stringContaining('podman pull localhost/claude-hooks-no-such-image:1'),
    });
  });

  test('a runtime that is not installed is told with the remedy', async () => {
    const engine = 'podman' as const;
    const failed = chooseEngine(choice({ engine, image, runArgs: [], runtime: 'no-such-runtime' }));
    await expect(failed).rejects.toThrow(
      /no-such-runtime.*Install no-such-runtime, or write its whole path/s,
    );
  });

  test('a container that does not start is told in the engine’s words', async () => {
    const failed = chooseEngine(choice({ engine: 'podman', image, runArgs: ['--no-such-option'] }));
    await expect(failed).rejects.toThrow(/no-such-option.*container\.run_args/s);
  });
});

describe('the CLI for an image', () => {
  test('is this machine’s own build where there is no image', async () => {
    const cli = await cliFor({ oci: null, image: null, executable: null, muslCliPath: null });
    expect(cli).toBe(installedCli('glibc') ?? installedCli('musl'));
  });

  test('that is configured and not there is an error with the remedy', async () => {
    const request = { oci: null, image: null, executable: '/nowhere/cli', muslCliPath: '/nowhere/musl' };
    await expect(cliFor(request)).rejects.toThrow(/There is no CLI at \/nowhere\/.*Correct/);
  });
});
