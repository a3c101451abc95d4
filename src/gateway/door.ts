/** One dispatch's socket: requests are admitted or refused, and admitted ones are passed on. */
import { chmod } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { admit, errorBody, isRefusal, type Refusal, refusal } from './admission.ts';
import { type Held, readBody, sizeOf } from './body.ts';
import type { RunAtGateway } from './exchange.ts';
import { createInspector, type Inspector } from './inspector.ts';
import { mayName, wantsLongContext } from './models.ts';
import { passOn } from './pass.ts';
import { sendRefusal } from './relay.ts';

/**
 * The CLI opens one connection for itself and one for each subagent. A program that opens more than this is not the
 * CLI.
 */
const MOST_AT_ONCE = 32;
const MOST_CONNECTIONS = 128;

export interface Door {
  /** idempotent; cuts requests under way and waits until they are accounted for */
  close(): Promise<void>;
}

export async function openDoor(socketPath: string, at: RunAtGateway): Promise<Door> {
  const underWay = new Set<Promise<void>>();
  const held: Held = { bytes: 0 };
  const inspector = createInspector();
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    // Writing to a CLI that has just left raises an error that must not end the process; 'close' is enough to know.
    response.on('error', () => {});
    const refused = refusalOf(at, request, underWay.size);
    if ('status' in refused) return refuse(at, request, response, refused);
    const work = serve({ request, response, path: refused.path, held, inspector }, at).finally(() => {
      underWay.delete(work);
    });
    underWay.add(work);
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on('connect', (request, socket) => refuseTunnel(at, request, socket));
  // guard: tunnels
  server.on('upgrade', (request, socket) => refuseTunnel(at, request, socket));
  server.on('clientError', (_error, socket) => {
    at.refused({ action: 'no HTTP', reason: 'These bytes are no HTTP request.' });
    endWith(socket, refusal(400, 'These bytes are no HTTP request. Send one.'));
  });
  await listen(server, socketPath);
  await chmod(socketPath, 0o666);
  return {
    close: async () => {
      await closeServer(server);
      await inspector.close();
      await Promise.allSettled(underWay);
    },
  };
}

function refusalOf(at: RunAtGateway, request: IncomingMessage, underWay: number): Refusal | { path: string } {
  const { method = '', url = '', headers } = request;
  const admission = admit({ method, url, headers }, { longContext: wantsLongContext(at.run.models) });
  if (isRefusal(admission)) return admission;
  return underWay < MOST_AT_ONCE
    ? admission
    : refusal(429, `More than ${MOST_AT_ONCE} requests at once. Wait for the answers of some.`);
}

async function serve(
  o: {
    request: IncomingMessage;
    response: ServerResponse;
    path: string;
    held: Held;
    inspector: Inspector;
  },
  at: RunAtGateway,
): Promise<void> {
  const { request, response, path, held, inspector } = o;
  const came = await readBody(request, held);
  if (came === null) return;
  if ('status' in came) return refuse(at, request, response, came);
  try {
    const inspected = await inspector.inspect(came);
    if (response.destroyed) return;
    if ('status' in inspected) return refuse(at, request, response, inspected);
    const { body, model, maxTokens, tools, question } = inspected;
    // guard: model: tools that the agent does not have
    const tool = tools.find((name) => !at.run.tools.includes(name));
    if (tool !== undefined) return refuse(at, request, response, notOffered(tool));
    // guard: model: prices
    if (!mayName(model, at.run.models, at.prices)) return refuse(at, request, response, dearer(at, model));
    await passOn({ request, response, path, body, model, maxTokens, question, at });
  } catch (error) {
    at.log.error('The gateway failed at a request. Report this message.', { error: String(error) });
    if (response.headersSent) response.destroy();
    else
      sendRefusal(response, refusal(500, 'The gateway failed. Try again; the operator finds it in the log.'));
  } finally {
    held.bytes -= sizeOf(came);
  }
}

function dearer({ run }: RunAtGateway, model: string): Refusal {
  const asked = model.replace(/[^\w.:@[\]-]/g, '?').slice(0, 80);
  return refusal(
    422,
    `This run may not use the model ${asked}: it has ${run.models.agent}, and what is known to cost no more. Name one of these; a person can change the agent's model.`,
  );
}

/**
 * The API does the same, and the session is kept. A tool that only the history names is not offered, so a session from
 * before a change still passes.
 */
function notOffered(tool: string): Refusal {
  const asked = tool.replace(/[^\w.-]/g, '?').slice(0, 80);
  return refusal(
    422,
    `This run's agent does not have the tool ${asked}. Leave it out; a person can change "tools" in the agent's file.`,
  );
}

function refuse(
  at: RunAtGateway,
  request: IncomingMessage,
  response: ServerResponse,
  refused: Refusal,
): void {
  at.refused({ action: actionOf(request), reason: refused.message });
  // The CLI must not ask again, except where it only asked too much at once.
  sendRefusal(response, refused, refused.status === 429 ? {} : { 'x-should-retry': 'false' });
}

function refuseTunnel(at: RunAtGateway, request: IncomingMessage, socket: Duplex): void {
  const refused = refusal(403, 'Nothing is tunnelled here. Ask for POST /v1/messages.');
  at.refused({ action: actionOf(request), reason: refused.message });
  endWith(socket, refused);
}

function actionOf(request: IncomingMessage): string {
  return `${request.method} ${request.url}`.slice(0, 200);
}

function endWith(socket: Duplex, refused: Refusal): void {
  socket.on('error', () => {});
  if (!socket.writable) return void socket.destroy();
  const body = errorBody(refused);
  const head = `HTTP/1.1 ${refused.status} Refused\r\ncontent-type: application/json\r\n`;
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
