/**
 * The service of the packages' part, in a process of its own: package doors, and a gateway for a dispatch that has nothing to
 * do with them. `node packages-process.ts <folder> <database url> <url of the model>`; it tells the gateway's socket on the
 * channel to the parent, opens doors as it is asked, and ends with the parent.
 */
import { join } from 'node:path';
import type { RegistrySettings } from '../src/config/config.ts';
import { migrate, openDatabase } from '../src/database/database.ts';
import { LIST_PRICES } from '../src/gateway/prices.ts';
import { createGateway } from '../src/gateway.ts';
import { silentLog } from '../src/log.ts';
import type { LockFileText } from '../src/packages/read-apart.ts';
import { readLocked } from '../src/packages/read-locked.ts';
import { createPackages, type Packages } from '../src/packages.ts';
import type { PackagePolicy } from '../src/vocabulary.ts';

export type ToService =
  | { kind: 'open'; policy: PackagePolicy; registry: string; cache: string; locks: LockFileText[] }
  | { kind: 'close' }
  | { kind: 'longest' };

export type FromService = { address: string } | { longestMs: number };

const [folder = '', databaseUrl = '', model = ''] = process.argv.slice(2);
const database = openDatabase({ url: databaseUrl });
await migrate(database);

const gateway = await createGateway({
  folder: join(folder, 'run'),
  upstream: () => ({ baseUrl: model, credential: { kind: 'api-key', value: 'sk-ant-bench-model-key' } }),
  refreshCredential: () => {},
  prices: LIST_PRICES,
  database,
  log: silentLog,
  now: Date.now,
});
const other = await gateway.open({
  dispatchId: 'bench',
  conversationId: 'bench',
  agent: 'dev',
  models: { agent: 'claude-opus-5-5', small: null },
  tools: [],
  caps: { requests: 1_000_000, tokens: 1_000_000_000, usd: 1_000_000 },
});

let packages: Packages | null = null;

async function open(o: Extract<ToService, { kind: 'open' }>): Promise<string> {
  const npm: RegistrySettings = { url: o.registry, artefactHosts: [new URL(o.registry).host], headers: {} };
  packages = createPackages({
    folders: { cache: join(folder, o.cache), sockets: join(folder, 'doors') },
    settings: () => ({
      policy: o.policy,
      registries: { npm, pypi: npm, crates: npm, go: npm, maven: npm },
      cache: { maxBytes: 2 ** 33 },
      limits: { requests: 20_000, bytes: 2 ** 33, seconds: 300 },
    }),
    fetch,
    database,
    log: silentLog,
    now: Date.now,
  });
  const files = async () => o.locks;
  let locked: ReturnType<typeof readLocked> | null = null;
  const opened = await packages.open({
    dispatchId: null,
    conversationId: null,
    agent: 'bench',
    home: folder,
    policy: () => o.policy,
    // A dispatch reads the lock files once, so this does, too.
    locked: () => {
      locked ??= readLocked({ commits: [{ sha: 'base', what: 'base' }], files, log: silentLog });
      return locked;
    },
  });
  return opened.door.socket;
}

// The longest piece of work between two looks, in processor time: what other processes take is not in it.
let longest = 0;
let before = process.threadCpuUsage();
setInterval(() => {
  const { user, system } = process.threadCpuUsage(before);
  longest = Math.max(longest, user + system);
  before = process.threadCpuUsage();
}, 1);

const say = (message: FromService) => void process.send?.(message);
process.on('message', async (message: ToService) => {
  if (message.kind === 'longest') {
    say({ longestMs: longest / 1000 });
    longest = 0;
  } else if (message.kind === 'open') say({ address: await open(message) });
  else {
    await packages?.close();
    say({ address: '' });
  }
});
process.once('disconnect', () => process.exit(0));
say({ address: other.socketPath });
