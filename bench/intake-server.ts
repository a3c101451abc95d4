/**
 * One of the two servers that are compared, as a process of its own: `node intake-server.ts ours|bare <database url>`.
 * `bare` is what a person would write in ten minutes: signature, JSON.parse, one durable insert into a table without a
 * single index. Tells its address on the channel to the parent and ends with it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import pg from 'pg';
import { migrate, openDatabase } from '../src/database/database.ts';
import { silentLog } from '../src/log.ts';
import { createMetrics } from '../src/metrics.ts';
import { createServer } from '../src/server.ts';

const SECRET = 'the secret of the benchmark';

async function ours(url: string): Promise<Hono> {
  const database = openDatabase({ url });
  await migrate(database);
  const home = {
    name: 'home',
    kind: 'forgejo' as const,
    url: 'https://forge.example.org',
    cloneUrl: 'https://forge.example.org',
    webhookSecrets: [SECRET],
    repositories: [{ pattern: 'orchard/*', secrets: [] }],
    trustedSenders: null,
    requiredPermission: 'write' as const,
    allowedBots: [],
    forkPulls: false,
    lfs: 'pointers' as const,
    closingKeywords: [],
    intake: 'both' as const,
    lookSeconds: null,
    feedback: null,
    optOutLabels: [],
    accounts: {},
  };
  return createServer({
    database,
    forges: () => ({ home }),
    maxBodyBytes: 26_214_400,
    now: () => Date.now(),
    log: silentLog,
    metrics: createMetrics(database),
    showsHealth: true,
    showsDispatches: false,
    onAccepted: () => {},
    notReady: async () => null,
  });
}

type Insert = (delivery: string, body: Buffer) => Promise<unknown>;

async function bare(url: string): Promise<Hono> {
  const insert = url.startsWith('sqlite:') ? sqliteInsert(url) : await postgresInsert(url);
  const app = new Hono();
  app.post('/webhooks/:forge', async (c) => {
    const body = Buffer.from(await c.req.arrayBuffer());
    const given = Buffer.from(c.req.header('x-forgejo-signature') ?? '', 'hex');
    const expected = createHmac('sha256', SECRET).update(body).digest();
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return c.text('no', 401);
    const event = JSON.parse(body.toString('utf8')) as { action: string };
    await insert(c.req.header('x-forgejo-delivery') ?? '', body);
    return c.json({ action: event.action }, 202);
  });
  return app;
}

function sqliteInsert(url: string): Insert {
  const db = new DatabaseSync(url.slice('sqlite:'.length));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('create table deliveries (seq integer primary key, delivery text, received_at integer, body blob)');
  const statement = db.prepare('insert into deliveries (delivery, received_at, body) values (?, ?, ?)');
  return async (delivery, body) => statement.run(delivery, Date.now(), body);
}

async function postgresInsert(url: string): Promise<Insert> {
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  await pool.query(
    'create table deliveries (seq bigint generated always as identity primary key, delivery text, received_at bigint, body bytea)',
  );
  const text = 'insert into deliveries (delivery, received_at, body) values ($1, $2, $3)';
  return (delivery, body) => pool.query(text, [delivery, Date.now(), body]);
}

const [kind, url] = process.argv.slice(2) as ['ours' | 'bare', string];
const app = await (kind === 'ours' ? ours(url) : bare(url));
const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () => {
  const { port } = server.address() as AddressInfo;
  process.send!({ url: `http://127.0.0.1:${port}/webhooks/home`, secret: SECRET });
});
process.on('disconnect', () => process.exit());
