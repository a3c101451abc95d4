/**
 * Rotation drill: the model's key, and then the forge's token, are replaced while a run is in a tool call, and the old
 * ones are refused from that moment. The files are links into another folder, as secret managers make them: nothing
 * tells the service but the refusal.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testEngines } from './support/engines.ts';
import { needs, titleOf } from './support/requirements.ts';
import { Stage } from './support/service.ts';
import { DEV, OWNER, REPOSITORY, type StageOptions, tokenOf, usualConfig } from './support/service-config.ts';

const NEW_KEY = 'sk-ant-stage-rotated-key-0002';
const NEW_TOKEN = 'dev-bot-rotated-token-0002';

const wait = (name: string) => ({
  name: 'Bash',
  input: {
    command: `touch held-${name}; while [ ! -e go-${name} ]; do sleep 0.05; done; rm held-${name} go-${name}; echo went on`,
    description: `Wait for ${name}`,
  },
});
const SCRIPT = {
  scenes: [
    {
      name: 'drill',
      when: { prompt: 'assigned this to you' },
      steps: [
        { tools: [wait('model')] },
        { tools: [wait('forge')] },
        { tools: [{ name: 'mcp__forge__read_item', input: { number: 1 } }] },
        { tools: [{ name: 'mcp__forge__comment', input: { number: 1, text: 'With the new token.' } }] },
        {
          tools: [
            {
              name: 'Bash',
              input: {
                command:
                  'echo new >rotated.txt && git add rotated.txt && git commit -q -m "Rotated" && git push origin HEAD 2>&1; echo "push: $?"',
                description: 'Push',
              },
            },
          ],
        },
        // Not pushed by the agent: the last publish has something to do.
        {
          tools: [
            {
              name: 'Bash',
              input: {
                command: 'echo later >>rotated.txt && git commit -q -a -m "Later"',
                description: 'Commit',
              },
            },
          ],
        },
        { text: 'Rotated. {{ recall.push }}' },
      ],
      recall: { push: '(push: \\d+)' },
    },
  ],
};

const tests = testEngines().filter(({ name }) => name === 'bubblewrap' || name === 'process');

for (const { name, need } of tests) {
  const reason = [need.reason, needs('cli', 'git').reason].filter((r) => r !== '').join('; ');
  const title = `credentials replaced in mid-run, in ${name}: the run ends well, with one warning each`;
  test.skipIf(reason !== '')(titleOf(title, reason), () => drill(name));
}

async function drill(engine: string): Promise<void> {
  const options: StageOptions = { model: JSON.stringify(SCRIPT) };
  const stage = await Stage.open({ ...options, configText: (at) => configOf(options, at, engine) });
  try {
    putSecrets(stage);
    stage.model.accept('sk-ant-stage-model-key');
    await stage.start();
    await stage.forge
      .as(OWNER)
      .createIssue(REPOSITORY, { title: 'Rotate', body: 'Work while it happens.', assignees: [DEV] });

    const checkout = await held(stage, 'model');
    stage.write({ 'vault/model': `${NEW_KEY}\n` });
    stage.model.accept(NEW_KEY);
    writeFileSync(join(checkout, 'go-model'), '');

    await held(stage, 'forge');
    stage.write({ 'vault/forge': `${NEW_TOKEN}\n` });
    stage.forge.replaceToken(DEV, NEW_TOKEN);
    writeFileSync(join(checkout, 'go-forge'), '');

    const dispatch = await stage.untilDispatch(1, 'succeeded');
    await stage.settled();
    expect(dispatch.reason).toBeNull();
    await expectDone(stage);
  } finally {
    await stage.close();
  }
}

function configOf(options: StageOptions, at: { forge: string; model: string }, engine: string) {
  return usualConfig(
    {
      ...options,
      config: {
        model: { upstream: at.model, api_key_file: './secrets/model' },
        container: { engine },
      },
      forge: {
        accounts: {
          dev: { login: DEV, token_file: './secrets/forge' },
          reviewer: { login: 'review-bot', token: '${REVIEWER_TOKEN}' },
        },
      },
    },
    at,
  );
}

function putSecrets(stage: Stage): void {
  stage.write({ 'vault/model': 'sk-ant-stage-model-key\n', 'vault/forge': `${tokenOf(DEV)}\n` });
  mkdirSync(join(stage.folder, 'secrets'));
  for (const name of ['model', 'forge']) {
    symlinkSync(join(stage.folder, 'vault', name), join(stage.folder, 'secrets', name));
  }
}

/** The checkout, as soon as the run waits there. */
async function held(stage: Stage, name: string): Promise<string> {
  const checkouts = join(stage.state, 'work', 'checkouts');
  return await stage.until(`the run waits for ${name}`, () => {
    const conversations = existsSync(checkouts) ? readdirSync(checkouts) : [];
    const folders = conversations.map((id) => join(checkouts, id, 'greeter'));
    return folders.find((folder) => existsSync(join(folder, `held-${name}`)));
  });
}

async function expectDone(stage: Stage): Promise<void> {
  const warnings = stage.logged.filter((line) => line.includes(' WARN '));
  const about = warnings.filter((line) => !line.includes('container.engine is "process"'));
  expect(about).toHaveLength(2);
  expect(about.filter((line) => line.includes('credential of the model'))).toHaveLength(1);
  expect(about.filter((line) => /token/i.test(line))).toHaveLength(1);
  expect(stage.logged.filter((line) => line.includes(' ERROR '))).toEqual([]);
  expect(await stage.rows.selectFrom('holds').selectAll().execute()).toEqual([]);

  const refused = stage.model.requests.filter((r) => r.status === 401);
  expect(refused).toHaveLength(1);
  expect(stage.turns.at(-1)!.headers['x-api-key']).toBe('…0002');
  const said = stage.forge.state.comments.map((c) => c.body);
  expect(said.filter((body) => body.includes('With the new token.'))).toHaveLength(1);
  expect(said.filter((body) => body.includes('Rotated. push: 0'))).toHaveLength(1);
  const log = execFileSync('git', ['log', '--format=%s', 'dev/1'], {
    cwd: stage.repositoryFolder(REPOSITORY),
    encoding: 'utf8',
  });
  expect(log.split('\n').slice(0, 2)).toEqual(['Later', 'Rotated']);
  for (const secret of [NEW_KEY, NEW_TOKEN, tokenOf(DEV), 'sk-ant-stage-model-key']) {
    expect(stage.logged.join('')).not.toContain(secret);
  }
}
