/**
 * Four projects are built and tested in a container without a network, by the real tools through the package door, from
 * registries that this test starts. The real registries: `npm run bench -- builds`.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqlite } from '../support/databases.ts';
import { isShownByPodman, testEngines } from '../support/engines.ts';
import { needs, titleOf } from '../support/requirements.ts';
import { DEMO_COMMANDS, type Demo, makeDemo } from './demo-projects.ts';
import { lockedIn, openStage, registryAt, runBehindDoor } from './door-stage.ts';
import { type Site, startSite } from './registry-site.ts';
import { toolchainsFor } from './toolchains.ts';

const machine = needs('toolchains', 'cli', 'static-shell');

describe.skipIf(!machine.ok)(machine.title('four real builds'), () => {
  let folder: string;
  let site: Site;
  let files: Site;
  let demo: Demo;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'claude-hooks-builds-'));
    [site, files] = await Promise.all([startSite(), startSite()]);
    demo = await makeDemo(folder, { site, files, npm: toolchainsFor('bubblewrap').npm });
  });
  afterAll(async () => {
    await Promise.all([site?.close(), files?.close()]);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  const registries = () => ({
    npm: registryAt(`${site.url}/npm`),
    pypi: registryAt(`${site.url}/pypi`, new URL(files.url).host),
    crates: registryAt(`${site.url}/crates`),
    go: registryAt(`${site.url}/go`),
    maven: registryAt(`${site.url}/maven`),
  });

  for (const engine of testEngines().filter((one) => one.engine.isolates && !isShownByPodman(one))) {
    test.skipIf(!engine.need.ok)(
      titleOf(`in ${engine.name}, with the policy lockfile`, engine.need.reason),
      async () => {
        const own = join(folder, engine.name);
        cpSync(demo.checkout, join(own, 'checkout'), { recursive: true });
        const stage = openStage({ folder: own, database: await openSqlite(), registries: registries() });
        const { mounts, path } = toolchainsFor(engine.name);
        const caches = join(folder, 'go-build');
        mkdirSync(caches, { recursive: true });
        const { code, out, err } = await runBehindDoor({
          engine,
          stage,
          folder: own,
          checkout: join(own, 'checkout'),
          // The standard library of Go is compiled once for all engines.
          mounts: [...mounts, { source: caches, target: '/state/go-build', access: 'write' }],
          path,
          policy: 'lockfile',
          locked: lockedIn(demo.locks),
          commands: DEMO_COMMANDS,
          env: { GOCACHE: '/state/go-build' },
        });
        await stage.packages.close();
        expect(`${out}${err}`).toBe(
          ['node', 'python', 'rust', 'go'].map((name) => `${name} built and tested\n`).join(''),
        );
        expect(code).toBe(0);
        expect(stage.attempts.filter(({ verdict }) => verdict !== 'passed')).toEqual([]);
        const fetched = stage.attempts
          .filter(({ detail }) => detail.kind === 'artefact')
          .map(({ action }) => action);
        expect(fetched.join('\n')).toMatch(
          /npm demo-native-linux[\s\S]*pypi demo-greet[\s\S]*crates demo-(plus|times)[\s\S]*go example\.org\/greet/,
        );
      },
    );
  }

  const bubblewrap = testEngines().find(({ name }) => name === 'bubblewrap')!;
  test.skipIf(!bubblewrap.need.ok)(
    titleOf('pip prints why a file is refused', bubblewrap.need.reason),
    async () => {
      const own = join(folder, 'refused');
      cpSync(demo.checkout, join(own, 'checkout'), { recursive: true });
      const stage = openStage({ folder: own, database: await openSqlite(), registries: registries() });
      const { mounts, path } = toolchainsFor('bubblewrap');
      for (const name of files.files.keys()) files.files.set(name, Buffer.from('something else'));
      const { out, err } = await runBehindDoor({
        ...{ engine: bubblewrap, stage, folder: own, checkout: join(own, 'checkout'), mounts, path },
        ...{ policy: 'lockfile', locked: lockedIn(demo.locks) },
        commands:
          'cd python; python3 -m pip install --target deps --require-hashes -r requirements.txt; echo "ended with $?"',
      });
      await stage.packages.close();
      expect(out).toContain('ended with 1');
      expect(err).toMatch(
        /403 .*claude-hooks: demo-greet 1 is not passed: what the registry serves has another hash/,
      );
    },
  );
});
