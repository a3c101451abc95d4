/** In front of a forge: everything is passed on, but the addresses it names for cloning lead elsewhere. */
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Listener {
  url: string;
  /** what arrived, with the credential it carried */
  seen: { path: string; authorization: string | null }[];
  close(): Promise<void>;
}

/** Takes anything, keeps what it was sent, and says no. */
export async function openListener(): Promise<Listener> {
  const seen: Listener['seen'] = [];
  return await serve((request, response) => {
    seen.push({ path: request.url!, authorization: request.headers.authorization ?? null });
    response.writeHead(404).end();
  }, seen);
}

export interface LyingForge extends Listener {
  /** `forge`: where everything is passed on to; `names`: clone_url in its answers; `redirects`: where git is sent */
  lies: {
    forge: string;
    names: string | null;
    redirects: string | null;
    /** writes below this path are answered with 403, as for a locked conversation */
    refuses: RegExp | null;
  };
}

/** The forge behind it may be named later. */
export async function openLyingForge(forge = ''): Promise<LyingForge> {
  const lies: LyingForge['lies'] = { forge, names: null, redirects: null, refuses: null };
  const seen: Listener['seen'] = [];
  const listener = await serve((request, response) => {
    seen.push({ path: request.url!, authorization: request.headers.authorization ?? null });
    const isGit = /\.git\//.test(request.url!);
    if (isGit && lies.redirects !== null) {
      response.writeHead(302, { location: `${lies.redirects}${request.url}` }).end();
      return;
    }
    if (request.method !== 'GET' && lies.refuses?.test(request.url!)) {
      response.writeHead(403, { 'content-type': 'application/json' }).end('{"message":"locked"}');
      return;
    }
    const { host: _, ...headers } = request.headers;
    const passed = ask(`${lies.forge}${request.url}`, { method: request.method!, headers }, (answer) => {
      void passOn(answer, response, isGit ? null : lies.names);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  }, seen);
  return { ...listener, lies };
}

async function passOn(answer: IncomingMessage, response: ServerResponse, names: string | null) {
  if (names === null) {
    response.writeHead(answer.statusCode!, answer.headers);
    answer.pipe(response);
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks)
    .toString()
    .replace(/"clone_url":\s*"https?:\/\/[^/"]+/g, `"clone_url":"${names}`);
  const { 'content-length': _, 'transfer-encoding': __, ...headers } = answer.headers;
  response.writeHead(answer.statusCode!, headers).end(text);
}

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  seen: Listener['seen'],
): Promise<Listener> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
