/** Killed with SIGKILL at each boundary of a build: what is used afterwards is whole, and the row says so. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { TestDatabase } from '../../test/support/databases.ts';
import { testEngines } from '../../test/support/engines.ts';
import { LAYER_POINTS, LayersStage } from '../../test/support/layers-stage.ts';

const bubblewrap = testEngines().find(({ name }) => name === 'bubblewrap')!;
const PROCESS = fileURLToPath(new URL('../../test/support/layers-process.ts', import.meta.url));
const ASKED = {
  setup: {
    keep: ['node_modules', 'target'],
    commands: ['mkdir node_modules target; seq 1000 > node_modules/numbers; echo all > target/last'],
  },
};

describe.skipIf(!bubblewrap.need.ok)(bubblewrap.need.title('a build that is killed'), () => {
  test.each(LAYER_POINTS)('at %s', async (point) => {
    const stage = await LayersStage.open(bubblewrap);
    const { url } = stage.database as TestDatabase;
    const args = [PROCESS, stage.folder, url, `kill@${point}`, JSON.stringify(ASKED)];
    const killed = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    expect(await once(killed, 'exit')).toEqual([null, 'SIGKILL']);
    await bubblewrap.engine.reapOrphans('stage');
    const left = existsSync(join(stage.folder, 'layers/ready'))
      ? readdirSync(join(stage.folder, 'layers/ready'))
      : [];
    expect(left).toHaveLength(point === 'layer.committed' ? 1 : 0);
    await stage.layers.recover();
    expect(readdirSync(join(stage.folder, 'layers/building'))).toEqual([]);
    expect(await stage.rows()).toMatchObject([{ state: 'failed', failures: 0 }]);
    const run = await stage.run(ASKED);
    expect(run.ready.said?.outcome).toBe(point === 'layer.committed' ? 'reused' : 'built');
    const { out } = await run.shell('wc -l < node_modules/numbers; cat target/last');
    expect(out).toBe('1000\nall\n');
    expect(await stage.rows()).toMatchObject([{ state: 'ready' }]);
  });
});
