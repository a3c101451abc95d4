import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { type NpmRegistry, startNpmRegistry } from '../../test/support/npm-registry.ts';
import { packageDoorForTest } from '../../test/support/package-door.ts';

let registry: NpmRegistry;
beforeAll(async () => {
  registry = await startNpmRegistry([
    { name: 'greet', version: '1.2.3', files: { 'index.js': 'module.exports = (n) => `Hello, ${n}!`;\n' } },
    { name: '@ada/tools', version: '2.0.0', files: { 'index.js': '' } },
    { name: 'stranger', version: '1.0.0', files: { 'index.js': '' } },
  ]);
  return () => registry.close();
});

const FILE = '/npm/greet/-/greet-1.2.3.tgz';

async function door(changes?: Parameters<typeof packageDoorForTest>[0]['changes']) {
  registry.requests.length = 0;
  registry.instead = null;
  const lockFile = registry.lockFile({ only: ['greet', '@ada/tools'] });
  return await packageDoorForTest({ registry: registry.url, lockFile, ...(changes ? { changes } : {}) });
}

test('a locked file passes, is fetched once for all who ask, and each request is a row', async () => {
  const at = await door();
  const answers = await Promise.all(
    [FILE, FILE, FILE, '/greet/-/greet-1.2.3.tgz'].map((path) => at.ask(path)),
  );
  for (const { status, body } of answers) {
    expect(status).toBe(200);
    expect(`sha512-${createHash('sha512').update(body).digest('base64')}`).toBe(registry.integrity('greet'));
  }
  const head = await at.ask(FILE, { method: 'HEAD' });
  expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) });
  expect(registry.requests.map(({ url }) => url)).toEqual(['/greet/-/greet-1.2.3.tgz']);
  const rows = await at.audit();
  expect(rows).toHaveLength(5);
  expect(rows[0]).toMatchObject({
    door: 'packages',
    action: 'GET npm greet 1.2.3 greet-1.2.3.tgz',
    decision: 'allowed',
    detail: { ecosystem: 'npm', name: 'greet', verdict: 'passed', bytes: answers[0]!.body.length },
  });
});

test('a document has the locked versions alone, and its links lead to the door', async () => {
  const at = await door();
  const { status, body } = await at.ask('/npm/@ada%2ftools');
  expect(status).toBe(200);
  const document = JSON.parse(String(body));
  expect(Object.keys(document.versions)).toEqual(['2.0.0']);
  expect(document['dist-tags']).toEqual({ latest: '2.0.0' });
  expect(document.versions['2.0.0'].dist).toEqual({
    tarball: 'http://127.0.0.1:8901/npm/@ada/tools/-/tools-2.0.0.tgz',
    integrity: registry.integrity('@ada/tools'),
  });
  at.policy = 'registry';
  const whole = JSON.parse(String((await at.ask('/npm/@ada/tools')).body));
  expect(whole['dist-tags']).toEqual({ latest: '99.0.0' });
});

test.for(['/npm/stranger', '/npm/stranger/-/stranger-1.0.0.tgz', '/npm/greet/-/greet-99.0.0.tgz'])(
  'what is in no lock file is refused before the registry is asked: %s',
  async (path) => {
    const at = await door();
    const { status, body } = await at.ask(path);
    expect(status).toBe(403);
    expect(JSON.parse(String(body)).error).toMatch(
      /is not passed: it is in no lock file of the base branch \(package-lock\.json\)/,
    );
    expect(registry.requests).toEqual([]);
    expect(await at.audit()).toMatchObject([{ decision: 'denied', detail: { verdict: 'not-locked' } }]);
  },
);

test('a file with another hash is refused, also when it is in the cache, and is fetched again', async () => {
  const at = await door();
  registry.instead = (_request, response) => {
    response.end('something else');
    return true;
  };
  for (let times = 0; times < 2; times++) {
    const { status, body } = await at.ask(FILE);
    expect(status).toBe(403);
    expect(String(body)).toContain('has another hash than the lock file of the base branch says');
    expect(String(body)).not.toContain('something else');
  }
  registry.instead = null;
  expect((await at.ask(FILE)).status).toBe(200);
  expect(registry.requests).toHaveLength(3);
  expect((await at.audit()).map(({ detail }) => detail.verdict)).toEqual([
    'another-hash',
    'another-hash',
    'passed',
  ]);
});

test.for<[string, { method?: string; body?: string; headers?: Record<string, string> }, string, number]>([
  ['/npm/greet', { method: 'PUT', body: '{"secret":1}' }, 'method', 405],
  ['/npm/-/npm/v1/security/advisories/bulk', { method: 'POST', body: '{}' }, 'method', 405],
  ['/npm/greet', { method: 'DELETE' }, 'method', 405],
  [FILE, { body: 'secret', headers: { 'content-length': '6' } }, 'path', 400],
  [`${FILE}?data=secret`, {}, 'path', 400],
  ['/npm/greet?write=true', {}, 'path', 400],
  ['/npm/greet/-/greet-1.2.3-secret data.tgz'.replace(' ', '%20'), {}, 'path', 400],
  ['/npm/greet/-/../../other', {}, 'path', 400],
  ['/npm/%2e%2e%2fadmin', {}, 'path', 400],
  ['/npm/greet/-/greet-1.2.3.tgz/secret', {}, 'path', 400],
  [`/npm/${'a'.repeat(300)}`, {}, 'path', 400],
  ['/elsewhere/secret', {}, 'path', 400],
  ['http://evil.test/npm/greet', {}, 'path', 400],
])('%s %j is refused, and nothing goes out', async ([path, asking, verdict, status]) => {
  const at = await door();
  at.policy = 'registry';
  expect((await at.ask(path, asking)).status).toBe(status);
  expect(registry.requests).toEqual([]);
  expect(await at.audit()).toMatchObject([{ decision: 'denied', detail: { verdict } }]);
});

test('a refusal is in the status line, too, as one line of ASCII', async () => {
  const at = await door();
  const lockFile = registry.lockFile({ only: ['greet', '@ada/tools'] });
  at.lock(lockFile, [
    'a/package-lock.json',
    'b/package-lock.json',
    'ü/package-lock.json',
    'd/package-lock.json',
  ]);
  const { phrase, body } = await at.ask('/npm/stranger');
  expect(String(body)).toContain('ü/package-lock.json, …');
  expect(phrase).toMatch(/^claude-hooks: stranger is not passed: it is in no lock file[ -~]+ \.\.\.$/);
  expect(phrase.length).toBeLessThanOrEqual(200);
});

test('no tunnel is made', async () => {
  const at = await door();
  const socket = createConnection(at.open.door.socket);
  socket.write('CONNECT evil.test:443 HTTP/1.1\r\nhost: evil.test:443\r\n\r\n');
  const [said] = await once(socket, 'data');
  expect(String(said)).toMatch(/^HTTP\/1\.1 405 /);
  socket.destroy();
  expect(await at.audit()).toMatchObject([{ decision: 'denied', action: 'CONNECT evil.test:443' }]);
});

test('headers of the container stay behind; the registry gets its own credential, and only it', async () => {
  const at = await door({ headers: { authorization: 'Bearer of-the-registry' } });
  const headers = {
    authorization: 'Bearer secret-data',
    cookie: 'secret-data',
    'user-agent': 'secret-data',
    referer: 'secret-data',
  };
  for (const path of ['/npm/greet', FILE]) await at.ask(path, { headers });
  expect(registry.requests).toHaveLength(2);
  expect(JSON.stringify(registry.requests)).not.toContain('secret-data');
  for (const { headers: sent } of registry.requests)
    expect(sent.authorization).toBe('Bearer of-the-registry');
});

test('a redirect is followed to a configured host alone, and no credential goes with it', async () => {
  const seen: (string | undefined)[] = [];
  const elsewhere = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end('x');
  }).listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  onTestFinished(() => void elsewhere.close());
  const host = `127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
  const redirect: NpmRegistry['instead'] = (_request, response) => {
    response.writeHead(302, { location: `http://${host}/file` });
    response.end();
    return true;
  };
  const shut = await door({ headers: { authorization: 'Bearer of-the-registry' } });
  shut.policy = 'registry';
  registry.instead = redirect;
  const refused = await shut.ask(FILE);
  expect(refused.status).toBe(502);
  expect(String(refused.body)).toContain(`sends its readers to ${host}, which is not configured`);
  expect(seen).toEqual([]);
  expect(await shut.audit()).toMatchObject([{ decision: 'denied', detail: { verdict: 'redirect' } }]);

  const open = await door({ headers: { authorization: 'Bearer of-the-registry' }, artefactHosts: [host] });
  open.policy = 'registry';
  registry.instead = redirect;
  expect((await open.ask(FILE)).status).toBe(200);
  expect(seen).toEqual([undefined]);
});

test('limits hold for one dispatch, and say which setting they are', async () => {
  const at = await door();
  at.settings = { ...at.settings, limits: { ...at.settings.limits, requests: 2, bytes: 1_000_000 } };
  expect((await at.ask(FILE)).status).toBe(200);
  at.settings = { ...at.settings, limits: { ...at.settings.limits, requests: 2, bytes: 10 } };
  const large = await at.ask('/npm/greet');
  expect([large.status, String(large.body)]).toEqual([403, expect.stringContaining('packages.limits.bytes')]);
  const often = await at.ask('/npm/greet');
  expect([often.status, String(often.body)]).toEqual([
    403,
    expect.stringContaining('packages.limits.requests'),
  ]);
});

test('a tool that leaves with the last byte has had the whole answer', async () => {
  const at = await door();
  for (let times = 0; times < 30; times++) {
    const tool = createConnection(at.open.door.socket);
    tool.write(`GET ${FILE} HTTP/1.1\r\nhost: door\r\n\r\n`);
    let got = Buffer.alloc(0);
    tool.on('data', (chunk) => {
      got = Buffer.concat([got, chunk]);
      const head = got.indexOf('\r\n\r\n');
      const size = Number(/content-length: (\d+)/i.exec(got.subarray(0, head).toString())?.[1] ?? Infinity);
      if (head > 0 && got.length === head + 4 + size) tool.destroy();
    });
    await once(tool, 'close');
  }
  expect((await at.audit()).map(({ detail }) => detail.verdict)).toEqual(Array(30).fill('passed'));
});

test('what the registry lacks, and a registry that fails, are told apart from refusals', async () => {
  const at = await door();
  registry.instead = (_request, response) => {
    response.writeHead(404).end();
    return true;
  };
  expect((await at.ask(FILE)).status).toBe(404);
  registry.instead = (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('half');
    setImmediate(() => response.destroy());
    return true;
  };
  expect((await at.ask(FILE)).status).toBe(502);
  registry.instead = null;
  expect((await at.ask(FILE)).status).toBe(200);
  expect((await at.audit()).map(({ decision }) => decision)).toEqual(['failed', 'failed', 'allowed']);
});
