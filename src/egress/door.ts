/** The proxy of one run: HTTP CONNECT on a unix socket, each request judged, carried out, and told to the audit. */
import { chmod } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AllowedHost } from '../config/allowed-hosts.ts';
import { type Reach, reach } from './connection.ts';
import { Budget, type EgressLimits } from './limits.ts';
import { isAllowed, readTarget, showTarget, type Target } from './target.ts';
import { endWith, openTunnel, type Tunnel } from './tunnel.ts';
import { decisionOf, type EgressVerdict, SENTENCES, statusOf } from './verdict.ts';

export interface EgressRun {
  allowed: readonly AllowedHost[];
  limits: EgressLimits;
  /** why this run may not use the network, as of now; null = it may */
  restriction: () => string | null;
  /** whether the service itself would need a proxy to get there */
  isProxied: (target: Target) => boolean;
  reach: Reach;
  /** each entry, also where there are too many for the audit */
  passed: (entry: EgressEntry) => void;
  audit: (entry: EgressEntry) => Promise<void>;
}

/** One line of the audit. A tunnel has two: when it is opened, and when it has ended. */
export interface EgressEntry {
  action: string;
  verdict: EgressVerdict;
  decision: 'allowed' | 'denied' | 'failed';
  reason: string | null;
  /** in this tunnel; 0 before it has ended */
  sent: number;
  received: number;
  detail: Record<string, unknown>;
}

export interface EgressDoor {
  /** cuts the tunnels that stand; call it when `restriction` begins to answer a text */
  shut(): void;
  /** idempotent; cuts the tunnels, and resolves when all is in the audit */
  close(): Promise<void>;
}

export async function openEgressDoor(socketPath: string, run: EgressRun): Promise<EgressDoor> {
  const door = new Door(run);
  const server = createServer({ maxHeaderSize: 8192, headersTimeout: 10_000 }, (request, response) => {
    response.on('error', () => {});
    door.refuse(actionOf(request), 'no-connect');
    const { status, text } = wordsOf('no-connect');
    response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(text);
  });
  // One request more than tunnels may stand, so that the next is refused in words.
  server.maxConnections = run.limits.connections + 16;
  server.on('connect', (request, client, head) => door.take(request, client, head));
  server.on('upgrade', (request, client) => {
    door.refuse(actionOf(request), 'no-connect');
    answer(client, 'no-connect');
  });
  server.on('clientError', (_error, client) => {
    door.refuse('no HTTP', 'bad-target');
    answer(client, 'bad-target');
  });
  const clients = new Set<Socket>();
  server.on('connection', (client: Socket) => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
  });
  await listen(server, socketPath);
  await chmod(socketPath, 0o666);
  return {
    shut: () => door.cut('shut'),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await door.close();
      for (const client of clients) client.destroy();
      await closed;
    },
  };
}

/** Refusals are all counted; of one run only so many become rows. */
const MOST_AUDITED = 200;

class Door {
  readonly #run: EgressRun;
  readonly #budget: Budget;
  readonly #tunnels = new Set<Tunnel>();
  readonly #underWay = new Set<Promise<void>>();
  #opening = 0;
  #requests = 0;
  #isClosed = false;

  constructor(run: EgressRun) {
    this.#run = run;
    this.#budget = new Budget(run.limits);
  }

  take(request: IncomingMessage, client: Duplex, head: Buffer): void {
    client.on('error', () => {});
    this.#track(
      this.#serve(request, client, head).catch((error: unknown) => {
        client.destroy();
        this.#tell({ action: actionOf(request), verdict: 'broken', detail: { error: String(error) } });
      }),
    );
  }

  refuse(action: string, verdict: EgressVerdict, detail: Record<string, unknown> = {}): void {
    this.#tell({ action, verdict, detail });
  }

  cut(verdict: EgressVerdict): void {
    for (const tunnel of this.#tunnels) tunnel.cut(verdict);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.cut('ended');
    while (this.#underWay.size > 0) await Promise.allSettled([...this.#underWay]);
  }

  async #serve(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const target = readTarget(request.url ?? '');
    const verdict = this.#judge(target);
    if (target === null || verdict !== null)
      return this.#answer(client, actionOf(request), verdict ?? 'bad-target');
    const action = `CONNECT ${showTarget(target)}`;
    this.#opening += 1;
    try {
      const reached = await reach(target, this.#run.reach);
      if (reached.kind === 'not') return this.#answer(client, action, reached.verdict, reached.detail);
      const { socket: upstream, address } = reached;
      const isGone = client.destroyed || this.#isClosed;
      const now = isGone ? 'broken' : this.#shutNow() ? 'shut' : null;
      if (now !== null) {
        upstream.destroy();
        return this.#answer(client, action, now, { address });
      }
      await this.#carry({ target, client, head, upstream, address, action });
    } finally {
      this.#opening -= 1;
    }
  }

  /** Null: nothing speaks against it, as far as it is known before the name is resolved. */
  #judge(target: Target | null): EgressVerdict | null {
    if (target === null) return 'bad-target';
    // guard: egress: a run that has read strangers’ words
    if (this.#shutNow()) return 'shut';
    // guard: egress: the list
    if (!isAllowed(target, this.#run.allowed)) return 'not-allowed';
    if (this.#run.isProxied(target)) return 'behind-a-proxy';
    const { connections, requests } = this.#run.limits;
    this.#requests += 1;
    // guard: egress: connections at once
    if (this.#opening >= connections) return 'too-many';
    return this.#requests > requests ? 'too-many' : null;
  }

  #shutNow(): boolean {
    return this.#run.restriction() !== null;
  }

  async #carry(o: Standing): Promise<void> {
    const { action, address, client, target, upstream } = o;
    // Before a byte goes: what cannot be told to the audit does not happen.
    const opened = entryOf({ action, verdict: 'opened', detail: { address } });
    this.#run.passed(opened);
    await this.#run.audit(opened).catch((error: unknown) => {
      upstream.destroy();
      throw error;
    });
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    const tunnel = openTunnel({
      ...o,
      expectedName: isIP(target.host) === 0 ? target.host : null,
      budget: this.#budget,
      isShut: () => this.#shutNow(),
    });
    this.#tunnels.add(tunnel);
    if (this.#isClosed) tunnel.cut('ended');
    const { verdict, sent, received, ms, name } = await tunnel.ended;
    this.#tunnels.delete(tunnel);
    const shown = name === null ? {} : { server_name: name.replace(/[^\w.-]/g, '?').slice(0, 255) };
    const ended = entryOf({ action, verdict, sent, received, detail: { address, ms, ...shown } });
    this.#run.passed(ended);
    await this.#run.audit(ended);
  }

  #answer(
    client: Duplex,
    action: string,
    verdict: EgressVerdict,
    detail: Record<string, unknown> = {},
  ): void {
    this.#tell({ action, verdict, detail });
    if (verdict !== 'opened' && verdict !== 'ended') answer(client, verdict);
  }

  #told = 0;

  #tell(said: Said): void {
    const entry = entryOf(said);
    this.#told += 1;
    this.#run.passed(entry);
    if (this.#told <= MOST_AUDITED) this.#track(this.#run.audit(entry));
  }

  #track(work: Promise<void>): void {
    const known = work.finally(() => this.#underWay.delete(known));
    known.catch(() => {});
    this.#underWay.add(known);
  }
}

interface Standing {
  target: Target;
  client: Duplex;
  head: Buffer;
  upstream: Socket;
  address: string;
  action: string;
}

type Said = Pick<EgressEntry, 'action' | 'verdict' | 'detail'> & Partial<EgressEntry>;

function entryOf({ verdict, ...said }: Said): EgressEntry {
  const reason = verdict === 'opened' || verdict === 'ended' ? null : SENTENCES[verdict];
  return { sent: 0, received: 0, ...said, verdict, decision: decisionOf(verdict), reason };
}

function wordsOf(verdict: keyof typeof SENTENCES): { status: number; text: string } {
  return { status: statusOf(verdict), text: `claude-hooks: ${SENTENCES[verdict]}\n` };
}

function answer(client: Duplex, verdict: keyof typeof SENTENCES): void {
  const { status, text } = wordsOf(verdict);
  // The sentence is the reason of the status as well: most tools print only that.
  const head = `HTTP/1.1 ${status} ${SENTENCES[verdict]}\r\ncontent-type: text/plain\r\n`;
  endWith(client, `${head}content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`);
}

function actionOf({ method, url }: IncomingMessage): string {
  return `${method} ${url}`.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
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
