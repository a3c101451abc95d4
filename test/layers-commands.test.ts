/** `claude-hooks layers` on real layers: what an operator sees of them, has removed, and has tried again. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { call } from './support/cli.ts';
import { ConfigFolder, SMALL_CONFIG } from './support/config-folder.ts';
import type { TestDatabase } from './support/databases.ts';
import { testEngines } from './support/engines.ts';
import { LayersStage } from './support/layers-stage.ts';

const bubblewrap = testEngines().find(({ name }) => name === 'bubblewrap')!;
const GOOD = { commands: ['mkdir node_modules; echo good > node_modules/word'] };
const BAD = { commands: ['echo no package here >&2; exit 7'] };
const DAY_MS = 86_400_000;

test.skipIf(!bubblewrap.need.ok)(
  bubblewrap.need.title('list, retry and remove; what nobody has used for long goes by itself'),
  async () => {
    const stage = await LayersStage.open(bubblewrap);
    const { url } = stage.database as TestDatabase;
    using config = new ConfigFolder({ 'claude-hooks.yaml': `${SMALL_CONFIG}database: { url: "${url}" }\n` });
    const layers = async (...args: string[]) =>
      await call(['-c', config.file, 'layers', ...args], { env: config.env });
    const ready = () => {
      const folder = join(stage.folder, 'layers/ready');
      return existsSync(folder) ? readdirSync(folder) : [];
    };
    const used = async (setup: { commands: string[] }) => {
      const run = await stage.run({ setup });
      run.ready.release();
      return run.ready.said!;
    };
    expect((await layers('list')).out).toContain('There is no layer');
    const good = (await used(GOOD)).key!;
    const bad = (await used(BAD)).key!;
    const listed = (await layers('list')).out;
    expect(listed).toMatch(
      new RegExp(`layer ${good.slice(0, 12)}: ready\\n +for +home:team/app, in bubblewrap`),
    );
    expect(listed).toMatch(new RegExp(`layer ${bad.slice(0, 12)}: failed: .*exit code 7`));
    expect(listed).toMatch(/log +\$ echo no package here.*\n +no package here/);
    const json = JSON.parse((await layers('list', '--json')).out) as Record<string, unknown>[];
    expect(json.map(({ key, state, failures }) => [key, state, failures]).sort()).toEqual(
      [
        [bad, 'failed', 1],
        [good, 'ready', 0],
      ].sort(),
    );
    // A layer that failed waits before it is built again; only a person shortens that.
    const failures = async () => (await stage.rows()).find(({ key }) => key === bad)!.failures;
    await used(BAD);
    expect(await failures()).toBe(1);
    expect((await layers('retry', bad.slice(0, 8))).out).toContain(`Layer ${bad} is tried again`);
    await used(BAD);
    expect(await failures()).toBe(2);
    expect(await layers('retry', 'ffffffff')).toMatchObject({
      code: 1,
      err: expect.stringContaining('`claude-hooks layers list` shows them'),
    });
    const kept = await stage.run({ setup: GOOD });
    expect((await layers('remove', good.slice(0, 8))).out).toContain('once no run uses it');
    await stage.layers.sweep();
    expect(ready()).toEqual([good]);
    kept.ready.release();
    await stage.layers.sweep();
    expect(ready()).toEqual([]);

    expect(await used(GOOD)).toMatchObject({ outcome: 'built', key: good });
    stage.now += 13 * DAY_MS;
    await stage.layers.sweep();
    expect(ready()).toEqual([good]);
    stage.now += 2 * DAY_MS;
    await stage.layers.sweep();
    expect(ready()).toEqual([]);
    expect(await stage.rows()).toEqual([]);
  },
);
