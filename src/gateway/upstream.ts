/** Sends one request to the configured Messages API, over connections that are kept open. */
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import type { Credential } from './port.ts';

export interface Upstream {
  /** a path is kept: `/v1/messages` comes behind it */
  baseUrl: string;
  credential: Credential;
}

export interface UpstreamRequest {
  baseUrl: string;
  path: string;
  headers: OutgoingHttpHeaders;
  body: Buffer;
  signal: AbortSignal;
}

/** The proxy's address with user and password, or null: directly. */
export type ProxyFor = (address: string) => string | null;

/** No answer came: a wrong address, the network, or a cut connection. `code` is Node's error code. */
export class UpstreamFailed extends Error {
  override name = 'UpstreamFailed';
  readonly code: string;
  constructor(code: string, detail: string) {
    super(detail);
    this.code = code;
  }
}

const CONNECT_MS = 15_000;

export class UpstreamLine {
  readonly #agents = new Map<string, HttpAgent>();
  readonly #proxyFor: ProxyFor;

  constructor(proxyFor: ProxyFor) {
    this.#proxyFor = proxyFor;
  }

  /** Resolves with the head of the answer, whatever its status. Redirects are not followed. */
  async ask(asked: UpstreamRequest): Promise<IncomingMessage> {
    for (;;) {
      const { answer, sent } = this.#send(asked);
      try {
        return await answer;
      } catch (error) {
        // Upstream closed a kept connection just as we used it. It has read nothing, so the request can be sent again.
        const stale = sent.reusedSocket && (error as UpstreamFailed).code === 'ECONNRESET';
        if (!stale || asked.signal.aborted) throw error;
      }
    }
  }

  #send(asked: UpstreamRequest): { answer: Promise<IncomingMessage>; sent: ClientRequest } {
    const url = new URL(asked.baseUrl);
    const isTls = url.protocol === 'https:';
    const sent = (isTls ? httpsRequest : httpRequest)({
      protocol: url.protocol,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port,
      path: url.pathname.replace(/\/+$/, '') + asked.path,
      method: 'POST',
      headers: { ...asked.headers, host: url.host, 'content-length': asked.body.length },
      agent: this.#agentFor(url),
      signal: asked.signal,
    });
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      // Node does not tell the request that it was aborted while a proxy is asked for a tunnel.
      const aborted = () => reject(new UpstreamFailed('ABORT_ERR', 'the request was ended'));
      // guard: network: a tunnel that never comes
      asked.signal.addEventListener('abort', aborted, { once: true });
      sent.once('close', () => asked.signal.removeEventListener('abort', aborted));
      // This listener stays: a connection that breaks after the head reports here too, and without a listener the
      // process would end.
      sent.on('error', (error: NodeJS.ErrnoException) =>
        reject(new UpstreamFailed(error.code ?? 'EUNKNOWN', error.message)),
      );
    });
    boundConnecting(sent);
    write(sent, asked.body);
    return { answer, sent };
  }

  #agentFor(url: URL): HttpAgent {
    // guard: network: the model
    const proxy = this.#proxyFor(`${url.origin}/`);
    const key = `${url.protocol} ${proxy}`;
    const agent = this.#agents.get(key) ?? newAgent(url.protocol === 'https:', proxy);
    this.#agents.set(key, agent);
    return agent;
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }
}

function newAgent(isTls: boolean, proxy: string | null): HttpAgent {
  const Agent = isTls ? HttpsAgent : HttpAgent;
  if (proxy === null) return new Agent({ keepAlive: true });
  // Node itself would wait for the tunnel without a limit.
  return new Agent({
    keepAlive: true,
    timeout: CONNECT_MS,
    proxyEnv: { http_proxy: proxy, https_proxy: proxy },
  });
}

/** TLS encrypts the whole of one write at once: 64 MiB would block the event loop. */
const PIECE_BYTES = 1024 * 1024;

function write(sent: ClientRequest, body: Buffer): void {
  if (body.length <= PIECE_BYTES) sent.end(body);
  else Readable.from(pieces(body), { objectMode: false }).pipe(sent);
}

function* pieces(body: Buffer): Generator<Buffer> {
  for (let from = 0; from < body.length; from += PIECE_BYTES) yield body.subarray(from, from + PIECE_BYTES);
}

function boundConnecting(sent: ClientRequest): void {
  sent.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => {
      sent.destroy(Object.assign(new Error(`no connection in ${CONNECT_MS} ms`), { code: 'ETIMEDOUT' }));
    }, CONNECT_MS);
    const done = () => clearTimeout(timer);
    socket.once('connect', done);
    socket.once('close', done);
  });
}
