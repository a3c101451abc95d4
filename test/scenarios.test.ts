/**
 * The scenarios: what people do on a forge, what the model says to it, and what must then be true. Each is a folder in
 * test/scenarios with three files; all of them are run by this one loop, on the real service.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, test } from 'vitest';
import { needs } from './support/requirements.ts';
import { perform, readPlay } from './support/scenario-acts.ts';
import {
  expectForge,
  expectInvariants,
  expectRows,
  expectTurns,
  readExpectation,
} from './support/scenario-expectations.ts';
import { Stage } from './support/service.ts';

const folder = fileURLToPath(new URL('scenarios', import.meta.url));
const here = needs('cli', 'git', 'proc');

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

describe.skipIf(!here.ok)(here.title('scenarios'), () => {
  for (const name of readdirSync(folder).sort()) {
    test(name, { timeout: 90_000 }, async () => {
      const play = readPlay(join(folder, name, 'forge.yaml'));
      const wanted = readExpectation(join(folder, name, 'expected.yaml'));
      stage = await Stage.open({
        model: readFileSync(join(folder, name, 'model.yaml'), 'utf8'),
        config: play.config,
        forge: play.forge,
        files: play.files,
      });
      await stage.start();
      await perform(stage, play.acts);
      await stage.settled();
      await expectRows(stage, wanted);
      expectForge(stage, wanted);
      expectTurns(stage, wanted);
      await expectInvariants(stage);
    });
  }
});
