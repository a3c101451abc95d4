/** An installation that `init` made is used as it is: a real service answers an issue that is assigned to its account. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { startRehearsalModel } from '../rehearsal/model.ts';
import { parseModelScript } from '../rehearsal/model-script.ts';
import { startPocketForge } from '../rehearsal/pocket-forge.ts';
import { startService } from '../src/wiring.ts';
import { call } from './support/cli.ts';
import { freePort } from './support/free-port.ts';
import { patience } from './support/patience.ts';
import { needs } from './support/requirements.ts';
import { OTHER_CLI } from './support/tested-cli.ts';

const REPOSITORY = 'ada/greeter';
const MODEL = `
scenes:
  - name: work
    when: { prompt: assigned this to you }
    steps:
      - text: Nothing is wrong with the greeting.
`;
const here = needs('cli', 'git', 'flock', 'proc');

describe.skipIf(!here.ok)(here.title('what init made'), () => {
  const folder = mkdtempSync(join(tmpdir(), 'init-serve-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('serves: one assigned issue is answered by the account that init made', async () => {
    const users = [
      { login: 'root', token: 'root-token', admin: true },
      { login: 'ada', token: 'ada-token' },
    ];
    await using forge = closing(await startPocketForge({ folder: join(folder, 'forge'), users }));
    await using model = closing(await startRehearsalModel({ script: parseModelScript(MODEL, 'model.yaml') }));
    const port = await freePort();
    await forge.createRepository({ owner: 'ada', name: 'greeter', files: { 'README.md': '# hi\n' } });
    const file = join(folder, 'claude-hooks.yaml');
    writeFileSync(file, ownPart({ port, model: model.url }));
    const env = { PATH: process.env.PATH!, HOME: folder, MODEL_KEY: 'sk-ant-model-key' };
    const address = `http://127.0.0.1:${port}`;
    const set = [
      '--url',
      forge.url,
      '--repositories',
      REPOSITORY,
      '--public-url',
      address,
      '--agents',
      'dev',
    ];
    const made = await call(['init', '-c', file, '--yes', '--json', ...set], {
      env: { ...env, CLAUDE_HOOKS_ADMIN_TOKEN: 'root-token' },
    });
    expect(made.code, made.err).toBe(0);
    // The doctor looked at it; nothing of it is broken.
    expect(JSON.parse(made.out).next.join('\n')).not.toContain('doctor, broken');
    const logged: string[] = [];
    const service = await startService({ file, env, write: (line) => void logged.push(line) });
    try {
      const issue = { title: 'Greeting is broken', body: 'Is it?', assignees: ['dev-bot'] };
      await forge.as('ada').createIssue(REPOSITORY, issue);
      const deadline = Date.now() + patience(60_000);
      const answers = () => forge.state.comments.filter(({ body }) => body.includes('Nothing is wrong with'));
      while (answers().length === 0) {
        if (Date.now() > deadline) throw new Error(`There is no answer. The log:\n${logged.join('')}`);
        await sleep(50);
      }
      const bot = forge.state.users.find(({ login }) => login === 'dev-bot');
      expect(answers().map(({ author }) => author)).toEqual([bot?.id]);
    } finally {
      await service.stop();
    }
    expect(logged.join('')).not.toContain('root-token');
    expect(logged.join('')).not.toContain(
      readFileSync(join(folder, 'secrets/home-dev-token'), 'utf8').trim(),
    );
  });
});

function ownPart({ port, model }: { port: number; model: string }): string {
  return JSON.stringify({
    server: { host: '127.0.0.1', port },
    state: './state',
    model: { upstream: model, api_key: '${MODEL_KEY}' },
    container: { engine: 'process' },
    mailbox: { quiet_seconds: 0 },
    feedback: 'none',
    ...(OTHER_CLI === null ? {} : { worker: { cli_path: OTHER_CLI } }),
  });
}

function closing<T extends { close(): Promise<void> }>(one: T): T & AsyncDisposable {
  return Object.assign(one, { [Symbol.asyncDispose]: () => one.close() });
}
