import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, test, vi } from 'vitest';
import { openSqlite, type TestDatabase } from '../test/support/databases.ts';
import { edge, listen, OLD_SECRET, signed } from '../test/support/edge.ts';
import { everybodyMayWrite } from '../test/support/trust.ts';
import { silentLog } from './log.ts';
import { routeNext } from './router.ts';

const BODY = '{\n  "action": "opened"\n}';

async function stored(database: Pick<TestDatabase, 'rows'>) {
  return await database.rows.selectFrom('deliveries').selectAll().orderBy('seq').execute();
}

interface Refusal {
  what: string;
  request: RequestInit;
  path?: string;
  status: number;
  error: string;
  /** the end of the sentence */
  remedy: RegExp;
}

const FORM = 'application/x-www-form-urlencoded';
const HMAC = 'Let the forge sign, or sign the raw body with HMAC-SHA256.';
const SECRET_OF = /Set the hook's secret to the value of forges\.home\.webhook_secret\.$/;
const PROXY = /Check that no proxy removes the forge's X- headers\.$/;
const signature = (value: string | undefined) => signed(BODY, { headers: { 'x-forgejo-signature': value } });
const named = (forge: Record<string, string>) =>
  signed(BODY, {
    headers: {
      'x-forgejo-event': undefined,
      'x-forgejo-event-type': undefined,
      'x-forgejo-delivery': undefined,
      ...forge,
    },
  });

const REFUSALS: Refusal[] = [
  {
    what: 'a forge nobody configured',
    path: '/webhooks/elsewhere',
    request: signed(BODY),
    status: 404,
    error: 'unknown-forge',
    remedy: /Use \/webhooks\/<name> with a name below "forges" in claude-hooks\.yaml\.$/,
  },
  {
    what: 'a name every JavaScript object has',
    path: '/webhooks/constructor',
    request: signed(BODY),
    status: 404,
    error: 'unknown-forge',
    remedy: /below "forges" in claude-hooks\.yaml\.$/,
  },
  {
    what: 'GET',
    request: { ...signed(BODY), method: 'GET', body: null },
    status: 405,
    error: 'method',
    remedy: /Set the hook's HTTP method to POST\.$/,
  },
  {
    what: 'a form',
    request: signed(`payload=${encodeURIComponent(BODY)}`, { headers: { 'content-type': FORM } }),
    status: 415,
    error: 'content-type',
    remedy: /Set the hook's content type to application\/json\.$/,
  },
  {
    what: 'a body without a type',
    request: signed(Buffer.from(BODY), { headers: { 'content-type': undefined } }),
    status: 415,
    error: 'content-type',
    remedy: /Set the hook's content type to application\/json\.$/,
  },
  {
    what: 'an empty body',
    request: signed(''),
    status: 400,
    error: 'empty-body',
    remedy: /Send the payload as a JSON document\.$/,
  },
  {
    what: 'no signature',
    request: signature(undefined),
    status: 401,
    error: 'signature-missing',
    remedy: SECRET_OF,
  },
  {
    what: 'the empty signature of a hook without a secret',
    request: signature(''),
    status: 401,
    error: 'signature-empty',
    remedy: /Set it to the value of forges\.home\.webhook_secret\.$/,
  },
  {
    what: 'a signature that is no digest',
    request: signature('sha256=abc'),
    status: 401,
    error: 'signature-malformed',
    remedy: new RegExp(`${HMAC.replaceAll('.', '\\.')}$`),
  },
  {
    what: 'a signature with another secret',
    request: signed(BODY, { secret: 'a guess' }),
    status: 401,
    error: 'signature-wrong',
    remedy: /forges\.home\.webhook_secret differ; set both to the same value\.$/,
  },
  {
    what: 'a signature with an empty secret',
    request: signed(BODY, { secret: '' }),
    status: 401,
    error: 'signature-wrong',
    remedy: /set both to the same value\.$/,
  },
  {
    what: 'headers of no forge',
    request: named({}),
    status: 400,
    error: 'headers',
    remedy: /Point a forge's webhook at this address\.$/,
  },
  {
    what: 'a delivery without an id',
    request: signed(BODY, { headers: { 'x-forgejo-delivery': undefined } }),
    status: 400,
    error: 'headers',
    remedy: PROXY,
  },
  {
    what: 'a delivery without an event',
    request: signed(BODY, { headers: { 'x-forgejo-event': '', 'x-forgejo-event-type': '' } }),
    status: 400,
    error: 'headers',
    remedy: PROXY,
  },
  {
    what: 'a hook of GitHub',
    request: named({ 'x-github-event': 'issues', 'x-github-delivery': 'g-1' }),
    status: 400,
    error: 'forge-kind',
    remedy: /Point that hook at its own \/webhooks\/<name>\.$/,
  },
];

describe('the edge refuses', () => {
  test.each(REFUSALS)('$what with $status $error', async ({ request, path, status, error, remedy }) => {
    const database = await openSqlite();
    const onAccepted = vi.fn();
    const { post, logged } = edge(database, { onAccepted });
    const answer = await post(request, path);
    expect(answer).toEqual({ status, json: { error, message: expect.stringMatching(remedy) } });
    expect(await stored(database)).toEqual([]);
    expect(onAccepted).not.toHaveBeenCalled();
    expect(logged).toEqual([expect.stringContaining(answer.json.message!)]);
  });

  test('what it cannot verify without parsing it', async () => {
    const { post } = edge(await openSqlite());
    const parse = vi.spyOn(JSON, 'parse');
    try {
      const requests = [
        signed(BODY, { secret: 'a guess' }),
        signature(undefined),
        signed('{"broken', { secret: 'a guess' }),
        // Nor are its headers judged first: a stranger learns nothing but that it must sign.
        signed(BODY, { secret: 'a guess', headers: { 'x-forgejo-delivery': undefined } }),
      ];
      // Reading the answers may parse, too; only a body's text counts.
      for (const request of requests) expect((await post(request)).status).toBe(401);
      const texts = parse.mock.calls.map(([text]) => text);
      expect(texts.filter((text) => text.includes('opened') || text.includes('broken'))).toEqual([]);
    } finally {
      parse.mockRestore();
    }
  });

  test('to say what may be sent instead of GET', async () => {
    const { app } = edge(await openSqlite());
    const answer = await app.request('/webhooks/home');
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

const MIB = 1024 * 1024;

/** Sends chunks until there is an answer; never more than `chunks` of them. */
async function send(
  url: string,
  headers: Record<string, string>,
  chunks: number,
): Promise<{ status: number; text: string; sent: number }> {
  const request = httpRequest(`${url}/webhooks/home`, { method: 'POST', headers });
  // The server may close its side while we still write.
  request.on('error', () => {});
  let answer: IncomingMessage | null = null;
  const answered = once(request, 'response').then(([response]) => {
    answer = response as IncomingMessage;
  });
  request.flushHeaders();
  const chunk = Buffer.alloc(MIB, 0x20);
  let sent = 0;
  while (answer === null && sent < chunks) {
    sent += 1;
    if (!request.write(chunk)) await Promise.race([once(request, 'drain'), answered]);
    else await Promise.race([sleep(0), answered]);
  }
  if (answer === null) request.end();
  await answered;
  let text = '';
  for await (const part of answer as unknown as IncomingMessage) text += String(part);
  request.destroy();
  return { status: (answer as unknown as IncomingMessage).statusCode!, text, sent };
}

describe('over real HTTP, a body of 30 MiB is refused', () => {
  // A signature that is none of ours; only the body could prove it.
  const TYPE = { 'content-type': 'application/json', 'x-forgejo-signature': 'a'.repeat(64) };

  test.each([
    ['by its declared length, before it is sent', { 'content-length': String(30 * MIB) }, 0],
    ['by counting, when it declares none', { 'transfer-encoding': 'chunked' }, 30],
  ])('%s', async (_, headers: Record<string, string>, chunks) => {
    const database = await openSqlite();
    const url = await listen(edge(database).app);
    const answer = await send(url, { ...TYPE, ...headers }, chunks);
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.text)).toEqual({
      error: 'too-large',
      message: expect.stringMatching(/26214400 bytes\. Raise server\.max_body_bytes .*\.$/),
    });
    expect(await stored(database)).toEqual([]);
    // It goes on answering others.
    expect((await fetch(`${url}/webhooks/home`, signed(BODY))).status).toBe(202);
  });

  test('and one of exactly the limit is not', async () => {
    const database = await openSqlite();
    const { post } = edge(database, { maxBodyBytes: BODY.length });
    expect((await post(signed(BODY))).status).toBe(202);
    expect((await post(signed(`${BODY} `))).status).toBe(413);
  });
});

describe('the edge accepts', () => {
  test('a signed delivery: 202 with its id, one row, one wake-up', async () => {
    const database = await openSqlite();
    const onAccepted = vi.fn();
    const { post } = edge(database, { onAccepted, now: () => 77 });
    const answer = await post(
      signed(BODY, { deliveryId: 'd-1', headers: { authorization: 'Bearer x', cookie: 'y', 'x-more': 'z' } }),
    );
    const [row, ...more] = await stored(database);
    expect(answer).toEqual({ status: 202, json: { delivery: row!.id, repeated: false } });
    expect(more).toEqual([]);
    expect(onAccepted).toHaveBeenCalledTimes(1);
    expect(row).toMatchObject({
      forge: 'home',
      forge_delivery_id: 'd-1',
      state: 'received',
      received_at: 77,
    });
    expect(Buffer.from(row!.body).toString()).toBe(BODY);
    expect(JSON.parse(row!.headers)).toMatchObject({ 'x-forgejo-event': 'issues', 'x-more': 'z' });
    expect(Object.keys(JSON.parse(row!.headers))).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/authorization|cookie/)]),
    );
  });

  test.each([
    ['the secret before a rotation', { secret: OLD_SECRET }],
    ['a type with a charset', { headers: { 'content-type': 'Application/JSON; charset=utf-8' } }],
    [
      'a Gitea',
      { headers: { 'x-forgejo-event': undefined, 'x-gitea-event': 'issues', 'x-gitea-delivery': 'g' } },
    ],
    ['bytes that are no UTF-8', { body: Uint8Array.from([0xff, 0x00, 0x7b]) }],
  ])(
    '%s',
    async (_, {
      body = BODY,
      ...options
    }: Parameters<typeof signed>[1] & { body?: string | Uint8Array<ArrayBuffer> }) => {
      const database = await openSqlite();
      expect((await edge(database).post(signed(body, options))).status).toBe(202);
      expect(Buffer.from((await stored(database))[0]!.body)).toEqual(Buffer.from(body));
    },
  );

  test('a repeated delivery as one, with the id of the first time', async () => {
    const database = await openSqlite();
    const { post } = edge(database);
    const request = () => signed(BODY, { deliveryId: 'again' });
    const first = await post(request());
    const answers = await Promise.all([post(request()), post(request()), post(request())]);
    for (const answer of answers) {
      expect(answer).toEqual({ status: 202, json: { delivery: first.json.delivery, repeated: true } });
    }
    expect(await stored(database)).toHaveLength(1);
  });

  test('broken JSON with a right signature; it fails when it is decided, and says why', async () => {
    const database = await openSqlite();
    const { post } = edge(database);
    expect((await post(signed('{"action": "opened", '))).status).toBe(202);
    const team = { merge: 'people', reviewRounds: 3 } as const;
    const config = () => ({ forges: {}, agents: new Map(), flows: [], feedback: 'none' as const, team });
    expect(
      await routeNext({ database, config, trust: everybodyMayWrite(), now: Date.now, log: silentLog }),
    ).toBe(true);
    const [row] = await stored(database);
    expect(row).toMatchObject({ state: 'failed', attempts: 0, reason: expect.stringMatching(/JSON/) });
  });
});

describe('before it answers', () => {
  test('the row is there for others, and every commit is synced', async () => {
    const database = await openSqlite();
    const FULL = 2;
    expect((await sql`pragma synchronous`.execute(database.rows)).rows).toEqual([{ synchronous: FULL }]);
    // Opened before, so that the reader's own start cannot delay the look.
    const other = new DatabaseSync(database.url.slice('sqlite:'.length), { readOnly: true });
    const seen: unknown[] = [];
    const onAccepted = () =>
      void seen.push(...other.prepare('select forge_delivery_id from deliveries').all());
    try {
      await edge(database, { onAccepted }).post(signed(BODY, { deliveryId: 'durable' }));
    } finally {
      other.close();
    }
    expect(seen).toEqual([{ forge_delivery_id: 'durable' }]);
  });
});

describe('what could not be stored is not acknowledged', () => {
  test('503 when the database is gone', async () => {
    const database = await openSqlite();
    const { post, logged } = edge(database);
    await database.close();
    const { status, json } = await post(signed(BODY));
    expect([status, json.error]).toEqual([503, 'not-stored']);
    expect(json.message).toMatch(/send it again from the hook’s history\.$/);
    expect(logged).toEqual([expect.stringMatching(/^error: refused POST \/webhooks\/home: /)]);
  });

  test('507 when the disk is full, and 202 again when there is room', async () => {
    const database = await openSqlite();
    const { post } = edge(database);
    const pages = await sql<{ page_count: number }>`pragma page_count`.execute(database.rows);
    await sql`pragma max_page_count = ${sql.lit(pages.rows[0]!.page_count)}`.execute(database.rows);
    const big = JSON.stringify({ text: 'x'.repeat(200_000) });
    const { status, json } = await post(signed(big, { deliveryId: 'big' }));
    expect([status, json.error]).toEqual([507, 'disk-full']);
    expect(json.message).toMatch(/Free space, then send it again from the hook’s history\.$/);
    expect(await stored(database)).toEqual([]);

    await sql`pragma max_page_count = 1000000`.execute(database.rows);
    expect(await post(signed(big, { deliveryId: 'big' }))).toMatchObject({
      status: 202,
      json: { repeated: false },
    });
  });
});
