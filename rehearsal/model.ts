/**
 * The rehearsal model: Anthropic's Messages API, played from a script, so that the real Claude Code CLI runs without a
 * key, a network or a cost. docs/rehearsal-model.md says how to write a script and what this cannot prove.
 */
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorAnswer, sendError } from './model-answer.ts';
import { PromptCache } from './model-cache.ts';
import { FaultCounter, Holds } from './model-faults.ts';
import { answerMessages, type Play, type Rehearsal } from './model-messages.ts';
import { blankRecord, type RecordedRequest } from './model-record.ts';
import type { ModelScript } from './model-script.ts';

export interface RehearsalModel {
  /** `http://127.0.0.1:PORT`; `http://localhost` where it listens on a socket alone */
  url: string;
  socketPath: string | null;
  /** in order of arrival; a record is there as soon as its request has been read */
  requests: readonly RecordedRequest[];
  /** Swaps the script: faults count from zero, holds are closed again; the prompt cache stays. */
  use(script: ModelScript): void;
  /** Lets the replies that wait in this hold go on, now and from now on. */
  release(name: string): void;
  /** Resolves as soon as a reply waits, or has waited, in this hold. */
  reached(name: string): Promise<void>;
  /** From now on only this key, or this token, is known; every other is answered with 401. null = all are. */
  accept(credential: string | null): void;
  /** Cuts what is still open. */
  close(): Promise<void>;
}

/** Listens on TCP, on a unix socket, or on both if both are given. Port 0 or none: a free one. */
export async function startRehearsalModel(o: {
  script: ModelScript;
  port?: number;
  /** default 127.0.0.1 */
  host?: string;
  /** a stale file at this path is replaced */
  socketPath?: string;
}): Promise<RehearsalModel> {
  const requests: RecordedRequest[] = [];
  const cache = new PromptCache();
  let play: Play = begin(o.script);
  let accepted: string | null = null;
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    void handle(request, response, { play, cache, requests, accepted });
  };
  const servers: Server[] = [];
  let url = 'http://localhost';
  if (o.socketPath !== undefined) {
    rmSync(o.socketPath, { force: true });
    servers.push(await listen(createServer(serve), { path: o.socketPath }));
  }
  if (o.port !== undefined || o.socketPath === undefined) {
    const host = o.host ?? '127.0.0.1';
    const server = await listen(createServer(serve), { port: o.port ?? 0, host });
    servers.push(server);
    url = `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`;
  }
  return {
    url,
    socketPath: o.socketPath ?? null,
    requests,
    use: (script) => {
      play = begin(script);
    },
    accept: (credential) => {
      accepted = credential;
    },
    release: (name) => play.holds.release(name),
    reached: (name) => play.holds.reached(name),
    close: async () => {
      await Promise.all(servers.map(closeServer));
    },
  };
}

function begin(script: ModelScript): Play {
  return { script, faults: new FaultCounter(), holds: new Holds() };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  rehearsal: Rehearsal,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname === '/healthz') return answerPlain(response, { status: 'ok' });
  if (url.pathname.startsWith('/_rehearsal/')) return answerControl(request, response, url, rehearsal);
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  // Writing to a client that has just left raises an error that must not end the process; 'close' is enough to know.
  response.on('error', () => {});
  const record = blankRecord(url.pathname, request.headers, Date.now());
  const exchange = { response, record, gone: gone.signal };
  try {
    if (request.method === 'POST' && /\/v1\/messages(\/count_tokens)?$/.test(url.pathname)) {
      await answerMessages(request, exchange, rehearsal);
    } else {
      rehearsal.requests.push(record);
      sendError(exchange, errorAnswer(404, `Not found: ${request.method} ${url.pathname}`));
    }
  } catch (error) {
    if (gone.signal.aborted || response.headersSent) response.destroy();
    else sendError(exchange, errorAnswer(500, `the rehearsal model failed: ${(error as Error).message}`));
  }
}

/** For a process that did not start the model: reads the records, opens a hold. */
function answerControl(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  rehearsal: Rehearsal,
): void {
  const [, , verb = '', name = ''] = url.pathname.split('/').map(decodeURIComponent);
  if (request.method === 'GET' && verb === 'requests') {
    const since = Number(url.searchParams.get('since') ?? 0) || 0;
    answerPlain(response, { total: rehearsal.requests.length, requests: rehearsal.requests.slice(since) });
    return;
  }
  if (request.method === 'POST' && verb === 'release' && name !== '') {
    rehearsal.play.holds.release(name);
    answerPlain(response, { released: name });
    return;
  }
  response.writeHead(404).end();
}

function answerPlain(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function listen(server: Server, at: { port: number; host: string } | { path: string }): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
