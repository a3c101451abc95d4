/** A Messages API on loopback that answers as the test wants, and plain requests over a unix socket. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TakenRequest {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  /** names and values as they came, in order */
  rawHeaders: string[];
  body: Buffer;
}

export interface UpstreamForTest {
  url: string;
  taken: TakenRequest[];
  /** connections made so far */
  connections(): number;
}

type Handler = (taken: TakenRequest, response: ServerResponse) => void | Promise<void>;

export async function upstreamForTest(handler: Handler): Promise<UpstreamForTest> {
  const taken: TakenRequest[] = [];
  let connections = 0;
  const server = createServer(async (incoming, response) => {
    response.on('error', () => {});
    const { method = '', url = '', headers, rawHeaders } = incoming;
    const one = { method, url, headers, rawHeaders, body: await bodyOf(incoming) };
    taken.push(one);
    await handler(one, response);
  });
  server.on('connection', () => {
    connections++;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    connections: () => connections,
  };
}

export async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function messageOf(model: string, usage: Record<string, unknown>) {
  const content = [{ type: 'text', text: 'hello' }];
  return { id: 'msg_1', type: 'message', role: 'assistant', model, content, stop_reason: 'end_turn', usage };
}

export function event(type: string, data: Record<string, unknown>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}

export interface AtSocket {
  socket: string;
  method?: string;
  path?: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
}

/** Resolves with the head of the answer. */
export async function askAtSocket(o: AtSocket): Promise<IncomingMessage> {
  const sent = request({
    socketPath: o.socket,
    agent: false,
    method: o.method ?? 'POST',
    path: o.path ?? '/v1/messages',
    headers: { host: 'localhost', 'content-type': 'application/json', ...o.headers },
  });
  sent.end(o.body ?? '{"model":"claude-opus-5-5","messages":[]}');
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return answer;
}

export interface Heard {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export async function hearAtSocket(o: AtSocket): Promise<Heard> {
  const answer = await askAtSocket(o);
  return {
    status: answer.statusCode!,
    headers: answer.headers,
    text: (await bodyOf(answer)).toString('utf8'),
  };
}
