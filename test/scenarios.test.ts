/**
 * The scenarios: what people do on a forge, what the model says to it, and what must then be true. Each is a folder in
 * test/scenarios with three files; all of them are run by this one loop, on the real service.
 *
 * They are played on both kinds of forge, with agents' accounts that have exactly the README's scopes: only writers,
 * and one of them an administrator. Each scenario runs in one of the four forms, in turn; ON_BOTH_KINDS in two; with
 * SCENARIOS=all each in all four.
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
import type { StageForm } from './support/service-config.ts';

const folder = fileURLToPath(new URL('scenarios', import.meta.url));
const here = needs('cli', 'git', 'flock', 'proc');

const FORMS: readonly StageForm[] = [
  { kind: 'forgejo', account: 'writer' },
  { kind: 'gitea', account: 'administrator' },
  { kind: 'forgejo', account: 'administrator' },
  { kind: 'gitea', account: 'writer' },
];

/**
 * The first meets most kinds of calls: issues, comments, labels, branches, pull requests, reviews, requests for them. The
 * second is told several times on Gitea, and under other names.
 */
const ON_BOTH_KINDS = ['04-review-and-rework', '14-ci-failed'];

const runs = readdirSync(folder)
  .sort()
  .flatMap((name, index) => {
    const usual = ON_BOTH_KINDS.includes(name) ? FORMS.slice(0, 2) : [FORMS[index % FORMS.length]!];
    return (process.env.SCENARIOS === 'all' ? FORMS : usual).map((form) => ({ name, form }));
  });

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.close();
  stage = null;
});

describe.skipIf(!here.ok)(here.title('scenarios'), () => {
  for (const { name, form } of runs) {
    test(`${name} (${form.kind}, ${form.account})`, async () => {
      const play = readPlay(join(folder, name, 'forge.yaml'));
      const wanted = readExpectation(join(folder, name, 'expected.yaml'), form.kind);
      stage = await Stage.open({
        form,
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
