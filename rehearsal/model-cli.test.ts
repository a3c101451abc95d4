/** The real Claude Code CLI, driven by the real Agent SDK, against the rehearsal model. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Options, query, type SDKResultMessage } from '@anthropic-ai/claude-agent-sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RehearsalModel, startRehearsalModel } from './model.ts';
import { parseModelScript } from './model-script.ts';

let home: string;
let model: RehearsalModel;
beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'rehearsal-cli-')));
  await mkdir(join(home, 'tree'));
});
afterEach(async () => {
  await model.close();
  await rm(home, { recursive: true, force: true });
});

/** The CLI gives this one its notes as reminders in the user's messages, newer models as system turns. */
const OLDER = 'claude-sonnet-4-5';

interface Run {
  session: string;
  retries: (number | null)[];
  result: SDKResultMessage | null;
}

async function run(prompt: string, more: Partial<Options> = {}): Promise<Run> {
  const seen: Run = { session: '', retries: [], result: null };
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    CLAUDE_CONFIG_DIR: join(home, 'config'),
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'sk-ant-rehearsal',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_PROJECT_DIR_NAME: 'tree',
    DISABLE_AUTOUPDATER: '1',
    // Without it the CLI refuses to bypass permissions as root, which is what a CI container runs as.
    IS_SANDBOX: '1',
    ...(model.socketPath === null ? {} : { ANTHROPIC_UNIX_SOCKET: model.socketPath }),
  };
  const options: Options = {
    cwd: join(home, 'tree'),
    env,
    model: 'claude-opus-5-5',
    settingSources: [],
    permissionMode: 'bypassPermissions',
    allowDangerouslySkipPermissions: true,
    ...more,
  };
  for await (const message of query({ prompt, options })) {
    if (message.type === 'system' && message.subtype === 'init') seen.session = message.session_id;
    if (message.type === 'system' && message.subtype === 'api_retry') seen.retries.push(message.error_status);
    if (message.type === 'result') seen.result = message;
  }
  return seen;
}

const REMEMBERING = parseModelScript(
  `
scenes:
  - name: learn
    when: { prompt: remember }
    steps:
      - text: Writing it down.
        faults: [{ error: { status: 529 } }]
        tools: [{ name: Write, input: { file_path: '{{ cwd }}/fact.txt', content: 'the fact is pelican' } }]
      - tools: [{ name: Bash, input: { command: 'cat fact.txt' } }]
      - text: 'Noted: {{ last_tool_result }}'
  - name: recall
    when: { prompt: what, history: pelican }
    recall: { fact: 'the fact is (\\w+)' }
    steps: [{ text: 'It was {{ recall.fact }}.' }]
`,
  'remembering.yaml',
);

test('runs tools, gets over a 529, and shows in a resumed session that the history came along', async () => {
  model = await startRehearsalModel({ script: REMEMBERING });
  const first = await run('please remember');
  expect(first).toMatchObject({
    retries: [529],
    result: { subtype: 'success', result: 'Noted: the fact is pelican' },
  });
  expect(await readFile(join(home, 'tree', 'fact.txt'), 'utf8')).toBe('the fact is pelican');

  const second = await run('what was it?', { resume: first.session });
  expect(second.result).toMatchObject({ is_error: false, result: 'It was pelican.' });
  const turns = model.requests.filter((r) => r.kind === 'turn');
  expect(turns.map((r) => [r.scene, r.step, r.status])).toEqual([
    ['learn', 0, 529],
    ['learn', 0, 200],
    ['learn', 1, 200],
    ['learn', 2, 200],
    ['recall', 0, 200],
  ]);
  expect(turns[0]?.historyMessages).toBe(0);
  expect(turns[4]).toMatchObject({ historyMessages: 6, prompt: 'what was it?' });
  expect(turns[4]?.usage?.cache_read_input_tokens).toBeGreaterThan(1000);
  expect(turns[4]?.headers).toMatchObject({ 'x-claude-code-session-id': first.session });
});

test('serves a CLI without a network over a unix socket, and one killed in mid-stream goes on at the right step', async () => {
  const script = parseModelScript(
    `
scenes:
  - name: cut
    when: { prompt: begin }
    steps:
      - tools: [{ name: Bash, input: { command: 'true' } }]
      - text: An answer that is held in the middle.
        faults: [{ hold: { name: middle } }]
  - name: resumed
    when: { prompt: carry on, history: begin }
    steps:
      - tools: [{ name: Bash, input: { command: '(cd / && echo carried > {{ cwd }}/x && cat {{ cwd }}/x)' } }]
      - text: '{{ last_tool_result }}'
`,
    'cut.yaml',
  );
  model = await startRehearsalModel({ script, socketPath: join(home, 'model.sock') });
  const session = '2b6f0f5e-6a52-4a3b-9e0e-5b1d0f6f7a10';
  let child: ChildProcess | undefined;
  const killed = run('begin', {
    sessionId: session,
    model: OLDER,
    spawnClaudeCodeProcess: ({ command, args, env, cwd }) => {
      const started = spawn(command, args, { env, cwd, stdio: ['pipe', 'pipe', 'ignore'] });
      child = started;
      return started;
    },
  });
  const ended = expect(killed).rejects.toThrow();
  await model.reached('middle');
  // The CLI writes its transcript behind its requests: killed at once, it can leave no session to resume.
  const transcript = join(home, 'config', 'projects', 'tree', `${session}.jsonl`);
  await expect
    .poll(() => readFile(transcript, 'utf8').catch(() => ''), { timeout: 5000 })
    .toContain('tool_result');
  child?.kill('SIGKILL');
  await ended;

  const resumed = await run('carry on', { resume: session, model: OLDER });
  expect(resumed.result).toMatchObject({ is_error: false, result: 'carried' });
  expect(model.requests.filter((r) => r.kind === 'turn').map((r) => [r.scene, r.step, r.completed])).toEqual([
    ['cut', 0, true],
    ['cut', 1, false],
    ['resumed', 0, true],
    ['resumed', 1, true],
  ]);
});
