/** The real CLI, through the gateway, at the rehearsal model. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Options } from '@anthropic-ai/claude-agent-sdk';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type RehearsalModel, startRehearsalModel } from '../rehearsal/model.ts';
import { parseModelScript } from '../rehearsal/model-script.ts';
import { PLACEHOLDER, runAtSocket } from '../test/support/cli-at-socket.ts';
import { type GatewayForTest, gatewayForTest, REAL_KEY, temporaryFolder } from '../test/support/gateway.ts';
import { needs } from '../test/support/requirements.ts';
import { usageOf } from './gateway/ledger.ts';

const cli = needs('cli');

async function stage(script: string): Promise<{ home: string; model: RehearsalModel; at: GatewayForTest }> {
  const model = await startRehearsalModel({ script: parseModelScript(script, 'script.yaml') });
  onTestFinished(() => model.close());
  const home = await temporaryFolder('gw-home-');
  return { home, model, at: await gatewayForTest({ baseUrl: model.url }) };
}

const REMEMBERING = `
scenes:
  - name: learn
    when: { prompt: remember }
    steps:
      - text: Writing it down.
        tools: [{ name: Write, input: { file_path: '{{ cwd }}/fact.txt', content: 'the fact is pelican' } }]
      - tools: [{ name: Bash, input: { command: 'cat fact.txt; echo; env' } }]
      - text: 'Noted: {{ last_tool_result }}'
  - name: recall
    when: { prompt: what, history: pelican }
    recall: { fact: 'the fact is (\\w+)' }
    steps: [{ text: 'It was {{ recall.fact }}.' }]
`;

/** Asks on and on; every step is one request. */
const LONG = `
scenes:
  - name: long
    steps:
      - tools: [{ name: Bash, input: { command: 'true' } }]
      - tools: [{ name: Bash, input: { command: 'true' } }]
      - tools: [{ name: Bash, input: { command: 'true' } }]
      - text: done
`;

describe.skipIf(!cli.ok)(cli.title('the CLI at the gateway'), () => {
  test('runs tools and resumes; the placeholder stays inside, the key outside, and the ledger knows the cost', async () => {
    const { home, model, at } = await stage(REMEMBERING);
    const first = await at.open({ dispatchId: 'first' });
    const ran = await runAtSocket({ home, socket: first.socketPath, prompt: 'please remember' });
    expect(ran.thrown).toBe(null);
    expect(ran.result).toMatchObject({ subtype: 'success', is_error: false });
    expect(await readFile(join(home, 'tree', 'fact.txt'), 'utf8')).toBe('the fact is pelican');
    const report = await first.close();

    const second = await at.open({ dispatchId: 'second' });
    const resumed = await runAtSocket({
      home,
      socket: second.socketPath,
      prompt: 'what was it?',
      options: { resume: ran.session },
    });
    expect(resumed.result).toMatchObject({ is_error: false, result: 'It was pelican.' });
    await second.close();

    const keys = model.requests.map((r) => r.headers['x-api-key']);
    expect(new Set(keys)).toEqual(new Set([`…${REAL_KEY.slice(-4)}`]));
    expect(JSON.stringify(model.requests.map((r) => r.headers))).not.toContain(PLACEHOLDER);
    expect(ran.said).toContain(PLACEHOLDER);
    expect(ran.said + resumed.said).not.toContain(REAL_KEY);

    const billed = model.requests.slice(0, 3).map((r) => r.usage!);
    const sum = (of: (usage: (typeof billed)[number]) => number) => billed.reduce((n, u) => n + of(u), 0);
    expect(report).toMatchObject({
      requests: 3,
      refused: 0,
      inputTokens: sum((u) => u.input_tokens),
      outputTokens: sum((u) => u.output_tokens),
      cacheReadTokens: sum((u) => u.cache_read_input_tokens),
      cacheWriteTokens: sum((u) => u.cache_creation_input_tokens),
      capped: null,
      limit: null,
    });
    expect(report.cacheReadTokens).toBeGreaterThan(1000);
    const cost = ran.result as { total_cost_usd: number };
    expect(report.usd).toBeCloseTo(cost.total_cost_usd, 4);

    const rows = await at.rows();
    expect(rows.map((r) => [r.dispatch_id, r.model, r.status, r.outcome])).toEqual([
      ['first', 'claude-opus-5-5', 200, 'answered'],
      ['first', 'claude-opus-5-5', 200, 'answered'],
      ['first', 'claude-opus-5-5', 200, 'answered'],
      ['second', 'claude-opus-5-5', 200, 'answered'],
    ]);
    expect(rows.every((r) => r.first_byte_ms !== null && r.total_ms! >= r.first_byte_ms)).toBe(true);
    const used = await usageOf(at.database.rows, { dispatchId: 'first' });
    expect(used).toMatchObject({ requests: 3, outputTokens: report.outputTokens });
    expect(used.microUsd! / 1_000_000).toBeCloseTo(report.usd!, 9);
  });

  test('a cap ends the run at once: nothing more is sent, the CLI does not ask again', async () => {
    const { home, model, at } = await stage(LONG);
    const open = await at.open({ caps: { requests: 2 } });
    const ran = await runAtSocket({ home, socket: open.socketPath, prompt: 'go' });
    expect(ran.retries).toEqual([]);
    expect(ran.result).toMatchObject({ is_error: true, api_error_status: 402 });
    expect(ran.said).toContain('come to its cap (max-requests)');
    expect(model.requests).toHaveLength(2);
    expect(await open.close()).toMatchObject({ requests: 2, refused: 1, capped: 'max-requests' });
    expect((await at.rows()).map((r) => r.outcome)).toEqual(['answered', 'answered', 'capped']);

    const again = await at.open({ caps: { requests: 2 } });
    await runAtSocket({ home, socket: again.socketPath, prompt: 'go on' });
    expect(model.requests).toHaveLength(2);
    expect((await again.close()).capped).toBe('max-requests');
  });

  test.for([
    { caps: { tokens: 1 }, capped: 'max-tokens' },
    { caps: { usd: 0.000_001 }, capped: 'max-usd' },
  ])('$capped stops the run after the answer that reached it', async ({ caps, capped }) => {
    const { home, model, at } = await stage(LONG);
    const open = await at.open({ caps });
    await runAtSocket({ home, socket: open.socketPath, prompt: 'go' });
    expect(model.requests).toHaveLength(1);
    expect(await open.close()).toMatchObject({ requests: 1, capped });
  });

  test('a key that is replaced in mid-run is taken up, unseen by the CLI, with one warning', async () => {
    const { home, model, at } = await stage(`
scenes:
  - name: rotation
    steps:
      - tools: [{ name: Bash, input: { command: 'true' } }]
      - tools: [{ name: Bash, input: { command: 'true' } }]
        faults: [{ error: { status: 401, message: 'invalid x-api-key ${REAL_KEY}' } }]
      - text: done
`);
    at.onRefresh = () => {
      at.upstream = { ...at.upstream, credential: { kind: 'api-key', value: 'sk-ant-new-key-outside-0002' } };
    };
    const open = await at.open();
    const ran = await runAtSocket({ home, socket: open.socketPath, prompt: 'go' });
    expect(ran.retries).toEqual([]);
    expect(ran.result).toMatchObject({ subtype: 'success', is_error: false, result: 'done' });
    expect(model.requests.map((r) => [r.status, r.headers['x-api-key']])).toEqual([
      [200, '…0001'],
      [401, '…0001'],
      [200, '…0002'],
      [200, '…0002'],
    ]);
    expect(at.warnings).toHaveLength(1);
    expect(at.warnings[0]).toContain('has been replaced');
    expect(await open.close()).toMatchObject({ requests: 3, limit: null });
    expect((await at.rows()).map((r) => r.status)).toEqual([200, 200, 200]);
  });

  test('a key that stays refused is a limit, and no error shows it', async () => {
    const { home, at } = await stage(`
fallback: { text: no, faults: [{ error: { status: 401, message: 'bad key: ${REAL_KEY}' }, times: always }] }
`);
    const open = await at.open();
    const ran = await runAtSocket({ home, socket: open.socketPath, prompt: 'go' });
    expect(ran.result).toMatchObject({ is_error: true, api_error_status: 401 });
    expect(ran.said).toContain('bad key: [removed]');
    expect(ran.said).not.toContain(REAL_KEY);
    expect(at.refreshes).toBeGreaterThan(0);
    const { limit } = await open.close();
    expect(limit).toMatchObject({
      status: 401,
      until: null,
      why: 'authentication_error: bad key: [removed]',
    });
  });

  test('a usage limit is reported with its reset time, and a later success lifts it', async () => {
    const reset = Math.floor(Date.now() / 1000) + 3600;
    const { home, at } = await stage(`
fallback:
  text: back
  faults:
    - error:
        status: 429
        message: usage limit
        headers: { anthropic-ratelimit-unified-status: rejected, anthropic-ratelimit-unified-reset: '${reset}', x-should-retry: 'false' }
`);
    const open = await at.open();
    const ran = await runAtSocket({ home, socket: open.socketPath, prompt: 'go' });
    expect(ran.result).toMatchObject({ is_error: true, api_error_status: 429 });
    expect(open.report().limit).toMatchObject({ status: 429, until: reset * 1000, retryMs: 0 });
    expect((await runAtSocket({ home, socket: open.socketPath, prompt: 'go' })).result).toMatchObject({
      is_error: false,
    });
    expect((await open.close()).limit).toBe(null);
  });

  test('a stream that upstream cuts is a cut for the CLI, too: it asks again and gets all of it', async () => {
    const { home, model, at } = await stage(`
fallback:
  text: The whole answer.
  faults: [{ disconnect: { after: half } }]
`);
    const open = await at.open();
    const ran = await runAtSocket({ home, socket: open.socketPath, prompt: 'go' });
    expect(ran.result).toMatchObject({ is_error: false, result: 'The whole answer.' });
    expect(model.requests.map((r) => r.completed)).toEqual([false, true]);
    await open.close();
    expect((await at.rows()).map((r) => r.outcome)).toEqual(['failed', 'answered']);
  });

  test('a run that is ended in mid-answer ends its request upstream', async () => {
    const { home, model, at } = await stage(`
fallback: { text: An answer that is held in the middle., faults: [{ hold: { name: middle } }] }
`);
    const open = await at.open();
    const abort = new AbortController();
    const begun = Promise.withResolvers<void>();
    const running = runAtSocket({
      home,
      socket: open.socketPath,
      prompt: 'go',
      options: { abortController: abort, includePartialMessages: true },
      heard: (message) => {
        if (message.type === 'stream_event' && message.event.type === 'content_block_delta') begun.resolve();
      },
    });
    await begun.promise;
    const report = await open.close();
    abort.abort();
    await running;
    expect(report.requests).toBe(1);
    const [row] = await at.rows();
    expect(row).toMatchObject({ outcome: 'cut', status: 200 });
    expect(row!.output_tokens).toBeGreaterThan(0);
    expect(model.requests[0]!.completed).toBe(false);
  });

  test('what the settings of a repository put into the requests of its CLI is refused in our words', async () => {
    const { home, model, at } = await stage('{ fallback: { text: Hello. } }');
    const body = JSON.stringify({
      mcp_servers: [{ type: 'url', url: 'https://outside.example', name: 'x' }],
    });
    await mkdir(join(home, 'tree', '.claude'), { recursive: true });
    await writeFile(
      join(home, 'tree', '.claude', 'settings.json'),
      JSON.stringify({ env: { CLAUDE_CODE_EXTRA_BODY: body } }),
    );
    const open = await at.open();
    const options: Partial<Options> = { settingSources: ['project'] };
    const ran = await runAtSocket({ home, socket: open.socketPath, prompt: 'go', options });
    expect(ran.result).toMatchObject({ is_error: true, api_error_status: 422 });
    expect(ran.said).toContain('mcp_servers is not on the list of what passes to the model. Leave it out');
    expect(model.requests).toEqual([]);
    expect((await open.close()).requests).toBe(0);
  });

  test('a beta that is not on the list is left out by the CLI when it is told so, and the run goes on', async () => {
    const { home, model, at } = await stage('{ fallback: { text: Hello. } }');
    const open = await at.open();
    const env = { ANTHROPIC_BETAS: 'files-api-2025-04-14' };
    const ran = await runAtSocket({ home, socket: open.socketPath, prompt: 'go', env });
    expect(JSON.stringify(model.requests.map((r) => r.headers))).not.toContain('files-api');
    expect(ran.result).toMatchObject({ is_error: false, result: 'Hello.' });
    expect(await open.close()).toMatchObject({ requests: 1, refused: 1 });
  });
});
