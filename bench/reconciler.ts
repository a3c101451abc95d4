/**
 * A quiet day of the reconciler: 100 repositories in which nothing happens, on a pocket forge in this process. Requests of
 * each look, and the time of a processor that a look takes, the forge's own included.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startPocketForge } from '../rehearsal/pocket-forge.ts';
import type { ForgeConfig } from '../src/config/config.ts';
import { migrate, openDatabase } from '../src/database/database.ts';
import { kitOf } from '../src/forges/registry.ts';
import { silentLog } from '../src/log.ts';
import { createReconciler } from '../src/reconciler.ts';
import type { Bench } from './bench.ts';
import { figure, type PartReport } from './report.ts';

const REPOSITORIES = 100;
const LOOKS = 60;
/** What `both` and `poll` wait between two looks. */
const WAITS = { both: 300, poll: 30 } as const;

export async function measureReconciler(bench: Bench): Promise<PartReport> {
  const folder = `${bench.folder}/quiet-forge`;
  const users = ['ada', 'dev-bot'].map((login) => ({ login, token: `${login}-token` }));
  const pocket = await startPocketForge({ folder, users });
  bench.atEnd(() => pocket.close());
  const count = bench.quick ? 5 : REPOSITORIES;
  for (let n = 0; n < count; n++) {
    const collaborators = [{ login: 'dev-bot', permission: 'write' as const }];
    await pocket.createRepository({ owner: 'ada', name: `r${n}`, files: { a: 'a' }, collaborators });
    await pocket.as('ada').createIssue(`ada/r${n}`, { title: 'One', body: 'b' });
  }
  // What was made within the last seconds is read again by the next look.
  await sleep(20_000);
  const rows: string[][] = [];
  let most = 0;
  let share = 0;
  for (const intake of ['both', 'poll'] as const) {
    const { requests, full, milliseconds } = await quietDay(bench, pocket.url, intake);
    const percent = milliseconds / 10 / WAITS[intake];
    most = Math.max(most, ...requests);
    share = Math.max(share, percent);
    const highest = String(Math.max(...requests));
    rows.push([
      intake,
      String(WAITS[intake]),
      highest,
      String(full),
      figure(milliseconds),
      figure(percent, 3),
    ]);
  }
  return {
    title: `The reconciler on a quiet day (${count} repositories)`,
    method: [
      `${count} repositories of one owner, each with an issue, on a pocket forge in the same process, and nothing happens. Usual looks of 50 minutes, at most ${LOOKS}, one after another; the time of a processor is that of the whole process, the pocket forge's answers included, divided by the seconds between two looks. The full look is made at the start and once an hour.`,
    ],
    goals: [
      { what: 'requests of a look without news', wanted: '≤ 3', measured: String(most), met: most <= 3 },
      {
        what: 'share of one processor',
        wanted: '< 1 %',
        measured: `${figure(share, 3)} %`,
        met: share < 1,
      },
    ],
    tables: [
      {
        caption: 'Looks without news',
        head: [
          'intake',
          'every s',
          'most requests',
          'requests of a full look',
          'ms of CPU a look',
          '% of a CPU',
        ],
        rows,
      },
    ],
  };
}

async function quietDay(bench: Bench, url: string, intake: 'both' | 'poll') {
  const database = openDatabase({ url: await bench.databases[0]!.fresh(`quiet-${intake}`) });
  bench.atEnd(() => database.close());
  await migrate(database);
  let asked = 0;
  let now = Date.now();
  const client = kitOf('forgejo').client({
    name: 'home',
    url,
    token: 'dev-bot-token',
    fetch: async (input, init) => {
      asked += 1;
      return await fetch(input, init);
    },
  });
  const forge = forgeOf(url, intake);
  const reconciler = createReconciler({
    database,
    config: () => ({ forges: { home: forge }, reconciler: { overlapSeconds: 120 } }),
    client: () => client,
    trust: { isGone: async () => false },
    now: () => now,
    log: silentLog,
  });
  const step = async (): Promise<number> => {
    asked = 0;
    await reconciler.step();
    now += WAITS[intake] * 1000;
    return asked;
  };
  await step();
  // Past the items that were made just now.
  now += 600_000;
  const full = await step();
  const requests: number[] = [];
  const before = process.cpuUsage();
  // Within the hour after which a look is full again.
  const looks = Math.min(bench.quick ? 3 : LOOKS, Math.floor(3_000 / WAITS[intake]));
  for (let n = 0; n < looks; n++) requests.push(await step());
  const { user, system } = process.cpuUsage(before);
  return { requests, full, milliseconds: (user + system) / 1000 / looks };
}

function forgeOf(url: string, intake: 'both' | 'poll'): ForgeConfig {
  return {
    name: 'home',
    kind: 'forgejo',
    url,
    cloneUrl: url,
    webhookSecrets: [],
    repositories: [{ pattern: 'ada/*', secrets: [] }],
    trustedSenders: null,
    requiredPermission: 'write',
    allowedBots: [],
    forkPulls: false,
    lfs: 'pointers',
    closingKeywords: [],
    intake,
    lookSeconds: null,
    feedback: null,
    optOutLabels: [],
    accounts: { dev: { login: 'dev-bot', token: 'dev-bot-token' } },
  };
}
