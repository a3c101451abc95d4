/** Git over HTTP through the real `git http-backend`, and noticing what a push changed. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Hono } from 'hono';
import { ForgeMissing } from '../src/errors.ts';
import { findRepository, fullName, may, requirePermission } from './pocket-forge-access.ts';
import { folderOf, type PocketContext } from './pocket-forge-context.ts';
import { publishRefMoves } from './pocket-forge-pushes.ts';
import { nameNow } from './pocket-forge-renames.ts';
import { listRefs } from './pocket-forge-repositories.ts';
import { type PocketApi, visitor } from './pocket-forge-requests.ts';
import { requireGitScope } from './pocket-forge-scopes.ts';
import type { StoredRepository, StoredUser } from './pocket-forge-state.ts';

/** A push is read whole before git gets it, so that a client that stalls does not block others. */
const PUSH_LIMIT = 256 * 1024 * 1024;

const SERVICES = ['info/refs', 'git-upload-pack', 'git-receive-pack'];

type Backend = ChildProcessByStdio<Writable, Readable, null>;

interface BackendAnswer {
  status: number;
  headers: Headers;
  body: AsyncIterable<Buffer>;
}

export interface GitServer {
  /** Ends the git processes that still serve somebody. */
  close(): Promise<void>;
}

/** Adds `/{owner}/{name}.git/…`; a name without `.git` works too, as it does on the forge. */
export function serveGit(app: Hono<PocketApi>, context: PocketContext): GitServer {
  const running = new Set<Backend>();
  app.all('/:owner/:name/:service{info/refs|git-upload-pack|git-receive-pack}', async (c) => {
    const service = c.req.param('service');
    if (!SERVICES.includes(service)) throw new ForgeMissing('No such git service. Use the clone address.');
    const { owner, name } = c.req.param();
    const fullNameAsked = `${owner}/${name.replace(/\.git$/, '')}`;
    const movedTo = nameNow(context.state, fullNameAsked);
    if (movedTo !== null) return c.redirect(`/${movedTo}.git/${service}${new URL(c.req.url).search}`, 301);
    const repository = findGitRepository(context, fullNameAsked, visitor(c));
    const push = service === 'git-receive-pack' || c.req.query('service') === 'git-receive-pack';
    requireGitScope(c.get('token'), fullNameAsked, push);
    const refused = refuse(repository, visitor(c), push);
    if (refused !== null) return refused;
    const call = { context, running, repository, service, request: c.req.raw };
    const actor = visitor(c);
    if (service !== 'git-receive-pack' || actor === null) return respond(await startBackend(call, null));
    return receive(call, actor);
  });
  return {
    close: async () => {
      const exits = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)));
      for (const child of running) child.kill('SIGKILL');
      await Promise.all(exits);
    },
  };
}

/** An account that may not read a private repository gets the same answer as one without a token. */
function findGitRepository(
  context: PocketContext,
  name: string,
  user: StoredUser | null,
): StoredRepository | null {
  try {
    return findRepository(context.state, name);
  } catch (error) {
    if (error instanceof ForgeMissing && user === null) return null;
    throw error;
  }
}

function refuse(
  repository: StoredRepository | null,
  user: StoredUser | null,
  push: boolean,
): Response | null {
  const allowed = repository !== null && may(repository, user, push ? 'write' : 'read');
  if (allowed) return null;
  if (user === null) {
    const headers = { 'WWW-Authenticate': 'Basic realm="Pocket Forge"', 'Content-Type': 'text/plain' };
    return new Response('This needs an account: give a token as the password.\n', { status: 401, headers });
  }
  if (repository !== null) requirePermission(repository, user, push ? 'write' : 'read');
  return null;
}

interface BackendCall {
  context: PocketContext;
  running: Set<Backend>;
  repository: StoredRepository | null;
  service: string;
  request: Request;
}

async function receive(call: BackendCall, actor: StoredUser): Promise<Response> {
  const { context, repository } = call;
  if (repository === null) throw new ForgeMissing('No such repository. Check the clone address.');
  const pack = await readLimited(call.request);
  if (pack === null) return new Response('The push is too large. Push less at once.\n', { status: 413 });
  return context.change(async () => {
    const folder = folderOf(context, repository);
    const before = await listRefs(context.git, folder);
    const answer = await startBackend(call, pack);
    // The report is read to its end. Then git has finished and every ref has moved, and refs can be compared.
    const chunks: Buffer[] = [];
    for await (const chunk of answer.body) chunks.push(chunk);
    const after = await listRefs(context.git, folder);
    await publishRefMoves(context, { repository, actor, before, after, closesIssues: true });
    return new Response(Buffer.concat(chunks), { status: answer.status, headers: answer.headers });
  });
}

async function readLimited(request: Request): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > PUSH_LIMIT) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function respond(answer: BackendAnswer): Response {
  const body = ReadableStream.from(answer.body) as ReadableStream<Uint8Array>;
  return new Response(body, { status: answer.status, headers: answer.headers });
}

/** `pack` is the whole request body, or null to stream the request's own. */
async function startBackend(call: BackendCall, pack: Buffer | null): Promise<BackendAnswer> {
  const { context, running, request } = call;
  const child = spawn(context.git.backend, [], {
    env: backendEnvironment(call, pack),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  child.once('error', () => running.delete(child));
  const input = pack === null ? (request.body ?? []) : [pack];
  // git may answer or die before it has read everything. The end of its answer says which.
  pipeline(input, child.stdin).catch(() => child.stdin.destroy());
  return readAnswer(child);
}

function backendEnvironment(call: BackendCall, pack: Buffer | null): NodeJS.ProcessEnv {
  const { context, repository, request, service } = call;
  const header = (name: string) => request.headers.get(name) ?? '';
  const length = pack === null ? header('content-length') : String(pack.byteLength);
  const name = repository === null ? '' : fullName(context.state, repository);
  return {
    ...context.git.environment(),
    GIT_PROJECT_ROOT: context.git.root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${name}.git/${service}`,
    QUERY_STRING: new URL(request.url).search.slice(1),
    REQUEST_METHOD: request.method,
    CONTENT_TYPE: header('content-type'),
    HTTP_CONTENT_ENCODING: header('content-encoding'),
    GIT_PROTOCOL: header('git-protocol'),
    REMOTE_ADDR: '127.0.0.1',
    // A name here is http-backend's condition for receiving a push.
    REMOTE_USER: 'pocket-forge',
    ...(length === '' ? {} : { CONTENT_LENGTH: length }),
  };
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** Splits the CGI answer into head and body. The child is killed when the reader of the body gives up. */
async function readAnswer(child: Backend): Promise<BackendAnswer> {
  const chunks = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let seen: Buffer = Buffer.alloc(0);
  while (!seen.includes(HEAD_END)) {
    const next = await chunks.next();
    if (next.done === true)
      throw new Error('git http-backend gave no answer. Run git fsck on the repository.');
    seen = Buffer.concat([seen, next.value]);
  }
  const end = seen.indexOf(HEAD_END);
  const headers = new Headers();
  let status = 200;
  for (const line of seen.subarray(0, end).toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else headers.append(name, value);
  }
  return { status, headers, body: restOf(child, chunks, seen.subarray(end + HEAD_END.length)) };
}

async function* restOf(child: Backend, chunks: AsyncIterator<Buffer>, first: Buffer) {
  try {
    if (first.byteLength > 0) yield first;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  } finally {
    child.kill();
  }
}
