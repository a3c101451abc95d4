/** The door at a real stdio server and a real streamable HTTP server, both made with the official SDK. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type HttpSample, serveSample, stdioSample } from '../test/support/mcp-sample.ts';
import { patience } from '../test/support/patience.ts';
import { plainPicture } from '../test/support/sample-pictures.ts';
import type { ToolBlock } from './agent-runner/tool-server.ts';
import type { McpServerSettings } from './config/mcp-settings.ts';
import { ToolsUnavailable } from './errors.ts';
import { silentLog } from './log.ts';
import type { McpRun } from './mcp-door/port.ts';
import { createMcpDoor } from './mcp-door.ts';

const SECRET = 'secret-of-the-server-4711';

const SETTINGS: Omit<McpServerSettings, 'way'> = {
  name: 'sample',
  tools: null,
  dispatchesAtOnce: null,
  startMs: 20_000,
  callMs: 20_000,
  calls: 50,
  resultCharacters: 20_000,
  restarts: 2,
};

type Audited = Parameters<McpRun['audit']>[0];

function stage() {
  const audited: Audited[] = [];
  const door = createMcpDoor({ fetch, secrets: () => [SECRET], log: silentLog });
  const open = async (
    server: Partial<McpServerSettings> & Pick<McpServerSettings, 'way'>,
    run: Partial<McpRun> = {},
  ) => {
    const opened = await door.open({
      servers: [{ ...SETTINGS, ...server }],
      disallowed: [],
      restriction: () => null,
      audit: async (entry) => void audited.push(entry),
      signal: new AbortController().signal,
      ...run,
    });
    onTestFinished(() => opened.close());
    const [served] = opened.servers;
    const call = async (name: string, input: Record<string, unknown> = {}, signal?: AbortSignal) => {
      const tool = served!.tools.find((one) => one.name === name);
      if (tool === undefined) throw new Error(`no tool ${name}`);
      return await tool.call(input, { toolUseId: 'toolu_1', signal: signal ?? new AbortController().signal });
    };
    return { ...opened, served: served!, call, names: served!.tools.map(({ name }) => name) };
  };
  return { audited, door, open };
}

function stdio(o: Parameters<typeof stdioSample>[0] = {}): McpServerSettings['way'] {
  return { kind: 'stdio', ...stdioSample(o) };
}

function http({ url }: HttpSample, token = SECRET): McpServerSettings['way'] {
  return { kind: 'http', url, headers: { authorization: `Bearer ${token}` } };
}

const textOf = ({ content }: { content: ToolBlock[] }) =>
  content.map((block) => (block.type === 'text' ? block.text : `<${block.mimeType}>`)).join('|');

describe.each(['stdio', 'http'] as const)('a server by %s', (kind) => {
  async function way(picture = ''): Promise<McpServerSettings['way']> {
    if (kind === 'http') return http(await serveSample({ token: SECRET, secret: SECRET, picture }));
    const folder = mkdtempSync(join(tmpdir(), 'mcp-door-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'picture'), Buffer.from(picture, 'base64'));
    return stdio({ secret: SECRET, picture: join(folder, 'picture') });
  }

  test('is shown with its schemas, its answers and its pictures, without its secrets', async () => {
    const { open, audited } = stage();
    const picture = (await plainPicture({ format: 'jpeg', width: 2000, height: 1000 })).toString('base64');
    const { served, call, names } = await open({ way: await way(picture) });
    expect(names).toEqual([
      'data',
      'die',
      'endless',
      'fail',
      'hang',
      'hostile',
      'long',
      'picture',
      'pid',
      'refuse',
      'sum',
      'tell',
      'words',
    ]);
    expect(served.instructions).toBe('Ask sum for sums. [secret]');
    expect(served.tools.find(({ name }) => name === 'sum')).toMatchObject({
      description: 'Adds numbers.',
      readOnly: true,
      schema: { properties: { list: { $ref: '#/$defs/list' } }, $defs: { list: { type: 'array' } } },
    });
    expect(await call('sum', { list: [40, 2] })).toEqual({
      content: [{ type: 'text', text: '42' }],
      isError: false,
    });
    expect(await call('words')).toEqual({
      content: [{ type: 'text', text: 'Three boards.' }],
      isError: false,
    });
    expect(textOf(await call('data'))).toBe('{"found":3}|<image/jpeg>');
    expect(textOf(await call('tell'))).toBe('The secret is [secret], really.');
    expect(await call('fail')).toEqual({
      content: [{ type: 'text', text: 'The board is locked.' }],
      isError: true,
    });
    expect(await call('refuse')).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('nobody does that') }],
    });
    expect(textOf(await call('long'))).toMatch(/^x{20000}\n\(Cut off here: the answer has 100000 characters/);
    const shown = await call('picture');
    expect(textOf(shown)).toBe('A picture.|<image/jpeg>');
    const { data } = shown.content[1] as { data: string };
    expect(await sharp(Buffer.from(data, 'base64')).metadata()).toMatchObject({ width: 1568, height: 784 });
    expect(textOf(await call('hostile'))).toMatch(
      /^\(Picture 1 is not shown: it is SVG.*\)\n\n\(Picture 2 is not shown: it is broken.*\)\|<image\/jpeg>$/s,
    );
    expect(
      audited.map(({ door, action, decision, detail }) => [door, action, decision, detail.verdict]),
    ).toEqual([
      ['mcp', 'sample sum', 'allowed', 'answered'],
      ['mcp', 'sample words', 'allowed', 'answered'],
      ['mcp', 'sample data', 'allowed', 'answered'],
      ['mcp', 'sample tell', 'allowed', 'answered'],
      ['mcp', 'sample fail', 'allowed', 'error'],
      ['mcp', 'sample refuse', 'failed', 'refused'],
      ['mcp', 'sample long', 'allowed', 'answered'],
      ['mcp', 'sample picture', 'allowed', 'answered'],
      ['mcp', 'sample hostile', 'allowed', 'answered'],
    ]);
    expect(audited[0]!.detail).toMatchObject({ toolUseId: 'toolu_1', asked: 15, characters: 2, pictures: 0 });
    expect(JSON.stringify(audited)).not.toContain(SECRET);
  });

  test('that answers too late or without end costs its call only', async () => {
    const { open, audited } = stage();
    const hasty = await open({ way: await way(), callMs: 300 });
    expect(textOf(await hasty.call('hang'))).toContain('did not answer within 0.3 s');
    const { call } = await open({ way: await way() });
    expect(textOf(await call('endless'))).toContain('connection to the server was lost');
    expect(textOf(await call('sum', { list: [1] }))).toBe('1');
    expect(audited.map(({ decision }) => decision)).toEqual(['failed', 'failed', 'allowed']);
  });
});

test('only the tools of the list are shown, and all of them must be there', async () => {
  const { open } = stage();
  const { names } = await open(
    { way: stdio(), tools: ['sum', 'picture'] },
    { disallowed: ['mcp__sample__picture'] },
  );
  expect(names).toEqual(['sum']);
  const lacking = open({ way: stdio({ hasFewTools: true }), tools: ['sum', 'picture', 'far'] });
  await expect(lacking).rejects.toMatchObject({
    name: 'ToolsUnavailable',
    transient: false,
    message:
      'The MCP server sample does not have picture, far. far: its schema points to an address. Mend the server, or change mcp_servers.sample.tools.',
  });
});

test('one that does not start, or does not know us, is named with what it said, not with its secret', async () => {
  const { open } = stage();
  const crashed = await open({ way: stdio({ crash: true, secret: SECRET }) }).catch(
    (error: unknown) => error,
  );
  expect(crashed).toBeInstanceOf(ToolsUnavailable);
  expect((crashed as ToolsUnavailable).transient).toBe(true);
  expect((crashed as Error).message).toMatch(
    /sample could not be started or reached.*It said: cannot start with \[secret\]/,
  );
  const missing = open({ way: { kind: 'stdio', command: ['/nowhere/at-all'], environment: {} } });
  await expect(missing).rejects.toThrow(/ENOENT/);
  const server = await serveSample({ token: SECRET });
  await expect(open({ way: http(server, 'wrong') })).rejects.toThrow(ToolsUnavailable);
});

test('one that dies is started again, and not for ever', async () => {
  const { open } = stage();
  const { call } = await open({ way: stdio() });
  const pids = [textOf(await call('pid'))];
  for (let n = 0; n < 2; n++) {
    expect(textOf(await call('die'))).toContain('The connection to the server was lost');
    pids.push(textOf(await call('pid')));
  }
  expect(new Set(pids).size).toBe(3);
  await call('die');
  expect(textOf(await call('pid'))).toContain('started again 2 times in this run');
});

test('an HTTP server that forgot the session is connected to again', async () => {
  const { open } = stage();
  const server = await serveSample({ token: SECRET });
  const { call } = await open({ way: http(server) });
  server.restart();
  expect(textOf(await call('sum', { list: [1] }))).toContain('forgotten the connection');
  expect(textOf(await call('sum', { list: [1] }))).toBe('1');
});

test('a redirect to another address gets no secret', async () => {
  const { open } = stage();
  const elsewhere = await serveSample({ token: SECRET });
  const server = await serveSample({ token: SECRET });
  server.redirectTo = elsewhere.url.replace('127.0.0.1', 'localhost');
  // `fetch` itself keeps `authorization` back, but no other header.
  const { url } = server;
  const way = { kind: 'http', url, headers: { 'x-api-key': SECRET } } as const;
  await expect(open({ way })).rejects.toThrow(ToolsUnavailable);
  expect(server.asked.filter((line) => line.includes(SECRET))).not.toEqual([]);
  expect(elsewhere.asked.filter((line) => line.includes(SECRET))).toEqual([]);
});

test('a restricted run, and one that has used its calls up, is refused by name', async () => {
  const { open, audited } = stage();
  let restriction: string | null = null;
  const { call } = await open({ way: stdio(), calls: 2 }, { restriction: () => restriction });
  await call('sum', { list: [1] });
  restriction = 'it has read text by cy';
  expect(textOf(await call('sum', { list: [1] }))).toContain(
    'may not call tools of MCP servers: it has read text by cy',
  );
  restriction = null;
  expect(textOf(await call('sum', { list: [2] }))).toBe('2');
  expect(textOf(await call('sum', { list: [2] }))).toContain('all of its 2 calls of sample');
  expect(audited.map(({ decision, detail }) => [decision, detail.verdict])).toEqual([
    ['allowed', 'answered'],
    ['denied', 'restricted'],
    ['allowed', 'answered'],
    ['denied', 'too-many'],
  ]);
});

test('what cannot be recorded is not answered', async () => {
  const { open } = stage();
  const { call } = await open(
    { way: stdio() },
    { audit: async () => Promise.reject(new Error('disk full')) },
  );
  expect(textOf(await call('sum', { list: [1] }))).toBe(
    'The call could not be recorded, so its answer is withheld. Try again later.',
  );
});

test('a run that stops ends its call, and the program with it', async () => {
  const { open } = stage();
  const opened = await open({ way: stdio() });
  const pid = Number(textOf(await opened.call('pid')));
  const stop = new AbortController();
  const hanging = opened.call('hang', {}, stop.signal);
  stop.abort();
  expect(textOf(await hanging)).toBe('The run was stopped.');
  await opened.close();
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  expect(textOf(await opened.call('pid'))).toContain('the run has ended');
});

test('a server for one user at a time is used by one dispatch after the other', async () => {
  const { open } = stage();
  const server = { way: stdio(), dispatchesAtOnce: 1 };
  const first = await open(server);
  const order: string[] = [];
  const gone = new AbortController();
  const impatient = open(server, { signal: gone.signal }).catch((error: unknown) => String(error));
  const second = open(server).then((opened) => {
    order.push('second');
    return opened;
  });
  gone.abort(new Error('cancelled'));
  expect(await impatient).toContain('cancelled');
  order.push('first ends');
  await first.close();
  await (await second).call('sum', { list: [1] });
  expect(order).toEqual(['first ends', 'second']);
});

test('two runs that need the same two servers in different order do not wait for each other for ever', async () => {
  const { door } = stage();
  const way = http(await serveSample({ token: SECRET }));
  const [a, b] = ['a', 'b'].map((name) => ({ ...SETTINGS, name, way, dispatchesAtOnce: 1 }));
  const open = async (servers: McpServerSettings[]) => {
    const opened = await door.open({
      servers,
      disallowed: [],
      restriction: () => null,
      audit: async () => {},
      signal: AbortSignal.timeout(patience(5000)),
    });
    const names = opened.servers.map(({ name }) => name);
    await opened.close();
    return names;
  };
  expect(await Promise.all([open([a!, b!]), open([b!, a!])])).toEqual([
    ['a', 'b'],
    ['b', 'a'],
  ]);
});

test('a small picture stays a PNG', async () => {
  const { open } = stage();
  const picture = (await plainPicture({ format: 'gif', width: 8, height: 8 })).toString('base64');
  const { call } = await open({ way: http(await serveSample({ token: SECRET, picture })) });
  expect(textOf(await call('picture'))).toBe('A picture.|<image/png>');
});
