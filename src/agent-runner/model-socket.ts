/**
 * Whether the CLI really uses the unix socket that it is given. The variable for it is not documented, so this is tried
 * before the first agent runs, with one scripted answer that costs nothing.
 */
import { type ExecFileException, execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forwarderEnvironment, writeForwarder } from './model-forwarder.ts';

export type ModelSocketCheck =
  /** `seen`: false for a build that this machine cannot run (musl on glibc, for example); it is assumed to work */
  | { kind: 'socket'; seen: boolean }
  /** the variable does nothing; a forwarder in the CLI's own process does: see `model-forwarder.ts` */
  | { kind: 'forwarder'; why: string }
  /** no agent can run; `why` ends with the remedy */
  | { kind: 'none'; why: string };

const PATIENCE_MS = 30_000;

/** Runs the CLI once, or twice where the first way fails; about half a second each. */
export async function checkModelSocket(o: { cli: string; path: string }): Promise<ModelSocketCheck> {
  // Short, because the path of a socket is limited to about 100 bytes.
  const folder = await mkdtemp(join(tmpdir(), 'claude-hooks-s-'));
  const removeAtExit = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeAtExit);
  const word = `heard-${randomUUID()}`;
  const server = createServer((request, response) => void answer(request, response, word));
  const socket = join(folder, 's');
  try {
    await listen(server, socket);
    const env = await environment(folder, socket, o.path);
    const direct = await tryCli(o.cli, env, word);
    if (direct.kind === 'heard') return { kind: 'socket', seen: true };
    if (direct.kind === 'no-loader') return { kind: 'socket', seen: false };
    const script = await writeForwarder(folder);
    const forwarded = await tryCli(o.cli, forwarderEnvironment(env, script), word);
    if (forwarded.kind === 'heard') {
      return { kind: 'forwarder', why: `ANTHROPIC_UNIX_SOCKET does nothing: ${direct.said}` };
    }
    return {
      kind: 'none',
      why: `The CLI ${o.cli} reaches no unix socket (${direct.said}), and the forwarder does not help (${saidBy(forwarded)}). Use the CLI that is pinned with this release.`,
    };
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
    process.off('exit', removeAtExit);
  }
}

async function environment(folder: string, socket: string, path: string): Promise<Record<string, string>> {
  const home = join(folder, 'home');
  await mkdir(home);
  return {
    PATH: path,
    HOME: home,
    TMPDIR: home,
    CLAUDE_CONFIG_DIR: join(home, 'config'),
    ANTHROPIC_UNIX_SOCKET: socket,
    ANTHROPIC_BASE_URL: 'http://localhost',
    ANTHROPIC_API_KEY: 'sk-ant-placeholder-for-a-check',
    CLAUDE_CODE_MAX_RETRIES: '0',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
  };
}

type Trial =
  /** it answered with the word that only our server knows */
  | { kind: 'heard' }
  /** this machine cannot run it */
  | { kind: 'no-loader' }
  | { kind: 'deaf'; said: string };

function saidBy(trial: Trial): string {
  return trial.kind === 'deaf' ? trial.said : trial.kind;
}

function tryCli(cli: string, env: Record<string, string>, word: string): Promise<Trial> {
  const args = ['-p', 'Say the word.', '--output-format', 'text'];
  return new Promise((resolve) => {
    const options = { env, cwd: env.HOME, timeout: PATIENCE_MS, killSignal: 'SIGKILL' } as const;
    const child = execFile(cli, args, options, (error, stdout, stderr) => {
      process.off('exit', end);
      if (stdout.includes(word)) return resolve({ kind: 'heard' });
      if (lacksLoader(error, cli)) return resolve({ kind: 'no-loader' });
      const said = `${stdout} ${stderr}`.trim().replace(/\s+/g, ' ').slice(0, 300);
      resolve({ kind: 'deaf', said: said !== '' ? said : (error?.message ?? 'it said nothing') });
    });
    // If the service is stopped now, the CLI must end as well: it would make its folder again.
    const end = () => void child.kill('SIGKILL');
    process.prependOnceListener('exit', end);
    child.stdin?.end();
  });
}

/** The kernel answers ENOENT for an existing program whose loader is missing. */
function lacksLoader(error: ExecFileException | null, cli: string): boolean {
  return error?.code === 'ENOENT' && existsSync(cli);
}

async function answer(request: IncomingMessage, response: ServerResponse, word: string): Promise<void> {
  const body = await textOf(request);
  if (request.method !== 'POST' || !request.url?.startsWith('/v1/messages')) {
    response.writeHead(404, { 'content-type': 'application/json' });
    return void response.end('{"type":"error","error":{"type":"not_found_error","message":"not here"}}');
  }
  const { model = '', stream = false } = parsed(body);
  const message = { id: 'msg_check', type: 'message', role: 'assistant', model, stop_sequence: null };
  const usage = { input_tokens: 1, output_tokens: 1 };
  if (!stream) {
    response.writeHead(200, { 'content-type': 'application/json' });
    const content = [{ type: 'text', text: word }];
    return void response.end(JSON.stringify({ ...message, content, stop_reason: 'end_turn', usage }));
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const say = (type: string, data: object) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  say('message_start', { message: { ...message, content: [], stop_reason: null, usage } });
  say('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
  say('content_block_delta', { index: 0, delta: { type: 'text_delta', text: word } });
  say('content_block_stop', { index: 0 });
  say('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage });
  say('message_stop', {});
  response.end();
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch {
    // The CLI has ended already; its own message says why.
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(body: string): { model?: string; stream?: boolean } {
  try {
    return JSON.parse(body) as { model?: string; stream?: boolean };
  } catch {
    return {};
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
}
