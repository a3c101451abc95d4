/** What a program in a container might ask the model's side to do with our key, over the real socket. */
import { once } from 'node:events';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { gatewayForTest } from '../../test/support/gateway.ts';
import { answerJson, hearAtSocket, messageOf, upstreamForTest } from '../../test/support/upstream.ts';
import { auditOf } from '../audit.ts';

const ADDRESS = 'https://outside.example/collect?word=heron-7';
const QUESTION = { role: 'user', content: 'hello' };
const BASE = { model: 'claude-opus-5-5', max_tokens: 9, messages: [QUESTION] };

const saying = (...content: unknown[]) => ({ ...BASE, messages: [{ role: 'user', content }] });
const withTool = (tool: unknown) => ({ ...BASE, tools: [tool] });
const resultOf = (...content: unknown[]) => ({
  ...BASE,
  messages: [
    QUESTION,
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content }] },
  ],
});
const image = (source: unknown) => ({ type: 'image', source });
const document = (source: unknown) => ({ type: 'document', source });
const byUrl = { type: 'url', url: ADDRESS };
const byFile = { type: 'file', file_id: 'file_1' };

interface Forbidden {
  what: string;
  body?: unknown;
  text?: string | Buffer;
  path?: string;
  headers?: Record<string, string>;
  /** where the refusal says that it is */
  says: string;
}

const custom = { name: 'ask', input_schema: { type: 'object' } };
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

const FORBIDDEN: Forbidden[] = [
  {
    what: 'MCP servers of the model’s side',
    body: { ...BASE, mcp_servers: [{ type: 'url', url: ADDRESS, name: 'x' }] },
    says: 'mcp_servers is not on the list',
  },
  {
    what: 'the web search tool',
    body: withTool({ type: 'web_search_20250305', name: 'web_search' }),
    says: 'tools[0].type is "web_search_20250305"',
  },
  {
    what: 'the web fetch tool',
    body: withTool({ type: 'web_fetch_20250910', name: 'web_fetch' }),
    says: 'tools[0].type is "web_fetch_20250910"',
  },
  {
    what: 'the code execution tool',
    body: withTool({ type: 'code_execution_20250825', name: 'code_execution' }),
    says: 'tools[0].type is "code_execution_20250825"',
  },
  {
    what: 'the advisor tool',
    body: withTool({ type: 'advisor_20260301', name: 'advisor', model: 'claude-opus-5-5' }),
    says: 'tools[0].type',
  },
  {
    what: 'the tools of an MCP server',
    body: withTool({ type: 'mcp_toolset', mcp_server_name: 'x' }),
    says: 'tools[0].type',
  },
  {
    what: 'a tool that code on the model’s side may call',
    body: withTool({ ...custom, allowed_callers: ['code_execution_20260120'] }),
    says: 'tools[0].allowed_callers',
  },
  {
    what: 'a schema that stands elsewhere',
    body: withTool({ ...custom, input_schema: { $ref: ADDRESS } }),
    says: 'tools[0].input_schema.$ref points outside',
  },
  {
    what: 'a tool that its agent does not have',
    body: withTool({ name: 'Workflow', input_schema: { type: 'object' } }),
    says: "This run's agent does not have the tool Workflow",
  },
  {
    what: 'such a tool behind others, in a large request',
    body: {
      ...saying({ type: 'text', text: 'x'.repeat(400_000) }),
      tools: [
        { name: 'Bash', input_schema: {} },
        { name: 'web_search', input_schema: {} },
      ],
    },
    says: "This run's agent does not have the tool web_search",
  },
  {
    what: 'a document by address',
    body: saying(document(byUrl)),
    says: 'messages[0].content[0].source.type is "url"',
  },
  {
    what: 'a picture by address',
    body: saying(image(byUrl)),
    says: 'messages[0].content[0].source.type is "url"',
  },
  {
    what: 'a document by file',
    body: saying(document(byFile)),
    says: 'messages[0].content[0].source.type is "file"',
  },
  {
    what: 'a picture by file',
    body: saying(image(byFile)),
    says: 'messages[0].content[0].source.type is "file"',
  },
  {
    what: 'a picture by address in a document',
    body: saying(document({ type: 'content', content: [image(byUrl)] })),
    says: 'messages[0].content[0].source.type is "content"',
  },
  {
    what: 'a picture by address in a result',
    body: resultOf(image(byUrl)),
    says: 'messages[2].content[0].content[0].source.type is "url"',
  },
  {
    what: 'an address beside the picture',
    body: saying(image({ type: 'base64', media_type: 'image/png', data: '', url: ADDRESS })),
    says: 'messages[0].content[0].source.url',
  },
  {
    what: 'a result of the model’s side',
    body: saying({ type: 'web_fetch_tool_result', tool_use_id: 'x', content: {} }),
    says: 'messages[0].content[0].type',
  },
  {
    what: 'a file for a container',
    body: saying({ type: 'container_upload', file_id: 'file_1' }),
    says: 'messages[0].content[0].type',
  },
  { what: 'a container', body: { ...BASE, container: 'container_1' }, says: 'container is not' },
  {
    what: 'skills',
    body: { ...BASE, container: { skills: [{ type: 'anthropic', skill_id: 'pdf' }] } },
    says: 'container is not',
  },
  {
    what: 'history that the model’s side keeps',
    body: { ...BASE, thread: { type: 'new' } },
    says: 'thread is not',
  },
  {
    what: 'other models to fall back to',
    body: { ...BASE, fallbacks: [{ model: 'claude-fable-5' }] },
    says: 'fallbacks is not',
  },
  { what: 'a dearer service', body: { ...BASE, service_tier: 'auto' }, says: 'service_tier is not' },
  { what: 'a dearer speed', body: { ...BASE, speed: 'fast' }, says: 'speed is not' },
  { what: 'another place', body: { ...BASE, inference_geo: 'us' }, says: 'inference_geo is not' },
  {
    what: 'a compaction on the model’s side',
    body: { ...BASE, context_management: { edits: [{ type: 'compact_20260112' }] } },
    says: 'context_management.edits[0].type',
  },
  {
    what: 'a page of text as a user',
    body: { ...BASE, metadata: { user_id: 'x'.repeat(401) } },
    says: 'metadata.user_id is longer than 400',
  },
  { what: 'betas in the body', body: { ...BASE, betas: ['files-api-2025-04-14'] }, says: 'betas is not' },
  { what: 'a field that nobody knows', body: { ...BASE, 'a new\nthing': 1 }, says: '"a new\\nthing" is not' },
  {
    what: 'a field named like a part of every object',
    text: JSON.stringify(BASE).replace('{', '{"__proto__":{"mcp_servers":[]},'),
    says: '__proto__ is not',
  },
  {
    what: 'a type named like a part of every object',
    body: saying({ type: 'constructor' }),
    says: 'messages[0].content[0].type',
  },
  {
    what: 'a block without a type',
    body: saying({ source: byUrl }),
    says: 'messages[0].content[0].type is missing',
  },
  { what: 'a list in place of the request', body: [BASE], says: 'The request is no object' },
  {
    what: 'a schema of 300 levels',
    text: JSON.stringify(withTool(custom)).replace('{"type":"object"}', `{"a":${deep(300)}}`),
    says: 'The request is nested more than 200 levels deep',
  },
  {
    what: 'lists of 100,000 levels',
    text: deep(100_000),
    says: 'The request is nested more than 200 levels deep',
  },
  {
    what: 'two million lists',
    text: `[${'[],'.repeat(2_000_000)}[]]`,
    says: 'The request has more than 1000000 values',
  },
  {
    what: 'a schema of 50,000 levels',
    text: JSON.stringify(withTool(custom)).replace('{"type":"object"}', `{"a":${deep(50_000)}}`),
    says: 'The request is nested more than 200 levels deep',
  },
  {
    what: 'a second request behind the first',
    text: `${JSON.stringify(BASE)}${JSON.stringify({ ...BASE, mcp_servers: [] })}`,
    says: 'The request is no JSON',
  },
  {
    what: 'another character set, by its bytes',
    text: Buffer.from(JSON.stringify(BASE), 'utf16le'),
    says: 'The request is no JSON',
  },
  {
    what: 'bytes that are no text',
    text: Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
    says: 'The request is no UTF-8',
  },
  {
    what: 'another character set, by its name',
    body: BASE,
    headers: { 'content-type': 'application/json; charset=utf-7' },
    says: 'Only application/json in UTF-8',
  },
  {
    what: 'a form',
    body: BASE,
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    says: 'Only application/json in UTF-8',
  },
  {
    what: 'a compressed body',
    text: gzipSync(JSON.stringify({ ...BASE, mcp_servers: [] })),
    headers: { 'content-encoding': 'gzip' },
    says: 'Only an uncompressed body',
  },
  {
    what: 'a body compressed in a way nobody knows',
    body: BASE,
    headers: { 'content-encoding': 'identity, x-new' },
    says: 'Only an uncompressed body',
  },
  {
    what: 'another version of the API',
    body: BASE,
    headers: { 'anthropic-version': '2027-01-01' },
    says: 'Only version 2023-06-01',
  },
  {
    what: 'a beta of the model’s side',
    body: BASE,
    headers: { 'anthropic-beta': 'effort-2025-11-24,mcp-client-2025-11-20' },
    says: 'Unexpected value(s) `mcp-client-2025-11-20`',
  },
  {
    what: 'the long context, for an agent that has it not',
    body: BASE,
    headers: { 'anthropic-beta': 'context-1m-2025-08-07' },
    says: 'Unexpected value(s) `context-1m-2025-08-07`',
  },
  { what: 'the files of the account', body: {}, path: '/v1/files', says: 'Only POST /v1/messages' },
  { what: 'a batch', body: { requests: [] }, path: '/v1/messages/batches', says: 'Only POST /v1/messages' },
  { what: 'a model of one’s own', body: {}, path: '/v1/models', says: 'Only POST /v1/messages' },
  {
    what: 'another query',
    body: BASE,
    path: '/v1/messages?beta=true&container=x',
    says: 'Only POST /v1/messages',
  },
  {
    what: 'a model that costs more',
    body: { ...BASE, model: 'claude-mythos-5' },
    says: 'may not use the model claude-mythos-5',
  },
  { what: 'no model', body: { messages: [] }, says: 'names no model' },
];

const kindly = (_: unknown, response: Parameters<typeof answerJson>[0]) =>
  answerJson(response, 200, messageOf('claude-opus-5-5', { input_tokens: 1, output_tokens: 1 }));

test.for(FORBIDDEN)('$what is refused, with a remedy, counted and audited', async (asked) => {
  const upstream = await upstreamForTest(kindly);
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  const heard = await hearAtSocket({
    socket: open.socketPath,
    ...(asked.path === undefined ? {} : { path: asked.path }),
    ...(asked.headers === undefined ? {} : { headers: asked.headers }),
    body: asked.text ?? JSON.stringify(asked.body),
  });
  const { error } = JSON.parse(heard.text);
  expect(error.message).toMatch(/^claude-hooks: /);
  expect(error.message).toContain(asked.says);
  expect(error.message).toMatch(/\. [A-Z][^.]*(\.json|)[^.]*\.$/);
  expect(error.message.length).toBeLessThan(500);
  expect(heard.status).toBeGreaterThanOrEqual(400);
  expect(heard.headers['x-should-retry']).toBe('false');
  expect(await open.close()).toMatchObject({ requests: 0, refused: 1 });
  expect(upstream.taken).toEqual([]);
  expect(await auditOf(at.database.rows, { dispatchId: 'dispatch-1' })).toMatchObject([
    { door: 'model', decision: 'denied', reason: error.message },
  ]);
});

test('a forbidden thing in a large request is refused in the same words', async () => {
  const upstream = await upstreamForTest(kindly);
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  const body = JSON.stringify(saying({ type: 'text', text: 'x'.repeat(2_000_000) }, image(byUrl)));
  const heard = await hearAtSocket({ socket: open.socketPath, body });
  expect(JSON.parse(heard.text).error.message).toContain('messages[0].content[1].source.type is "url"');
  expect(upstream.taken).toEqual([]);
});

/** The usual readers of JSON differ in which of two they take; so one of them goes on. */
test.for(['small', 'large'])(
  'of a name that is given twice, what was read goes on alone (%s)',
  async (size) => {
    const upstream = await upstreamForTest(kindly);
    const at = await gatewayForTest({ baseUrl: upstream.url });
    const open = await at.open();
    const filling = size === 'small' ? '' : 'x'.repeat(400_000);
    const source = '{"type":"url","type":"base64","media_type":"image/png","data":""}';
    const hidden = `{"model":"claude-opus-5-5","messages":"${ADDRESS}","messages":[{"role":"user","content":[{"type":"image","source":${source}},{"type":"text","text":"${filling}"}]}]} `;
    expect((await hearAtSocket({ socket: open.socketPath, body: hidden })).status).toBe(200);
    const [taken] = upstream.taken;
    expect(taken!.body.toString()).toBe(
      `{"model":"claude-opus-5-5","messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":""}},{"type":"text","text":"${filling}"}]}]}`,
    );
    expect(taken!.headers['content-length']).toBe(String(taken!.body.length));
    const last = hidden.replace('"type":"url","type":"base64"', '"type":"base64","type":"url"');
    expect((await hearAtSocket({ socket: open.socketPath, body: last })).status).toBe(400);
    expect(upstream.taken).toHaveLength(1);
  },
);

test('a run that ends while a large request is inspected ends at once, and nothing goes on', async () => {
  const upstream = await upstreamForTest(kindly);
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  const body = JSON.stringify({ ...BASE, messages: Array(200_000).fill(QUESTION) });
  const head = { host: 'localhost', 'content-type': 'application/json' };
  const sent = request({ socketPath: open.socketPath, method: 'POST', path: '/v1/messages', headers: head });
  const heard = once(sent, 'response').then(
    () => 'an answer',
    (error: NodeJS.ErrnoException) => error.code,
  );
  sent.end(body);
  await once(sent, 'finish');
  expect(await open.close()).toMatchObject({ requests: 0, refused: 0 });
  expect(await heard).toBe('ECONNRESET');
  expect(upstream.taken).toEqual([]);
});
