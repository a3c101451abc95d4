/** The gateway over real sockets, without the CLI: what no CLI would ask, and what an upstream should not answer. */
import { once } from 'node:events';
import { chmod, stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createConnection, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { gatewayForTest, REAL_KEY } from '../../test/support/gateway.ts';
import { TEST_CERTIFICATE, TEST_KEY } from '../../test/support/tls.ts';
import {
  answerJson,
  askAtSocket,
  bodyOf,
  event,
  hearAtSocket,
  messageOf,
  upstreamForTest,
} from '../../test/support/upstream.ts';
import { auditOf } from '../audit.ts';

const USAGE = { input_tokens: 10, output_tokens: 5 };
const KIND = 'claude-opus-5-5';
const kindly = (_: unknown, response: ServerResponse) => answerJson(response, 200, messageOf(KIND, USAGE));

test.for([
  { method: 'GET', path: '/v1/models', host: 'localhost', status: 404 },
  { method: 'HEAD', path: '/', host: 'localhost', status: 404 },
  { method: 'POST', path: '/v1/messages/batches', host: 'localhost', status: 404 },
  { method: 'POST', path: '/v1/messages/', host: 'localhost', status: 404 },
  { method: 'POST', path: '/v1/messages?beta=true&x=1', host: 'localhost', status: 404 },
  { method: 'POST', path: '/v1/messages/../organizations', host: 'localhost', status: 404 },
  { method: 'POST', path: '/v1/%6dessages', host: 'localhost', status: 404 },
  { method: 'POST', path: '//v1/messages', host: 'localhost', status: 404 },
  { method: 'GET', path: '/api/oauth/profile', host: 'localhost', status: 404 },
  { method: 'POST', path: '/v1/oauth/token', host: 'localhost', status: 404 },
  { method: 'GET', path: '/v1/messages', host: 'localhost', status: 405 },
  { method: 'DELETE', path: '/v1/messages', host: 'localhost', status: 405 },
  { method: 'POST', path: 'http://localhost/v1/messages', host: 'localhost', status: 403 },
  { method: 'GET', path: 'http://169.254.169.254/latest/meta-data', host: 'localhost', status: 403 },
  { method: 'POST', path: '/v1/messages', host: 'api.example.com', status: 403 },
  { method: 'POST', path: '/v1/messages', host: 'localhost.example.com', status: 403 },
  { method: 'POST', path: '/v1/messages', host: 'localhost@example.com', status: 403 },
])('$method $path at $host is refused, counted and audited, and upstream hears nothing', async (asked) => {
  const upstream = await upstreamForTest(kindly);
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  const { method, path, host } = asked;
  const heard = await hearAtSocket({
    socket: open.socketPath,
    method,
    path,
    headers: { host },
    ...(method === 'POST' ? {} : { body: '' }),
  });
  expect(heard.status).toBe(asked.status);
  if (method !== 'HEAD') {
    expect(JSON.parse(heard.text)).toMatchObject({
      type: 'error',
      error: { type: expect.any(String), message: expect.stringMatching(/^claude-hooks: .*\.$/) },
    });
  }
  expect((await hearAtSocket({ socket: open.socketPath })).status).toBe(200);
  expect(await open.close()).toMatchObject({ requests: 1, refused: 1 });
  expect(upstream.taken.map((r) => r.url)).toEqual(['/v1/messages']);
  expect(await auditOf(at.database.rows, { dispatchId: 'dispatch-1' })).toMatchObject([
    { door: 'model', action: `${method} ${path}`, decision: 'denied', agent: 'dev' },
  ]);
});

/** Answers what the gateway says to these bytes until it ends the connection. */
async function say(socket: string, bytes: string): Promise<string> {
  const connection = createConnection(socket);
  connection.on('error', () => {});
  let said = '';
  connection.on('data', (chunk) => {
    said += chunk.toString('latin1');
  });
  connection.write(bytes);
  await once(connection, 'close');
  return said;
}

test('tunnels, upgrades and bytes that are no HTTP are refused', async () => {
  const upstream = await upstreamForTest(kindly);
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  const tunnel = 'CONNECT api.example.com:443 HTTP/1.1\r\nhost: api.example.com:443\r\n\r\n';
  expect(await say(open.socketPath, tunnel)).toMatch(/^HTTP\/1.1 403 .*Nothing is tunnelled/s);
  const upgrade =
    'POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n';
  expect(await say(open.socketPath, upgrade)).toMatch(/^HTTP\/1.1 403 /);
  expect(await say(open.socketPath, '\x16\x03\x01\x02\x00\x01\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
  const smuggled =
    'POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n';
  expect(await say(open.socketPath, smuggled)).toMatch(/^HTTP\/1.1 400 /);
  expect(await open.close()).toMatchObject({ requests: 0, refused: 4 });
  expect(upstream.taken).toEqual([]);
});

test('headers of the container stay behind, ours is added, and a path of the base URL is kept', async () => {
  const upstream = await upstreamForTest(kindly);
  const at = await gatewayForTest({ baseUrl: `${upstream.url}/proxy/anthropic/` });
  const open = await at.open();
  await hearAtSocket({
    socket: open.socketPath,
    path: '/v1/messages?beta=true',
    headers: {
      'x-api-key': 'sk-ant-inside',
      authorization: 'Bearer sk-ant-inside',
      'proxy-authorization': 'Basic inside',
      'x-forwarded-for': '10.0.0.1',
      forwarded: 'for=inside',
      'x-goog-api-key': 'inside',
      cookie: 'session=inside',
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'claude-code-20250219, effort-2025-11-24',
      'content-type': 'application/json; charset=utf-8',
      'anthropic-client-capabilities': 'inside',
      'x-claude-code-notes': 'inside',
      'x-stainless-retry-count': '0',
      'x-claude-code-session-id': 'abc',
      'user-agent': 'claude-cli/2',
    },
  });
  const [taken] = upstream.taken;
  expect(taken!.url).toBe('/proxy/anthropic/v1/messages?beta=true');
  expect(taken!.headers).toEqual({
    'x-api-key': REAL_KEY,
    'accept-encoding': 'identity',
    'content-type': 'application/json',
    'content-length': '41',
    'anthropic-version': '2023-06-01',
    'anthropic-beta': 'claude-code-20250219, effort-2025-11-24',
    'x-stainless-retry-count': '0',
    'x-claude-code-session-id': 'abc',
    'user-agent': 'claude-cli/2',
    host: new URL(upstream.url).host,
    connection: 'keep-alive',
  });
});

test('an OAuth token goes as a bearer, with its beta beside those of the CLI', async () => {
  const upstream = await upstreamForTest(kindly);
  const at = await gatewayForTest({ baseUrl: upstream.url });
  at.upstream.credential = { kind: 'bearer', value: 'sk-ant-oat01-outside' };
  const open = await at.open();
  for (const headers of [
    { 'anthropic-beta': 'effort-2025-11-24' },
    { 'anthropic-beta': 'oauth-2025-04-20' },
    {},
  ]) {
    await hearAtSocket({ socket: open.socketPath, headers });
  }
  at.upstream.credential = { kind: 'bearer', value: 'token-of-a-proxy' };
  await hearAtSocket({ socket: open.socketPath });
  expect(upstream.taken.map(({ headers }) => [headers.authorization, headers['anthropic-beta']])).toEqual([
    ['Bearer sk-ant-oat01-outside', 'effort-2025-11-24,oauth-2025-04-20'],
    ['Bearer sk-ant-oat01-outside', 'oauth-2025-04-20'],
    ['Bearer sk-ant-oat01-outside', 'oauth-2025-04-20'],
    ['Bearer token-of-a-proxy', undefined],
  ]);
  expect(upstream.taken.some(({ headers }) => 'x-api-key' in headers)).toBe(false);
});

test('headers of upstream that are not needed inside stay outside, and so does one that shows the key', async () => {
  const upstream = await upstreamForTest((_, response) =>
    answerJson(
      response,
      400,
      { type: 'error', error: { type: 'invalid_request_error', message: `your key ${REAL_KEY}` } },
      {
        'set-cookie': 'a=b',
        'anthropic-organization-id': 'org',
        'x-echo': REAL_KEY,
        'retry-after': REAL_KEY,
        'request-id': 'req_1',
        'anthropic-ratelimit-tokens-remaining': '5',
      },
    ),
  );
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const heard = await hearAtSocket({ socket: (await at.open()).socketPath });
  expect(heard.text).toContain('your key [removed]');
  expect(JSON.stringify(heard)).not.toContain(REAL_KEY);
  const { date, connection, ...rest } = heard.headers;
  expect(Object.keys(rest).sort()).toEqual([
    'anthropic-ratelimit-tokens-remaining',
    'content-length',
    'content-type',
    'request-id',
  ]);
  expect(rest['request-id']).toBe('req_1');
});

test('a redirect is not followed, and its target does not learn the key', async () => {
  const elsewhere = await upstreamForTest(kindly);
  const upstream = await upstreamForTest((_, response) => {
    response.writeHead(307, { location: `${elsewhere.url}/v1/messages` }).end();
  });
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  const heard = await hearAtSocket({ socket: open.socketPath });
  expect(heard.status).toBe(502);
  expect(heard.headers.location).toBe(undefined);
  expect(JSON.parse(heard.text).error).toMatchObject({ type: 'api_error' });
  expect(elsewhere.taken).toEqual([]);
  expect(at.warnings[0]).toContain('Set model.upstream');
  await open.close();
  expect(await at.rows()).toMatchObject([{ status: 307, outcome: 'failed', micro_usd: 0 }]);
});

test('an upstream that cannot be reached is an error that may pass', async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  gone.close();
  await once(gone, 'close');
  const at = await gatewayForTest({ baseUrl: `http://127.0.0.1:${port}` });
  const open = await at.open();
  const heard = await hearAtSocket({ socket: open.socketPath });
  expect([heard.status, JSON.parse(heard.text).error.message]).toEqual([
    502,
    "claude-hooks: The model's side could not be reached (ECONNREFUSED). Try again later.",
  ]);
  await open.close();
  expect(await at.rows()).toMatchObject([{ status: null, outcome: 'failed' }]);
});

test('bytes pass as they come: the first is there while upstream still holds the rest', async () => {
  const rest = Promise.withResolvers<void>();
  const upstream = await upstreamForTest(async (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(
      event('message_start', { message: messageOf(KIND, { input_tokens: 7, output_tokens: 1 }) }),
    );
    await rest.promise;
    response.write(event('message_delta', { delta: {}, usage: { output_tokens: 42 } }));
    response.end(event('message_stop', {}));
  });
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  const answer = await askAtSocket({ socket: open.socketPath });
  const [first] = (await once(answer, 'data')) as [Buffer];
  expect(first.toString()).toContain('message_start');
  expect(await at.rows()).toEqual([]);
  rest.resolve();
  await once(answer, 'end');
  await open.close();
  expect(await at.rows()).toMatchObject([
    { outcome: 'answered', input_tokens: 7, output_tokens: 42, micro_usd: 7 * 4 + 42 * 20 },
  ]);
});

test('a reader that stops slows upstream down instead of filling our memory', async () => {
  const piece = Buffer.alloc(256 * 1024, 'x');
  let written = 0;
  const stuck = Promise.withResolvers<void>();
  const upstream = await upstreamForTest(async (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let n = 0; n < 120; n++) {
      written += piece.length;
      if (response.write(piece)) continue;
      const drained = once(response, 'drain').then(() => true);
      // No event says that nothing happens; where back-pressure fails, this never fires and all is written.
      const stalled = new Promise<false>((resolve) => setTimeout(resolve, 500, false));
      if (await Promise.race([drained, stalled])) continue;
      stuck.resolve();
      await drained;
    }
    response.end();
  });
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  const answer = await askAtSocket({ socket: open.socketPath });
  await stuck.promise;
  expect(written).toBeLessThan(60 * piece.length);
  expect((await bodyOf(answer)).length).toBe(120 * piece.length);
});

test('a compressed answer is passed on as it is, and read all the same', async () => {
  const stream = [
    event('message_start', { message: messageOf(KIND, { input_tokens: 7, output_tokens: 1 }) }),
    event('message_delta', { delta: {}, usage: { output_tokens: 9, cache_read_input_tokens: 3 } }),
    event('message_stop', {}),
  ].join('');
  const zipped = gzipSync(stream);
  const upstream = await upstreamForTest((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
    response.end(zipped);
  });
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  const answer = await askAtSocket({ socket: open.socketPath });
  expect(await bodyOf(answer)).toEqual(zipped);
  await open.close();
  expect(await at.rows()).toMatchObject([{ input_tokens: 7, output_tokens: 9, cache_read_tokens: 3 }]);
});

test('over TLS only an upstream whose certificate is trusted gets the key', async () => {
  const keys: unknown[] = [];
  const server = createTlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (incoming, response) => {
    keys.push(incoming.headers['x-api-key']);
    incoming.resume();
    kindly(null, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const at = await gatewayForTest({ baseUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const open = await at.open();
  const heard = await hearAtSocket({ socket: open.socketPath });
  expect([heard.status, keys]).toEqual([502, []]);
  expect(heard.text).toContain('SELF_SIGNED_CERT');

  const trusted = getCACertificates('default');
  onTestFinished(() => setDefaultCACertificates(trusted));
  setDefaultCACertificates([...trusted, TEST_CERTIFICATE]);
  expect((await hearAtSocket({ socket: open.socketPath })).status).toBe(200);
  expect(keys).toEqual([REAL_KEY]);
});

test('an answer that upstream breaks off has no end for the client either', async () => {
  const upstream = await upstreamForTest((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event('message_start', { message: messageOf(KIND, USAGE) }), () => response.destroy());
  });
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  const answer = await askAtSocket({ socket: open.socketPath });
  await expect(bodyOf(answer)).rejects.toThrow('aborted');
  await open.close();
  expect(await at.rows()).toMatchObject([{ outcome: 'failed', status: 200, input_tokens: 10 }]);
});

test('a client that leaves ends the request upstream, and what it has cost is estimated', async () => {
  const left = Promise.withResolvers<void>();
  const upstream = await upstreamForTest((_, response) => {
    response.on('close', () => left.resolve());
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(
      event('message_start', { message: messageOf(KIND, { input_tokens: 7, output_tokens: 1 }) }),
    );
    response.write(
      event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'a'.repeat(800) } }),
    );
  });
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  const answer = await askAtSocket({ socket: open.socketPath });
  let seen = '';
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    seen += chunk.toString();
    if (seen.includes('content_block_delta')) break;
  }
  await left.promise;
  await open.close();
  const [row] = await at.rows();
  expect(row).toMatchObject({ outcome: 'cut', input_tokens: 7 });
  expect(row!.output_tokens).toBeGreaterThan(100);
});

test('a connection that upstream closed while it was kept is replaced, unseen', async () => {
  const sockets = new Set<Socket>();
  const upstream = await upstreamForTest((_, response) => {
    sockets.add(response.socket!);
    kindly(_, response);
  });
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  expect((await hearAtSocket({ socket: open.socketPath })).status).toBe(200);
  for (const socket of sockets) socket.resetAndDestroy();
  expect((await hearAtSocket({ socket: open.socketPath })).status).toBe(200);
  expect(upstream.connections()).toBe(2);
  expect((await open.close()).requests).toBe(2);
});

test('requests up to 64 MiB pass, larger ones are refused', async () => {
  const upstream = await upstreamForTest(kindly);
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  const opening = '{"model":"claude-opus-5-5","messages":[{"role":"user","content":"';
  const large = Buffer.alloc(64 * 1024 * 1024, 'x');
  large.write(opening);
  large.write('"}]}', large.length - 4);
  expect((await hearAtSocket({ socket: open.socketPath, body: large })).status).toBe(200);
  expect(upstream.taken[0]!.body.equals(large)).toBe(true);
  const larger = Buffer.concat([large, Buffer.from(' ')]);
  const heard = await hearAtSocket({ socket: open.socketPath, body: larger });
  expect([heard.status, JSON.parse(heard.text).error.type]).toEqual([413, 'request_too_large']);
  expect(upstream.taken).toHaveLength(1);
  expect(await open.close()).toMatchObject({ requests: 1, refused: 1 });
});

test('no more than 32 requests of one run are under way at once', async () => {
  const enough = Promise.withResolvers<void>();
  const held: ServerResponse[] = [];
  const upstream = await upstreamForTest((_, response) => {
    if (held.push(response) === 32) enough.resolve();
  });
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  const heard = Array.from({ length: 32 }, () => hearAtSocket({ socket: open.socketPath }));
  await enough.promise;
  expect((await hearAtSocket({ socket: open.socketPath })).status).toBe(429);
  const other = await at.open({ dispatchId: 'another' });
  const answered = hearAtSocket({ socket: other.socketPath });
  await expect.poll(() => held.length).toBe(33);
  for (const response of held) kindly(null, response);
  expect((await Promise.all([...heard, answered])).every(({ status }) => status === 200)).toBe(true);
});

test('an overload inside a stream that began well is a limit, too', async () => {
  const upstream = await upstreamForTest((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }));
  });
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  await hearAtSocket({ socket: open.socketPath });
  expect(open.report().limit).toMatchObject({ status: 529, why: 'overloaded_error: Overloaded' });
});

test('counting tokens goes on behind a limit, and does not lift it', async () => {
  const upstream = await upstreamForTest(({ url }, response) =>
    url.endsWith('count_tokens')
      ? answerJson(response, 200, { input_tokens: 9 })
      : answerJson(
          response,
          429,
          { type: 'error', error: { type: 'rate_limit_error', message: 'slow' } },
          { 'retry-after': '30' },
        ),
  );
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open();
  await hearAtSocket({ socket: open.socketPath });
  await hearAtSocket({ socket: open.socketPath, path: '/v1/messages/count_tokens?beta=true' });
  const { limit, usd } = await open.close();
  expect(limit).toMatchObject({ status: 429, until: null, retryMs: 30_000 });
  expect(usd).toBe(0);
});

test('a cap in dollars refuses a model whose price is not known, and does not ask upstream', async () => {
  const upstream = await upstreamForTest(kindly);
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const models = { agent: 'llama-99' };
  const open = await at.open({ models, caps: { usd: 100 } });
  const heard = await hearAtSocket({ socket: open.socketPath, body: '{"model":"llama-99","messages":[]}' });
  expect([heard.status, heard.headers['x-should-retry']]).toEqual([402, 'false']);
  expect(JSON.parse(heard.text).error.message).toContain('the price of llama-99 is not known');
  expect(upstream.taken).toEqual([]);
  expect((await open.close()).capped).toBe('max-usd');
  const free = await at.open({ models, dispatchId: 'free' });
  await hearAtSocket({ socket: free.socketPath, body: '{"messages":[], "model": "llama-99"}' });
  expect((await free.close()).usd).toBe((4 * 10 + 20 * 5) / 1e6);
  expect((await at.rows()).map((r) => [r.model, r.outcome])).toEqual([
    ['llama-99', 'capped'],
    ['llama-99', 'answered'],
  ]);
});

test('the caps of a dispatch hold over its attempts', async () => {
  const upstream = await upstreamForTest(kindly);
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const first = await at.open({ caps: { tokens: 20 } });
  await hearAtSocket({ socket: first.socketPath });
  await first.close();
  const second = await at.open({ caps: { tokens: 20 } });
  expect((await hearAtSocket({ socket: second.socketPath })).status).toBe(200);
  expect((await hearAtSocket({ socket: second.socketPath })).status).toBe(402);
  expect(await second.close()).toMatchObject({ requests: 1, capped: 'max-tokens' });
});

test('what a limit refused is not counted again when the dispatch comes back', async () => {
  let status = 429;
  const upstream = await upstreamForTest((_, response) =>
    status === 200 ? kindly(_, response) : answerJson(response, status, { type: 'error' }),
  );
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const first = await at.open({ caps: { requests: 2 } });
  for (const expected of [429, 429, 402]) {
    expect((await hearAtSocket({ socket: first.socketPath })).status).toBe(expected);
  }
  await first.close();
  status = 200;
  const second = await at.open({ caps: { requests: 2 } });
  for (const expected of [200, 200, 402]) {
    expect((await hearAtSocket({ socket: second.socketPath })).status).toBe(expected);
  }
});

test('a model is known wherever the body names it, and a cap in dollars goes by it', async () => {
  const upstream = await upstreamForTest(kindly);
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const open = await at.open({ caps: { usd: 1 } });
  const late = (filling: number) =>
    `{"messages":[{"role":"user","content":"${'x'.repeat(filling)}"}],"model":"claude-opus-5-5"}`;
  for (const filling of [10, 5000, 2_000_000]) {
    expect((await hearAtSocket({ socket: open.socketPath, body: late(filling) })).status).toBe(200);
  }
  await open.close();
  expect((await at.rows()).map((r) => r.model)).toEqual(Array(3).fill('claude-opus-5-5'));
});

test('a socket stands alone in a folder for us, open to any user within, and is gone with its run', async () => {
  const upstream = await upstreamForTest(kindly);
  const at = await gatewayForTest({ baseUrl: upstream.url });
  const one = await at.open({ dispatchId: 'one' });
  const two = await at.open({ dispatchId: 'two' });
  expect(dirname(one.socketPath)).not.toBe(dirname(two.socketPath));
  expect((await stat(dirname(one.socketPath))).mode & 0o777).toBe(0o700);
  expect((await stat(one.socketPath)).mode & 0o777).toBe(0o666);
  expect(Buffer.byteLength(one.socketPath)).toBeLessThanOrEqual(100);
  await one.close();
  await expect(stat(dirname(one.socketPath))).rejects.toThrow('ENOENT');
  await expect(hearAtSocket({ socket: one.socketPath })).rejects.toThrow('ENOENT');
  expect((await hearAtSocket({ socket: two.socketPath })).status).toBe(200);
  expect(await one.close()).toEqual(await one.close());
  await at.gateway.close();
  await expect(hearAtSocket({ socket: two.socketPath })).rejects.toThrow('ENOENT');
  expect((await at.rows()).map((r) => r.dispatch_id)).toEqual(['two']);
});

test.skipIf(process.getuid?.() !== 0)(
  'another user comes in where the socket is mounted, and not by its folder',
  async () => {
    const upstream = await upstreamForTest(kindly);
    const at = await gatewayForTest({ baseUrl: upstream.url });
    const { socketPath } = await at.open();
    const asNobody = async () => {
      process.setegid!(65_534);
      process.seteuid!(65_534);
      try {
        return await hearAtSocket({ socket: socketPath }).then(
          ({ status }) => status,
          (error: NodeJS.ErrnoException) => error.code,
        );
      } finally {
        process.seteuid!(0);
        process.setegid!(0);
      }
    };
    expect(await asNobody()).toBe('EACCES');
    onTestFinished(() => chmod(dirname(dirname(socketPath)), 0o700));
    await chmod(dirname(socketPath), 0o711);
    await chmod(dirname(dirname(socketPath)), 0o711);
    expect(await asNobody()).toBe(200);
  },
);
