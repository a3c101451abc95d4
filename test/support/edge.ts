/** The HTTP edge on a real database, and requests to it as a forge would sign them. */
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { Hono } from 'hono';
import { onTestFinished } from 'vitest';
import type { ForgeConfig } from '../../src/config/config.ts';
import type { Database } from '../../src/database/database.ts';
import { type Log, silentLog } from '../../src/log.ts';
import { createMetrics } from '../../src/metrics.ts';
import { createServer, type ServerDeps } from '../../src/server.ts';

const SECRET = 'a secret of the test';
export const OLD_SECRET = 'the secret before it';

export const HOME: ForgeConfig = {
  name: 'home',
  kind: 'forgejo',
  url: 'https://forge.example.org',
  cloneUrl: 'https://forge.example.org',
  webhookSecrets: [SECRET, OLD_SECRET],
  repositories: [{ pattern: '*/*', secrets: [] }],
  trustedSenders: null,
  requiredPermission: 'write',
  allowedBots: [],
  forkPulls: false,
  lfs: 'pointers',
  closingKeywords: [],
  intake: 'both',
  lookSeconds: null,
  feedback: null,
  optOutLabels: [],
  accounts: {},
};

export interface Edge {
  app: Hono;
  /** what the log said, one line each: level and message */
  logged: string[];
  /** posts to /webhooks/home and answers status and JSON body */
  post(request: RequestInit, path?: string): Promise<{ status: number; json: Answer }>;
}

interface Answer {
  delivery?: string;
  repeated?: boolean;
  error?: string;
  message?: string;
}

export function edge(database: Database, partial: Partial<ServerDeps> = {}): Edge {
  const logged: string[] = [];
  const app = createServer({
    database,
    forges: () => ({ home: HOME }),
    maxBodyBytes: 26_214_400,
    now: () => Date.now(),
    log: listening(logged),
    metrics: createMetrics(database),
    onAccepted: () => {},
    showsHealth: true,
    showsDispatches: false,
    notReady: async () => null,
    ...partial,
  });
  return {
    app,
    logged,
    post: async (request, path = '/webhooks/home') => {
      const answer = await app.request(path, request);
      return { status: answer.status, json: (await answer.json()) as Answer };
    },
  };
}

function listening(logged: string[]): Log {
  const keep = (level: string) => (message: string) => void logged.push(`${level}: ${message}`);
  return { ...silentLog, info: keep('info'), warn: keep('warn'), error: keep('error') };
}

export interface SignedOptions {
  secret?: string;
  deliveryId?: string;
  eventType?: string;
  /** put on top of the forge's own; undefined takes a header away */
  headers?: Record<string, string | undefined>;
}

/** A delivery of Forgejo, as fetch takes it. */
export function signed(body: string | Uint8Array<ArrayBuffer>, options: SignedOptions = {}): RequestInit {
  const { secret = SECRET, deliveryId = randomUUID(), eventType = 'issues' } = options;
  const all = {
    'content-type': 'application/json',
    'x-forgejo-delivery': deliveryId,
    'x-forgejo-event': 'issues',
    'x-forgejo-event-type': eventType,
    'x-forgejo-signature': createHmac('sha256', secret).update(body).digest('hex'),
    ...options.headers,
  };
  const headers = Object.fromEntries(Object.entries(all).filter((entry) => entry[1] !== undefined));
  return { method: 'POST', headers: headers as Record<string, string>, body };
}

/** The app behind Node's own HTTP server, as the service runs it; ends with the test. Answers its address. */
export async function listen(app: Hono): Promise<string> {
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  onTestFinished(async () => {
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
