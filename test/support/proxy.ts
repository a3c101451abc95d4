/** Proxies of a test: one that works and keeps what it was asked, and one that takes connections and says nothing. */
import { request as ask, createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TestProxy {
  url: string;
  /** `GET http://forge.test:3000/x`, `CONNECT forge.test:443`, in order */
  asked: string[];
  /** value of Proxy-Authorization, of each */
  credentials: (string | null)[];
}

/**
 * Whatever name it is asked for, it goes to 127.0.0.1: names of the test exist nowhere else, so what reaches them has
 * come this way. With `password` it takes only that user.
 */
export async function openProxy({ password }: { password?: string } = {}): Promise<TestProxy> {
  const asked: string[] = [];
  const credentials: TestProxy['credentials'] = [];
  const wanted = password === undefined ? null : `Basic ${Buffer.from(`ada:${password}`).toString('base64')}`;
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    credentials.push(request.headers['proxy-authorization'] ?? null);
    if (wanted !== null && request.headers['proxy-authorization'] !== wanted) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic realm="test"' }).end();
      return;
    }
    const { port, pathname, search } = new URL(request.url!);
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const at = { host: '127.0.0.1', port, path: `${pathname}${search}`, method: request.method!, headers };
    const passed = ask(at, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  });
  server.on('connect', (request, socket: Socket) => {
    asked.push(`CONNECT ${request.url}`);
    credentials.push(request.headers['proxy-authorization'] ?? null);
    if (wanted !== null && request.headers['proxy-authorization'] !== wanted) {
      socket.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="test"\r\n\r\n',
      );
      return;
    }
    const out = connect(Number(request.url!.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      out.pipe(socket).pipe(out);
    });
    for (const one of [out, socket])
      one.on('error', () => [out, socket].forEach((end) => void end.destroy()));
  });
  server.on('connection', (socket) => sockets.add(socket));
  return { url: await listening(server, sockets), asked, credentials };
}

/** A firewall's kind: it takes the connection and never answers. */
export async function openSilentProxy(): Promise<string> {
  const sockets = new Set<Socket>();
  return await listening(
    createTcpServer((socket) => void sockets.add(socket)),
    sockets,
  );
}

async function listening(server: ReturnType<typeof createTcpServer>, sockets: Set<Socket>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
