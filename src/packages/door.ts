/**
 * The package door of one container: HTTP on a unix socket. A request is read to parts that were checked, judged by the
 * policy, and answered from the cache or from a document that was rewritten. Nothing of the request itself goes out.
 */
import { chmod } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { PackageSettings } from '../config/config.ts';
import { DOOR_PORTS } from '../container/doors.ts';
import type { Log } from '../log.ts';
import type { EcosystemName, PackagePolicy } from '../vocabulary.ts';
import type { Asked, AskedArtefact, AskedMetadata, Ecosystem } from './ecosystem.ts';
import { type Addressed, addressedIn } from './ecosystems.ts';
import { readPieces } from './file-bytes.ts';
import type { Locked } from './locked.ts';
import { judgeAsked, LockedPackages } from './policy.ts';
import { PackageRefused, type PackageVerdict, reasonPhrase } from './refused.ts';
import type { GivenFile, PackageStore } from './store.ts';

/** What became of one request, for the audit. */
export interface PackageAttempt {
  action: string;
  verdict: PackageVerdict;
  reason: string | null;
  detail: Record<string, unknown>;
}

export interface DoorDeps {
  store: PackageStore;
  settings: () => PackageSettings;
  /** as of now: a session may get a mark while it runs */
  policy: () => PackagePolicy;
  /** read once, with the first request that needs them */
  locked: () => Promise<LockedPackages>;
  record(attempt: PackageAttempt): void;
  log: Log;
}

/** npm opens 15 by default. */
const MOST_CONNECTIONS = 128;
const NOTHING_LOCKED = new LockedPackages([], []);
const LONGEST_URL = 1024;
const MOST_AUDITED_OVER_LIMIT = 100;

export interface PackageDoor {
  /** idempotent; cuts answers under way and waits until they are accounted for */
  close(): Promise<void>;
}

/** Where an ecosystem is at the door, as programs inside see it. */
export function baseOf(name: EcosystemName): string {
  return `http://127.0.0.1:${DOOR_PORTS.packages}/${name}`;
}

export async function openPackageDoor(socketPath: string, deps: DoorDeps): Promise<PackageDoor> {
  const underWay = new Set<Promise<void>>();
  const spent: Spent = { requests: 0, bytes: 0 };
  const server = createServer((request, response) => {
    response.on('error', () => {});
    request.resume();
    const work = answer({ request, response, spent }, deps).finally(() => underWay.delete(work));
    underWay.add(work);
  });
  server.maxConnections = MOST_CONNECTIONS;
  const tunnel = (request: IncomingMessage, socket: Duplex) => refuseTunnel(request, socket, deps);
  server.on('connect', tunnel);
  server.on('upgrade', tunnel);
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, () => resolve());
  });
  await chmod(socketPath, 0o666);
  return {
    close: async () => {
      await closeServer(server);
      await Promise.allSettled(underWay);
    },
  };
}

interface Spent {
  requests: number;
  bytes: number;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  spent: Spent;
}

interface Told {
  action: string;
  ecosystem: Ecosystem | null;
  detail: Record<string, unknown>;
}

async function answer(exchange: Exchange, deps: DoorDeps): Promise<void> {
  const { request, response, spent } = exchange;
  const told: Told = { action: rawAction(request), ecosystem: null, detail: {} };
  try {
    spent.requests += 1;
    const bytes = await pass(exchange, told, deps);
    deps.record({
      action: told.action,
      verdict: 'passed',
      reason: null,
      detail: { ...told.detail, bytes },
    });
  } catch (error) {
    const refused = refusedBy(error, response, deps);
    if (refused.verdict !== 'limit' || spent.requests <= mostRequests(deps) + MOST_AUDITED_OVER_LIMIT) {
      deps.record({
        action: told.action,
        verdict: refused.verdict,
        reason: refused.message,
        detail: told.detail,
      });
    }
    if (response.headersSent) return void response.destroy();
    sendRefusal(response, refused, told.ecosystem);
  }
}

function mostRequests({ settings }: DoorDeps): number {
  return settings().limits.requests;
}

function refusedBy(error: unknown, response: ServerResponse, deps: DoorDeps): PackageRefused {
  if (error instanceof PackageRefused) return error;
  if (response.destroyed) {
    return new PackageRefused(499, 'failed', 'The tool left before it had the whole answer.');
  }
  deps.log.error('The package door failed at a request. Report this message.', { error: String(error) });
  return new PackageRefused(
    500,
    'failed',
    'The package door failed. Try again; the operator finds it in the log.',
  );
}

/** Answers how many bytes were given. */
async function pass(exchange: Exchange, told: Told, deps: DoorDeps): Promise<number> {
  const { request, spent } = exchange;
  const { limits } = deps.settings();
  if (spent.requests > limits.requests) {
    throw limit(
      `This run has asked ${limits.requests} times for packages, which is the most (packages.limits.requests).`,
    );
  }
  const { ecosystem, asked } = askedIn(request, told);
  const policy = deps.policy();
  const known = policy === 'lockfile' ? await deps.locked() : NOTHING_LOCKED;
  const locked = judgeAsked({ ecosystem: ecosystem.name, asked, policy, locked: known });
  return asked.kind === 'metadata'
    ? await giveDocument(exchange, { ecosystem, asked, locked }, deps)
    : await giveFile(exchange, { ecosystem, asked, locked, told }, deps);
}

function askedIn(request: IncomingMessage, told: Told): { ecosystem: Ecosystem; asked: Asked } {
  const { method, url = '', headers } = request;
  const addressed = url.length <= LONGEST_URL ? addressedIn(url.split('?')[0]!) : null;
  told.ecosystem = addressed?.ecosystem ?? null;
  // guard: packages: only GET and HEAD
  if (method !== 'GET' && method !== 'HEAD') {
    throw new PackageRefused(
      405,
      'method',
      `Nothing is published or asked by ${method} here: GET and HEAD pass.`,
    );
  }
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (hasBody) throw path('A request for a package has no body.');
  // guard: packages: no query
  if (url.includes('?')) throw path('A request for a package has no query.');
  const asked = addressed === null ? null : parsed(addressed);
  if (addressed === null || asked === null) {
    throw path('This is no address of a package, or one of a kind that the package door does not know.');
  }
  told.action = `${method} ${nameOf(addressed.ecosystem, asked)}`;
  told.detail = { ecosystem: addressed.ecosystem.name, name: asked.name, kind: asked.kind };
  return { ecosystem: addressed.ecosystem, asked };
}

function parsed({ ecosystem, path }: Addressed): Asked | null {
  return ecosystem.parse(path);
}

function nameOf({ name }: Ecosystem, asked: Asked): string {
  const what = asked.kind === 'artefact' ? asked.file : asked.part;
  return [name, asked.name, asked.kind === 'artefact' ? asked.version : '', what]
    .filter((part) => part !== null && part !== '')
    .join(' ')
    .slice(0, 300);
}

async function giveDocument(
  { request, response, spent }: Exchange,
  at: { ecosystem: Ecosystem; asked: AskedMetadata; locked: readonly Locked[] | null },
  deps: DoorDeps,
): Promise<number> {
  const { ecosystem, asked, locked } = at;
  const registry = deps.settings().registries[ecosystem.name].url;
  const to = { asked, base: baseOf(ecosystem.name), registry, locked };
  const own = ecosystem.own?.(asked, to) ?? null;
  const document =
    own ?? (await deps.store.document(ecosystem, asked, (whole) => ecosystem.rewrite(whole, to)));
  charge(spent, document.body.length, deps);
  response.writeHead(200, {
    'content-type': document.contentType,
    'content-length': document.body.length,
  });
  response.end(request.method === 'HEAD' ? undefined : document.body);
  return document.body.length;
}

/** Throws when the tool left before the whole file was on its way to it. */
async function send({ handle, size }: GivenFile, response: ServerResponse): Promise<void> {
  let given = 0;
  try {
    const read = await readPieces({ handle, size }, (piece) => {
      given += piece.length;
      return written(response, piece);
    });
    if (read < size) throw new Error(`The file is shorter than its ${size} bytes.`);
    response.end();
  } catch (error) {
    // A tool that has the last byte may close the connection before Node reports the answer as finished.
    if (given < size) throw error;
  }
}

/** Resolves when the bytes are out, so that their memory can be used again. */
function written(response: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    // An answer that still waits for its turn on a connection is dropped with it, and its callbacks are, too.
    const onClose = () => reject(new Error('The tool closed the connection.'));
    if (response.destroyed) return onClose();
    response.once('close', onClose);
    response.write(piece, (error) => {
      response.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}

async function giveFile(
  { request, response, spent }: Exchange,
  at: { ecosystem: Ecosystem; asked: AskedArtefact; locked: readonly Locked[] | null; told: Told },
  deps: DoorDeps,
): Promise<number> {
  const { ecosystem, asked, locked, told } = at;
  const file = await deps.store.file(ecosystem, asked, locked);
  try {
    told.detail = { ...told.detail, version: asked.version, cached: file.cached };
    charge(spent, file.size, deps);
    response.writeHead(200, { 'content-type': ecosystem.contentType, 'content-length': file.size });
    if (request.method === 'HEAD') response.end();
    else await send(file, response);
    return request.method === 'HEAD' ? 0 : file.size;
  } finally {
    await file.handle.close();
  }
}

function charge(spent: Spent, bytes: number, deps: DoorDeps): void {
  const { limits } = deps.settings();
  if (spent.bytes + bytes > limits.bytes) {
    throw limit(
      `This run would have more than ${limits.bytes} bytes of packages, which is the most (packages.limits.bytes).`,
    );
  }
  spent.bytes += bytes;
}

function limit(message: string): PackageRefused {
  return new PackageRefused(403, 'limit', message);
}

function path(message: string): PackageRefused {
  return new PackageRefused(400, 'path', message);
}

function sendRefusal(response: ServerResponse, refused: PackageRefused, ecosystem: Ecosystem | null): void {
  const { body, contentType } = ecosystem?.refusal(refused.message) ?? plain(refused.message);
  // pip and Maven print the reason phrase and nothing else.
  response.writeHead(refused.status, reasonPhrase(refused.message), {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'x-claude-hooks': refused.verdict,
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function plain(message: string) {
  return { body: `claude-hooks: ${message}\n`, contentType: 'text/plain; charset=utf-8' };
}

function refuseTunnel(request: IncomingMessage, socket: Duplex, deps: DoorDeps): void {
  socket.on('error', () => {});
  const refused = new PackageRefused(405, 'method', 'Nothing is tunnelled here: this is no proxy.');
  deps.record({
    action: rawAction(request),
    verdict: refused.verdict,
    reason: refused.message,
    detail: {},
  });
  const { body } = plain(refused.message);
  socket.end(
    `HTTP/1.1 405 ${reasonPhrase(refused.message)}\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function rawAction(request: IncomingMessage): string {
  return `${request.method} ${request.url}`.slice(0, 200);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
