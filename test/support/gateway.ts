/** A gateway for a test, on real rows and in a folder of its own; it ends with the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { RunModels } from '../../src/gateway/models.ts';
import type { Gateway, GatewayCaps, OpenGateway } from '../../src/gateway/port.ts';
import { LIST_PRICES, type PriceTable } from '../../src/gateway/prices.ts';
import type { Upstream } from '../../src/gateway/upstream.ts';
import { createGateway } from '../../src/gateway.ts';
import type { Log } from '../../src/log.ts';
import { openSqlite, type TestDatabase } from './databases.ts';

export const REAL_KEY = 'sk-ant-real-key-outside-0001';
const NO_CAPS: GatewayCaps = { requests: null, tokens: null, usd: null };

export interface GatewayForTest {
  gateway: Gateway;
  database: TestDatabase;
  /** what `upstream()` answers from the next request on */
  upstream: Upstream;
  warnings: string[];
  /** how often the credential was read again */
  refreshes: number;
  onRefresh: () => void;
  open(run?: {
    caps?: Partial<GatewayCaps>;
    models?: Partial<RunModels>;
    dispatchId?: string;
  }): Promise<OpenGateway>;
  rows(): Promise<Awaited<ReturnType<typeof rowsOf>>>;
}

export async function gatewayForTest(o: {
  baseUrl: string;
  folder?: string;
  prices?: PriceTable;
  database?: TestDatabase;
}): Promise<GatewayForTest> {
  const database = o.database ?? (await openSqlite());
  const folder = o.folder ?? (await temporaryFolder('gw-'));
  const at: GatewayForTest = {
    database,
    upstream: { baseUrl: o.baseUrl, credential: { kind: 'api-key', value: REAL_KEY } },
    warnings: [],
    refreshes: 0,
    onRefresh: () => {},
    gateway: await createGateway({
      folder,
      upstream: () => at.upstream,
      refreshCredential: () => {
        at.refreshes++;
        at.onRefresh();
      },
      prices: o.prices ?? LIST_PRICES,
      database,
      log: listening((line) => at.warnings.push(line)),
      now: Date.now,
    }),
    open: ({ caps = {}, models = {}, dispatchId = 'dispatch-1' } = {}) =>
      at.gateway.open({
        dispatchId,
        conversationId: 'conversation-1',
        agent: 'dev',
        models: { agent: 'claude-opus-5-5', small: null, ...models },
        tools: ['Bash', 'Read', 'Write'],
        caps: { ...NO_CAPS, ...caps },
      }),
    rows: () => rowsOf(database),
  };
  onTestFinished(() => at.gateway.close());
  return at;
}

export async function temporaryFolder(prefix: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function rowsOf(database: TestDatabase) {
  return database.rows.selectFrom('model_requests').selectAll().orderBy('seq').execute();
}

function listening(hear: (line: string) => void): Log {
  const log: Log = {
    debug: () => {},
    info: () => {},
    warn: (message, fields) => hear(`${message} ${JSON.stringify(fields ?? {})}`),
    error: (message, fields) => hear(`${message} ${JSON.stringify(fields ?? {})}`),
    child: () => log,
  };
  return log;
}
