/** The sample MCP server by streamable HTTP, and as settings of a program. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { onTestFinished } from 'vitest';
import { type SampleOptions, sampleServer } from './mcp-server.ts';

/** Command and environment of the same server over stdio. */
export function stdioSample(o: SampleOptions & { crash?: boolean } = {}) {
  const script = fileURLToPath(new URL('./mcp-stdio-process.ts', import.meta.url));
  return { command: [process.execPath, script], environment: { SAMPLE: JSON.stringify(o) } };
}

export interface HttpSample {
  url: string;
  /** every request: method and all headers */
  asked: string[];
  /** forgets all sessions, as a restart does */
  restart(): void;
  /** answers everything with this from now on */
  redirectTo: string | null;
}

export async function serveSample(o: SampleOptions & { token: string }): Promise<HttpSample> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const asked: string[] = [];
  const sample: HttpSample = { url: '', asked, restart: () => sessions.clear(), redirectTo: null };
  const http = createServer((request, response) => {
    asked.push(`${request.method} ${JSON.stringify(request.headers)}`);
    void handle(request, response).catch(() => response.destroy());
  });
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (sample.redirectTo !== null)
      return void response.writeHead(307, { location: sample.redirectTo }).end();
    if (request.headers.authorization !== `Bearer ${o.token}`) return void response.writeHead(401).end();
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id) : undefined;
    if (typeof id === 'string' && known === undefined) return void response.writeHead(404).end();
    await (known ?? (await opened())).handleRequest(request, response);
  }
  async function opened(): Promise<StreamableHTTPServerTransport> {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    await sampleServer(o).connect(transport as never);
    return transport;
  }
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  sample.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
  return sample;
}
