/** The tools as the real CLI calls them, over the SDK's own stdio, driven by the rehearsal model. */
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { query } from '@anthropic-ai/claude-agent-sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RehearsalModel, startRehearsalModel } from '../../rehearsal/model.ts';
import { parseModelScript } from '../../rehearsal/model-script.ts';
import { startTrial, type Trial } from '../../rehearsal/pocket-forge-trial.ts';
import { type BrokerStage, brokerStage, clientOf } from '../../test/support/broker.ts';
import { openSqlite } from '../../test/support/databases.ts';
import { needs } from '../../test/support/requirements.ts';
import { forgeServer, mcpNames } from '../agent-runner/forge-server.ts';
import { ForgeUnavailable } from '../errors.ts';
import type { Forge } from '../forges/forge.ts';

const tools = needs('git');
let home: string;
let trial: Trial;
let model: RehearsalModel;
let stage: BrokerStage;

beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'broker-cli-')));
  await mkdir(join(home, 'tree'));
  trial = await startTrial();
  stage = await brokerStage(trial, await openSqlite());
});
afterEach(async () => {
  await model.close();
  await trial.end();
  await rm(home, { recursive: true, force: true });
});

interface Seen {
  /** ids of the calls of forge tools, in the model's order */
  ids: string[];
  results: string[];
  answer: string;
}

async function runCli(script: string, forge: Forge = clientOf(trial, 'bo')): Promise<Seen> {
  model = await startRehearsalModel({ script: parseModelScript(script, 'tools.yaml') });
  const own = stage.tools({}, { forge });
  const seen: Seen = { ids: [], results: [], answer: '' };
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    CLAUDE_CONFIG_DIR: join(home, 'config'),
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'sk-ant-rehearsal',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    IS_SANDBOX: '1',
  };
  const options = {
    cwd: join(home, 'tree'),
    env,
    model: 'claude-opus-5-5',
    settingSources: [],
    permissionMode: 'dontAsk' as const,
    allowedTools: mcpNames(own),
    ...(await forgeServer(own)),
  };
  for await (const message of query({ prompt: 'go', options })) {
    if (message.type === 'assistant') {
      for (const block of message.message.content) if (block.type === 'tool_use') seen.ids.push(block.id);
    }
    if (message.type === 'user' && Array.isArray(message.message.content)) {
      for (const block of message.message.content) {
        if (block.type === 'tool_result') seen.results.push(JSON.stringify(block.content));
      }
    }
    if (message.type === 'result' && message.subtype === 'success') seen.answer = message.result;
  }
  return seen;
}

test.skipIf(!tools.ok)(
  'the model is shown the tools at once, and each call carries its own id to the row',
  async () => {
    const { number } = stage;
    const seen = await runCli(`
scenes:
  - name: work
    steps:
      - tools:
          - { name: mcp__forge__comment, input: { number: ${number}, text: 'Hello @ada.' } }
          - { name: mcp__forge__comment, input: { number: ${number}, text: 'Hello @ada.' } }
          - { name: mcp__forge__comment, input: { number: 9999, text: 'Elsewhere.' } }
          - { name: mcp__forge__read_item, input: { number: ${number} } }
      - text: Done.
`);
    expect(seen.answer).toBe('Done.');
    expect(model.requests[0]?.tools).toEqual(
      expect.arrayContaining(['mcp__forge__comment', 'mcp__forge__merge']),
    );
    expect(trial.forge.state.comments.map((c) => c.body)).toEqual([
      `Hello @\u200dada.\n\n<!-- claude-hooks ${stage.dispatchId}:${seen.ids[0]} -->`,
    ]);
    expect(seen.results).toEqual([
      expect.stringContaining('Posted as comment'),
      expect.stringContaining('did exactly this already'),
      expect.stringContaining('not an item of this conversation'),
      expect.stringContaining('Totals'),
    ]);
    const audit = await stage.audit();
    expect(
      audit.map(({ action, decision, detail }) => [
        action,
        decision,
        (detail as { toolUseId: string }).toolUseId,
      ]),
    ).toEqual([
      ['comment', 'allowed', seen.ids[0]],
      ['comment', 'allowed', seen.ids[1]],
      ['comment', 'denied', seen.ids[2]],
      ['read_item', 'allowed', seen.ids[3]],
    ]);
    // The same call once more, as after a crash between the act and the answer.
    const again = await stage.run().call('comment', { number, text: 'Hello @ada.' }, seen.ids[0]);
    expect(again.text).toContain('Posted as comment');
    expect(trial.forge.state.comments).toHaveLength(1);
  },
);

test.skipIf(!tools.ok)(
  'a comment whose answer was lost is not posted again when the model tries again',
  async () => {
    const forge = clientOf(trial, 'bo');
    let posts = 0;
    const flaky: Forge = {
      ...forge,
      createComment: async (...args) => {
        const comment = await forge.createComment(...args);
        posts += 1;
        if (posts === 1) throw new ForgeUnavailable('The answer was lost.');
        return comment;
      },
    };
    const call = `{ name: mcp__forge__comment, input: { number: ${stage.number}, text: 'Once.' } }`;
    const seen = await runCli(
      `
scenes:
  - name: work
    steps:
      - tools: [${call}]
      - tools: [${call}]
      - text: '{{ last_tool_result }}'
`,
      flaky,
    );
    expect(seen.results[0]).toContain('Try again later');
    expect(seen.answer).toContain('Posted as comment');
    expect(trial.forge.state.comments).toHaveLength(1);
  },
);

test.skipIf(!tools.ok)('reads run at once: each of these waits until the other has begun', async () => {
  const forge = clientOf(trial, 'bo');
  let begun = 0;
  let open = (): void => {};
  const both = new Promise<void>((resolve) => {
    open = resolve;
  });
  const waiting: Forge = {
    ...forge,
    getItem: async (...args) => {
      begun += 1;
      if (begun === 2) open();
      await both;
      return await forge.getItem(...args);
    },
  };
  const call = `{ name: mcp__forge__read_item, input: { number: ${stage.number} } }`;
  const script = `scenes: [{ name: work, steps: [{ tools: [${call}, ${call}] }, { text: Done. }] }]`;
  const seen = await runCli(script, waiting);
  expect(seen.results).toEqual([expect.stringContaining('Totals'), expect.stringContaining('Totals')]);
});
