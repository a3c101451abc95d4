/** One tunnel: bytes go both ways unchanged, after the server name was seen, and as long as the caps allow. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { HelloGate } from './hello-gate.ts';
import type { Budget } from './limits.ts';
import type { Target } from './target.ts';
import type { EgressVerdict } from './verdict.ts';

export interface TunnelRequest {
  target: Target;
  /** the program inside, and what it sent behind its CONNECT */
  client: Duplex;
  head: Buffer;
  upstream: Socket;
  /** null: the client must name no server in TLS */
  expectedName: string | null;
  budget: Budget;
  /** why nothing passes any more, as of now; null = it may */
  isShut: () => boolean;
}

export interface Tunnel {
  cut(verdict: EgressVerdict): void;
  ended: Promise<TunnelReport>;
}

export interface TunnelReport {
  verdict: EgressVerdict;
  sent: number;
  received: number;
  ms: number;
  /** the name in TLS, where it was refused */
  name: string | null;
}

/** A fatal alert `access_denied`, so that the tool says more than "connection reset". */
const TLS_ALERT = Buffer.from([21, 3, 3, 0, 2, 2, 49]);

export function openTunnel(request: TunnelRequest): Tunnel {
  const { client, upstream, budget } = request;
  const { limits } = budget;
  const started = performance.now();
  const gate = new HelloGate(request.expectedName);
  const report: TunnelReport = { verdict: 'ended', sent: 0, received: 0, ms: 0, name: null };
  const { promise, resolve } = Promise.withResolvers<TunnelReport>();
  let isOver = false;
  const finish = (verdict: EgressVerdict) => {
    if (isOver) return;
    isOver = true;
    for (const timer of [late, idle, life]) clearTimeout(timer);
    upstream.destroy();
    if (!gate.isOpen && verdict !== 'ended') endWith(client, TLS_ALERT);
    else client.destroy();
    resolve({ ...report, verdict, ms: Math.round(performance.now() - started) });
  };
  const late = setTimeout(() => finish('hello-too-late'), limits.helloMs);
  const idle = setTimeout(() => finish('idle'), limits.idleMs);
  // guard: egress: the time of a connection
  const life = setTimeout(() => finish('too-long'), limits.lifeMs);

  /** Hands bytes on; pauses their source while the other side does not take more. */
  const pass = (bytes: Buffer, from: Duplex, to: Duplex) => {
    idle.refresh();
    if (!to.write(bytes)) {
      from.pause();
      to.once('drain', () => from.resume());
    }
  };
  const fromClient = (chunk: Buffer) => {
    if (isOver) return;
    // guard: egress: a mark in mid-run
    if (request.isShut()) return finish('shut');
    const answer = gate.take(chunk);
    if (answer.kind === 'refused') {
      report.name = answer.name;
      return finish(answer.why);
    }
    if (answer.kind === 'hold') return;
    clearTimeout(late);
    report.sent += answer.bytes.length;
    // guard: egress: bytes that are sent
    if (!budget.send(answer.bytes.length)) return finish('sent-too-much');
    pass(answer.bytes, client, upstream);
  };
  const fromServer = (chunk: Buffer) => {
    if (isOver) return;
    if (request.isShut()) return finish('shut');
    report.received += chunk.length;
    // guard: egress: bytes that are received
    if (!budget.receive(chunk.length)) return finish('received-too-much');
    pass(chunk, upstream, client);
  };
  upstream.on('data', fromServer);
  client.on('data', fromClient);
  // One side may have said all and still listen.
  upstream.on('end', () => client.end());
  client.on('end', () => (gate.isOpen ? upstream.end() : finish('ended')));
  upstream.on('error', () => finish('broken'));
  client.on('error', () => finish('broken'));
  upstream.on('close', () => endAfter(client, () => finish('ended')));
  client.on('close', () => finish('ended'));
  if (request.head.length > 0) fromClient(request.head);
  return { cut: finish, ended: promise };
}

/** The last words, and an end also for a client that does not read them. */
export function endWith(client: Duplex, last: string | Buffer): void {
  client.on('error', () => {});
  if (!client.writable) return void client.destroy();
  client.end(last);
  client.resume();
  client.once('end', () => client.destroy());
  setTimeout(() => client.destroy(), LAST_WORDS_MS).unref();
}

const LAST_WORDS_MS = 2000;

/** What is written to the client still reaches it. */
function endAfter(client: Duplex, done: () => void): void {
  if (client.writableFinished || client.destroyed) done();
  else client.once('finish', done);
}
