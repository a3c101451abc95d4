/**
 * The way to the model for a CLI that ignores ANTHROPIC_UNIX_SOCKET: a forwarder from a loopback port to the socket.
 *
 * The CLI is a single file made with Bun, and Bun runs a script before the program when BUN_OPTIONS says so (seen on
 * CLI 2.1.330; BUN_BE_BUN is switched off in it). So the forwarder runs in the CLI's own process, in any image, and ends
 * with it: no second process, no interpreter in the image, no shell between us and the CLI's signals and exit code.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The random path keeps others out: without isolation, or with `network: host`, the whole machine shares this loopback.
 * Bun ends a silent connection after 10 s by default, and a model can think longer.
 */
const SCRIPT = `const { env } = Bun;
const socket = env.CLAUDE_HOOKS_MODEL_SOCKET;
delete env.BUN_OPTIONS;
delete env.CLAUDE_HOOKS_MODEL_SOCKET;
const prefix = '/' + crypto.randomUUID();
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  idleTimeout: 0,
  maxRequestBodySize: 64 * 1024 * 1024,
  fetch(request) {
    const url = new URL(request.url);
    if (!url.pathname.startsWith(prefix + '/')) return new Response(null, { status: 404 });
    const headers = new Headers(request.headers);
    headers.set('host', 'localhost');
    return fetch('http://localhost' + url.pathname.slice(prefix.length) + url.search, {
      unix: socket,
      method: request.method,
      headers,
      body: request.body,
      signal: request.signal,
      redirect: 'manual',
      decompress: false,
      timeout: false,
    });
  },
});
server.unref();
env.ANTHROPIC_BASE_URL = 'http://127.0.0.1:' + server.port + prefix;
`;

/** Writes the script into `folder` and answers its path on this machine. */
export async function writeForwarder(folder: string): Promise<string> {
  const path = join(folder, 'model-forwarder.js');
  await mkdir(folder, { recursive: true });
  await writeFile(path, SCRIPT);
  await chmod(path, 0o644);
  return path;
}

/** The CLI's environment with the forwarder in place of the socket variable; `script` as the CLI sees it. */
export function forwarderEnvironment(env: Record<string, string>, script: string): Record<string, string> {
  const { ANTHROPIC_UNIX_SOCKET: socket, ...rest } = env;
  if (socket === undefined) return env;
  return { ...rest, CLAUDE_HOOKS_MODEL_SOCKET: socket, BUN_OPTIONS: `--preload=${script}` };
}
