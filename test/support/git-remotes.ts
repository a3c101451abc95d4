/** Real repositories to be remotes in tests: bare ones on disk, and the same over git's smart HTTP protocol. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ENV = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Somebody',
  GIT_AUTHOR_EMAIL: 'somebody@example.test',
  GIT_COMMITTER_NAME: 'Somebody',
  GIT_COMMITTER_EMAIL: 'somebody@example.test',
};

/** Runs git as a person would: with whatever configuration the folder has. Answers stdout without its last line end. */
export function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd,
    env: ENV,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trimEnd();
}

export function makeFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'claude-hooks-workdir-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A bare repository with one commit on main. */
export class BareRepository {
  readonly path: string;

  constructor(path: string, format: 'sha1' | 'sha256' = 'sha1') {
    this.path = path;
    git('/', 'init', '--quiet', '--bare', '--initial-branch=main', `--object-format=${format}`, path);
    git(path, 'config', 'http.receivepack', 'true');
    this.commit('refs/heads/main', 'README.md', 'hello\n', null);
  }

  /** Adds one commit that writes one file; `parent` is a ref or id, the ref itself when not given. */
  commit(
    ref: string,
    file: string,
    content: string,
    parent: string | null = ref,
    { message = `write ${file}`, mode = '100644' } = {},
  ): string {
    const blob = execFileSync('git', ['hash-object', '-w', '--stdin'], {
      cwd: this.path,
      env: ENV,
      input: content,
      encoding: 'utf8',
    }).trim();
    const index = { ...ENV, GIT_INDEX_FILE: join(this.path, 'test-index') };
    const run = (...args: string[]) =>
      execFileSync('git', args, { cwd: this.path, env: index, encoding: 'utf8' }).trim();
    run('read-tree', ...(parent === null ? ['--empty'] : [parent]));
    run('update-index', '--add', '--cacheinfo', `${mode},${blob},${file}`);
    const parents = parent === null ? [] : ['-p', parent];
    const sha = run('commit-tree', run('write-tree'), ...parents, '-m', message);
    run('update-ref', ref, sha);
    return sha;
  }

  head(ref: string): string | null {
    try {
      return git(this.path, 'rev-parse', '--verify', '--quiet', ref);
    } catch {
      return null;
    }
  }
}

export interface GitHttpServer {
  /** `http://127.0.0.1:<port>`; a repository is `<url>/<folder>.git` */
  url: string;
  requests: { method: string; path: string; authorization: string | null }[];
  /** answer this status to everything; null = serve */
  refuseWith: number | null;
  /** argument lists of all processes of this machine while requests were served, where /proc exists */
  argumentsSeen: Set<string>;
  close(): Promise<void>;
}

/** `git http-backend` behind Basic authentication with one token. */
export async function serveGit(folder: string, token: string): Promise<GitHttpServer> {
  const expected = `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
  const server = createServer((request, response) => {
    const authorization = request.headers.authorization ?? null;
    served.requests.push({ method: request.method!, path: request.url!, authorization });
    noteArguments(served.argumentsSeen);
    if (served.refuseWith !== null) {
      response.writeHead(served.refuseWith, { location: 'http://127.0.0.1:9/elsewhere' }).end();
    } else if (authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    } else {
      runBackend(folder, request, response);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const served: GitHttpServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    refuseWith: null,
    argumentsSeen: new Set(),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return served;
}

function runBackend(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url!, 'http://localhost');
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...ENV,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: 'agent',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  backend.stdin.on('error', () => {});
  request.pipe(backend.stdin);
  const chunks: Buffer[] = [];
  backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  backend.on('close', () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf('\r\n\r\n');
    const headers = output.subarray(0, end).toString('latin1').split('\r\n');
    let status = 200;
    for (const line of headers) {
      const colon = line.indexOf(':');
      const value = line.slice(colon + 1).trim();
      if (line.startsWith('Status:')) status = Number.parseInt(value, 10);
      else response.setHeader(line.slice(0, colon), value);
    }
    response.writeHead(status).end(output.subarray(end + 4));
  });
}

function noteArguments(seen: Set<string>): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      seen.add(readFileSync(join('/proc', pid, 'cmdline'), 'utf8').replaceAll('\0', ' '));
    } catch {
      // It ended in between.
    }
  }
}
