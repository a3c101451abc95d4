import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { type RehearsalModel, startRehearsalModel } from './model.ts';
import { parseModelScript } from './model-script.ts';

const open: RehearsalModel[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.close()));
});

async function start(yaml: string, socketPath?: string): Promise<RehearsalModel> {
  const model = await startRehearsalModel({ script: parseModelScript(yaml, 'test.yaml'), socketPath });
  open.push(model);
  return model;
}

const ask = (prompt: string, more: object = {}) =>
  JSON.stringify({ model: 'm', max_tokens: 100, messages: [{ role: 'user', content: prompt }], ...more });

function post(model: RehearsalModel, body: string, path = '/v1/messages', headers = {}): Promise<Response> {
  return fetch(model.url + path, {
    method: 'POST',
    body,
    headers: { 'x-api-key': 'sk-ant-secret-abcd', ...headers },
  });
}

interface SentEvent {
  type: string;
  delta?: { text?: string; partial_json?: string; stop_reason?: string };
  content_block?: { type: string; id?: string };
  error?: { type: string };
}

function eventsIn(text: string): SentEvent[] {
  return [...text.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)].map(([, name, data]) => {
    const event = JSON.parse(data!) as SentEvent;
    expect(event.type).toBe(name);
    return event;
  });
}

/** The part of the API's JSON answers that these tests look at. */
interface Answer {
  content: { text: string }[];
  error: unknown;
  input_tokens: number;
}

async function json(response: Response): Promise<Answer> {
  return (await response.json()) as Answer;
}

/** What came before the end or the cut, and which of the two it was. */
async function drain(response: Response): Promise<{ text: string; cut: boolean }> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body!) text += decoder.decode(chunk as Uint8Array, { stream: true });
    return { text, cut: false };
  } catch {
    return { text, cut: true };
  }
}

const TWO_CALLS = `
scenes:
  - name: both
    when: { prompt: list }
    steps:
      - text: 'Looking at {{ prompt }}, a sentence — with ünïcode 🎻 — that needs more than one piece.'
        tools:
          - { name: Bash, input: { command: 'ls {{ prompt }}' } }
          - { name: Read, input: { file_path: /a, limit: 5 } }
`;

describe('a reply', () => {
  test('streams as the events of the API, and its pieces make the whole', async () => {
    const model = await start(TWO_CALLS);
    const events = eventsIn(await (await post(model, ask('list me', { stream: true }))).text());
    expect(events.map((e) => e.type).filter((t) => t !== 'content_block_delta')).toEqual([
      ...['message_start', 'ping'],
      ...['content_block_start', 'content_block_stop'],
      ...['content_block_start', 'content_block_stop'],
      ...['content_block_start', 'content_block_stop'],
      ...['message_delta', 'message_stop'],
    ]);
    const text = events.map((e) => e.delta?.text ?? '').join('');
    expect(text).toBe('Looking at list me, a sentence — with ünïcode 🎻 — that needs more than one piece.');
    const json = events.map((e) => e.delta?.partial_json ?? '').join('');
    expect(json).toBe('{"command":"ls list me"}{"file_path":"/a","limit":5}');
    const ids = events.flatMap((e) => e.content_block?.id ?? []);
    expect(ids).toEqual([expect.stringMatching(/^toolu_\w{24}$/), expect.stringMatching(/^toolu_\w{24}$/)]);
    expect(new Set(ids).size).toBe(2);
    expect(events.at(-2)?.delta?.stop_reason).toBe('tool_use');
  });

  test('comes as one JSON object where no stream was asked for, under any path prefix, from a gzipped body', async () => {
    const model = await start(TWO_CALLS);
    const body = gzipSync(ask('hello'));
    const response = await fetch(`${model.url}/anthropic/proxy/v1/messages?beta=true`, {
      method: 'POST',
      body,
      headers: { 'content-encoding': 'gzip' },
    });
    expect(await response.json()).toMatchObject({
      type: 'message',
      content: [{ type: 'text', text: 'Done.' }],
      stop_reason: 'end_turn',
      usage: { output_tokens: 2, cache_read_input_tokens: 0 },
    });
    expect(model.requests[0]).toMatchObject({
      path: '/anthropic/proxy/v1/messages',
      scene: null,
      completed: true,
    });
  });

  test('follows the step that the messages show, and recalls the last match', async () => {
    const model = await start(`
scenes:
  - name: recalling
    when: { prompt: what, history: owl }
    recall: { fact: 'the fact is (\\w+)', none: 'nothing (here)' }
    steps:
      - tools: [{ name: Bash, input: {} }]
      - text: '{{ recall.fact }}|{{ recall.none }}|{{ last_tool_result }}|{{ step }}'
`);
    const messages = [
      { role: 'user', content: 'the fact is cat' },
      { role: 'assistant', content: 'no, the fact is owl' },
      { role: 'user', content: 'what?' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'Bash', input: {} }] },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'out' }] }],
      },
    ];
    const reply = await json(await post(model, ask('', { messages })));
    expect(reply.content[0]?.text).toBe('owl||out|1');
    expect(model.requests[0]).toMatchObject({
      scene: 'recalling',
      step: 1,
      historyMessages: 2,
      prompt: 'what?',
    });
    await post(model, ask('what?'));
    expect(model.requests[1]).toMatchObject({ scene: null, historyMessages: 0 });
  });
});

describe('faults', () => {
  test('come in order, each for its number of requests, and then the reply', async () => {
    const model = await start(`
fallback:
  text: at last
  faults:
    - error: { status: 529 }
      times: 2
    - error: { status: 429, message: 'slow {{ prompt }} down', headers: { retry-after: '3', reset: '{{ now | plus: 60 }}' } }
`);
    const before = Math.floor(Date.now() / 1000);
    const answers = [];
    for (let n = 0; n < 4; n += 1) answers.push(await post(model, ask('me')));
    expect(answers.map((a) => a.status)).toEqual([529, 529, 429, 200]);
    expect(await answers[0]!.json()).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } });
    expect(await answers[2]!.json()).toMatchObject({
      error: { type: 'rate_limit_error', message: 'slow me down' },
    });
    expect(answers[2]!.headers.get('retry-after')).toBe('3');
    expect(Number(answers[2]!.headers.get('reset'))).toBeGreaterThanOrEqual(before + 60);
    expect(model.requests.map((r) => r.answered)).toEqual(['error', 'error', 'error', 'reply']);
    expect(model.requests[0]?.usage).toBeNull();
  });

  test('a prompt can be too long, in the words of the API', async () => {
    const message = 'prompt is too long: 210000 tokens > 200000 maximum';
    const model = await start(
      `fallback: { text: x, faults: [{ error: { status: 400, message: '${message}' } }] }`,
    );
    const response = await post(model, ask('me'));
    expect(response.status).toBe(400);
    expect((await json(response)).error).toEqual({ type: 'invalid_request_error', message });
  });

  const cut = (after: string) =>
    `fallback: { text: 'one two three four five', faults: [{ disconnect: { after: ${after} } }] }`;

  test('a cut before the headers leaves no response', async () => {
    const model = await start(cut('request'));
    await expect(post(model, ask('x', { stream: true }))).rejects.toThrow('fetch failed');
    expect(model.requests[0]).toMatchObject({
      answered: 'disconnect',
      status: 0,
      usage: null,
      completed: false,
    });
  });

  test.each([
    ['headers', undefined, 0],
    ['first_event', 'message_start', 1],
    ['half', 'content_block_delta', 4],
    ['before_stop', 'message_delta', 7],
  ])('a cut after %s comes exactly there', async (after, last, count) => {
    const model = await start(cut(after));
    const { text, cut: wasCut } = await drain(await post(model, ask('x', { stream: true })));
    const events = eventsIn(text);
    expect({ wasCut, last: events.at(-1)?.type, count: events.length }).toEqual({
      wasCut: true,
      last,
      count,
    });
    expect(model.requests[0]).toMatchObject({ answered: 'disconnect', status: 200, completed: false });
    expect((await drain(await post(model, ask('x', { stream: true })))).cut).toBe(false);
  });

  test('an error can come inside the stream', async () => {
    const model = await start(
      'fallback: { text: x, faults: [{ error: { status: 529, after: first_event } }] }',
    );
    const { text } = await drain(await post(model, ask('x', { stream: true })));
    expect(eventsIn(text).map((e) => e.type)).toEqual(['message_start', 'error']);
    expect(eventsIn(text)[1]?.error?.type).toBe('overloaded_error');
  });

  test('a hold keeps the rest of the stream until it is released', async () => {
    const model = await start(
      'fallback: { text: one two three, faults: [{ hold: { name: mid }, times: always }] }',
    );
    const running = post(model, ask('x', { stream: true })).then(drain);
    await model.reached('mid');
    expect(model.requests[0]).toMatchObject({ status: 200, completed: false });
    await fetch(`${model.url}/_rehearsal/release/mid`, { method: 'POST' });
    expect(eventsIn((await running).text).at(-1)?.type).toBe('message_stop');
    expect((await drain(await post(model, ask('x', { stream: true })))).cut).toBe(false);
  });

  test('a client that leaves a stall, and the end of the model, free what waits', async () => {
    const model = await start(
      'fallback: { text: x, faults: [{ stall: { after: headers }, times: always }] }',
    );
    const leaving = new AbortController();
    const left = await fetch(`${model.url}/v1/messages`, {
      method: 'POST',
      body: ask('x'),
      signal: leaving.signal,
    });
    leaving.abort();
    await expect(left.text()).rejects.toThrow();
    const waiting = await post(model, ask('x', { stream: true }));
    await model.close();
    expect((await drain(waiting)).cut).toBe(true);
    expect(model.requests.map((r) => [r.answered, r.completed])).toEqual([
      ['stall', false],
      ['stall', false],
    ]);
  });

  test('a slow reply and a short stall are whole in the end', async () => {
    const model = await start(
      'fallback: { text: hi, faults: [{ slow: { first_ms: 5, chunk_ms: 2 } }, { stall: { after: half, ms: 5 } }] }',
    );
    for (const answered of ['reply', 'stall']) {
      const { text, cut: wasCut } = await drain(await post(model, ask('x', { stream: true })));
      expect([wasCut, eventsIn(text).at(-1)?.type]).toEqual([false, 'message_stop']);
      expect(model.requests.at(-1)?.answered).toBe(answered);
    }
  });
});

describe('the CLI aside', () => {
  test('side requests get the side text, in the form asked for, and use up no fault', async () => {
    const model = await start(
      '{ side: { text: aside }, fallback: { text: main, faults: [{ error: { status: 529 } }] } }',
    );
    const schema = { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] };
    const titled = ask('x', { output_config: { format: { type: 'json_schema', schema } } });
    expect((await json(await post(model, titled))).content[0]?.text).toBe('{"title":"aside"}');
    expect((await json(await post(model, ask('quota', { max_tokens: 1 })))).content[0]?.text).toBe('aside');
    expect(model.requests.map((r) => r.kind)).toEqual(['side', 'side']);
    expect((await post(model, ask('x'))).status).toBe(529);
  });

  test('a compaction gets a summary that keeps the conversation', async () => {
    const model = await start('');
    const messages = [
      { role: 'user', content: 'the fact is owl' },
      { role: 'assistant', content: 'noted' },
      {
        role: 'user',
        content:
          'CRITICAL: Respond with TEXT ONLY.\nYour task is to create a detailed summary of the conversation so far',
      },
    ];
    const reply = await json(await post(model, ask('', { messages, tools: [{ name: 'Bash' }] })));
    expect(reply.content[0]?.text).toBe('<summary>\nok\nthe fact is owl\nnoted\n</summary>');
  });

  test('counts tokens', async () => {
    const model = await start('');
    const body = await json(await post(model, ask('x'.repeat(400)), '/v1/messages/count_tokens'));
    expect(body.input_tokens).toBeGreaterThanOrEqual(100);
    expect(model.requests[0]?.kind).toBe('count_tokens');
  });

  test('refuses as the API does: unknown path, no JSON, a broken conversation', async () => {
    const model = await start('');
    const answers = [
      await post(model, '{}', '/v1/complete'),
      await fetch(`${model.url}/api/hello`, { method: 'HEAD' }),
      await post(model, '{'),
      await post(
        model,
        ask('', { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x' }] }] }),
      ),
    ];
    expect(answers.map((a) => a.status)).toEqual([404, 404, 400, 400]);
    expect(await answers[3]!.json()).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringContaining('unexpected `tool_use_id`') },
      request_id: expect.stringMatching(/^req_/),
    });
    expect(model.requests.map((r) => r.answered)).toEqual(['error', 'error', 'error', 'error']);
  });
});

describe('the records', () => {
  test('are readable from another process, without the credential', async () => {
    const model = await start('');
    await post(model, ask('first'), '/v1/messages', { authorization: 'Bearer sk-ant-oat-wxyz' });
    await post(model, ask('second'));
    const all = await (await fetch(`${model.url}/_rehearsal/requests`)).text();
    expect(all).not.toContain('sk-ant');
    expect(JSON.parse(all).requests[0].headers).toMatchObject({
      'x-api-key': '…abcd',
      authorization: '…wxyz',
    });
    const later = await (await fetch(`${model.url}/_rehearsal/requests?since=1`)).json();
    expect(later).toMatchObject({ total: 2, requests: [{ prompt: 'second', kind: 'turn' }] });
    expect((await fetch(`${model.url}/healthz`)).status).toBe(200);
  });

  test('go on when the script is swapped, and faults begin anew', async () => {
    const model = await start('fallback: { text: old }');
    await post(model, ask('x'));
    const next = parseModelScript(
      'fallback: { text: new, faults: [{ error: { status: 500 } }] }',
      'next.yaml',
    );
    for (let n = 0; n < 2; n += 1) {
      model.use(next);
      expect((await post(model, ask('x'))).status).toBe(500);
      expect((await json(await post(model, ask('x')))).content[0]?.text).toBe('new');
    }
    expect(model.requests).toHaveLength(5);
  });
});

test('listens on a unix socket, replaces a stale one, and removes its own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rehearsal-'));
  try {
    const socketPath = join(folder, 'model.sock');
    const script = parseModelScript('fallback: { text: over the socket }', 'test.yaml');
    for (let n = 0; n < 2; n += 1) {
      const model = await startRehearsalModel({ script, socketPath });
      open.push(model);
      expect([model.url, model.socketPath]).toEqual(['http://localhost', socketPath]);
      // A connection of its own: one that is kept leads to the model before, which is closed.
      const call = { socketPath, path: '/v1/messages', method: 'POST', agent: false };
      const sent = httpRequest(call).end(ask('x'));
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      const body = await text(response);
      expect(body).toContain('over the socket');
      if (n === 1) continue;
      await model.close();
      await expect(rm(socketPath)).rejects.toThrow('ENOENT');
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('listens on both when both are asked for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rehearsal-'));
  const model = await startRehearsalModel({
    script: parseModelScript('', 'test.yaml'),
    port: 0,
    socketPath: join(folder, 'model.sock'),
  });
  open.push(model);
  expect((await fetch(`${model.url}/healthz`)).status).toBe(200);
  await model.close();
  await rm(folder, { recursive: true });
});
