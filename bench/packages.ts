/**
 * What the package door costs: a cold `npm ci` with and without it, the memory that a large file adds to the service, and what
 * model traffic of other dispatches feels of it.
 */
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Bench } from './bench.ts';
import { ask, type Way } from './gateway.ts';
import type { FromService, ToService } from './packages-process.ts';
import { atMost, figure, type PartReport, SUMMARY_HEAD, shareAtMost, summaryCells } from './report.ts';
import { folderIn } from './stage.ts';
import { medianOf, summarise } from './summary.ts';

/** Of other dispatches: a quick model's time to its first byte, and how many ask at once. */
const MODEL = { thinksMs: 200, dispatches: 4 };
const PACKAGES = 300;
const LARGEST_MB = 500;
const MOST_ADDED_MB = 30;
const MOST_BLOCKED_MS = 50;

type Phase = 'at rest' | 'npm ci without the door' | 'npm ci through the door' | 'one large file';

interface Measured {
  direct: number[];
  through: number[];
  /** MB that a large file added at most, of a new process each */
  added: number[];
  firstByte: Map<Phase, number[]>;
  /** milliseconds for which the event loop did nothing else, while a large pnpm-lock.yaml was read */
  blocked: number[];
  /** milliseconds of processor time that the service took while npm installed through it */
  processor: number[];
  loads: number[];
  /** the same from the public registry, by this repository's own lock file */
  real: { direct: number[]; through: number[]; packages: number };
}

export async function measurePackages(bench: Bench): Promise<PartReport> {
  const size = bench.quick
    ? { rounds: 1, packages: 20, megabytes: 20 }
    : { rounds: 5, packages: PACKAGES, megabytes: LARGEST_MB };
  const folder = folderIn(bench.folder, 'packages');
  const registry = await registryFor(bench, { folder, ...size });
  const model = await modelFor(bench);
  const measured: Measured = {
    ...{ direct: [], through: [], added: [], blocked: [], processor: [], loads: [] },
    real: { direct: [], through: [], packages: 0 },
    firstByte: new Map(),
  };
  for (let round = 0; round < size.rounds; round++) {
    measured.loads.push(loadavg()[0]!);
    const at: Round = { bench, folder, round, registry, model, measured };
    await measureMemoryOf(at);
    await measureInstalls(at);
    bench.say(
      `  round ${round + 1}: ${figure(measured.added.at(-1)!)} MB added; npm ci ${figure(measured.direct.at(-1)!, 0)} ms without the door, ${figure(measured.through.at(-1)!, 0)} ms through it`,
    );
  }
  if (!bench.quick) {
    await measureReal({ bench, folder, round: 0, registry: '', model, measured }).catch((error: unknown) =>
      bench.say(`  not from the public registry: ${String(error)}`),
    );
  }
  return report(measured, size);
}

const REAL_ROUNDS = 3;
/** The optional ones are programs of hundreds of megabytes. */
const WITHOUT_OPTIONAL = ['--omit=optional', '--ignore-scripts'];

async function measureReal(at: Round): Promise<void> {
  const folder = folderIn(at.folder, 'real');
  const root = fileURLToPath(new URL('..', import.meta.url));
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(root, file), join(folder, file));
  const text = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Record<string, { optional?: boolean }> };
  const { real } = at.measured;
  real.packages = Object.entries(packages).filter(([path, { optional }]) => path !== '' && !optional).length;
  const own = spawnSync('npm', ['config', 'get', 'registry'], { cwd: '/', encoding: 'utf8' });
  const registry = own.stdout.trim();
  await withService({ ...at, registry: registry.replace(/\/+$/, '') }, 'real', async (service) => {
    for (let round = 0; round < REAL_ROUNDS; round++) {
      const direct = async () => void real.direct.push(await install(folder, registry, WITHOUT_OPTIONAL));
      const through = async () => {
        const locks = [{ path: 'package-lock.json', text }];
        const socket = await service.open({ policy: 'lockfile', locks });
        const work = (address: string) => install(folder, address, WITHOUT_OPTIONAL);
        real.through.push(await behindPort(socket, work));
        await service.close();
      };
      for (const way of round % 2 === 0 ? [direct, through] : [through, direct]) await way();
    }
  });
}

interface Round {
  bench: Bench;
  folder: string;
  round: number;
  /** address of the registry */
  registry: string;
  /** address of the scripted Messages API */
  model: string;
  measured: Measured;
}

/** Each round has a new process, because a process uses memory again that it has taken once. */
async function measureMemoryOf(at: Round): Promise<void> {
  await withService(at, 'memory', async (service) => {
    const socket = await service.open({ policy: 'registry', locks: [] });
    for (let n = 0; n < 20; n++) await curl(socket, `/npm/bench-${n}/-/bench-${n}-1.0.0.tgz`);
    const before = service.memory('VmRSS');
    service.forgetPeak();
    await curl(socket, '/npm/large/-/large-1.0.0.tgz');
    at.measured.added.push(service.memory('VmHWM') - before);
    await service.meanwhile('one large file', () => curl(socket, '/npm/large/-/large-2.0.0.tgz'));
  });
}

async function measureInstalls(at: Round): Promise<void> {
  const { folder, registry, measured } = at;
  await withService(at, 'installs', async (service) => {
    await service.meanwhile('at rest', () => sleep(3000));
    const locks = [
      { path: 'package-lock.json', text: readFileSync(join(folder, 'package-lock.json'), 'utf8') },
    ];
    const direct = async () => {
      const ms = await service.meanwhile('npm ci without the door', () => install(folder, `${registry}/`));
      measured.direct.push(ms);
    };
    const through = async () => {
      const socket = await service.open({ policy: 'lockfile', locks });
      const before = service.processor();
      const ms = await service.meanwhile('npm ci through the door', () =>
        behindPort(socket, (address) => install(folder, address)),
      );
      measured.through.push(ms);
      measured.processor.push(service.processor() - before);
      await service.close();
    };
    // The two ways change places from round to round, so that a slow moment hits both.
    for (const way of at.round % 2 === 0 ? [direct, through] : [through, direct]) await way();
    measured.blocked.push(await blockedByLockFile(service));
  });
}

/** About 2,000 packages, 600 kB: as long as those of large workspaces. */
async function blockedByLockFile(service: Service): Promise<number> {
  const one = (n: number) =>
    `  /package-${n}@1.0.${n}:\n    resolution: {integrity: sha512-${'A'.repeat(86)}==}\n    engines: {node: '>=18'}\n    dependencies:\n      package-${n + 1}: 1.0.${n + 1}\n    dev: true\n\n`;
  const text = `lockfileVersion: '6.0'\n\npackages:\n\n${Array.from({ length: 2600 }, (_, n) => one(n)).join('')}`;
  const socket = await service.open({ policy: 'lockfile', locks: [{ path: 'pnpm-lock.yaml', text }] });
  await service.longest();
  await curl(socket, '/npm/nobody-named-this', 22);
  const blocked = await service.longest();
  await service.close();
  return blocked;
}

interface Service {
  open(o: Pick<Extract<ToService, { kind: 'open' }>, 'policy' | 'locks'>): Promise<string>;
  /** the doors */
  close(): Promise<void>;
  longest(): Promise<number>;
  /** MB (10⁶ bytes) */
  memory(of: 'VmRSS' | 'VmHWM'): number;
  forgetPeak(): void;
  /** milliseconds of processor time, all threads, so far */
  processor(): number;
  /** Other dispatches ask the model while `work` goes on; their times are kept under `phase`. */
  meanwhile<T>(phase: Phase, work: () => Promise<T>): Promise<T>;
}

async function withService(
  at: Round,
  name: string,
  work: (service: Service) => Promise<void>,
): Promise<void> {
  const sqlite = at.bench.databases.find((one) => one.name === 'SQLite')!;
  const folder = folderIn(at.folder, `${name}-${at.round}`);
  const database = await sqlite.fresh(`packages-${name}-${at.round}`);
  const child = fork(scriptAt('packages-process.ts'), [folder, database, at.model], {
    // The service is started with the same option.
    execArgv: ['--max-semi-space-size=2'],
  });
  const gone = once(child, 'exit');
  try {
    const { address } = await told<{ address: string }>(child);
    await work(serviceOf(child, { ...at, gateway: address }));
  } finally {
    if (child.connected) child.disconnect();
    await gone;
    rmSync(folder, { recursive: true, force: true });
  }
}

function serviceOf(child: ChildProcess, at: Round & { gateway: string }): Service {
  const say = async <T extends FromService>(message: ToService): Promise<T> => {
    child.send(message);
    return await told<T>(child);
  };
  let opened = 0;
  return {
    open: async (o) => {
      opened += 1;
      const cache = `cache-${opened}`;
      return (await say<{ address: string }>({ kind: 'open', registry: at.registry, cache, ...o })).address;
    },
    close: async () => void (await say({ kind: 'close' })),
    longest: async () => (await say<{ longestMs: number }>({ kind: 'longest' })).longestMs,
    memory: (of) => {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return (Number(new RegExp(`^${of}:\\s+(\\d+) kB`, 'm').exec(status)![1]) * 1024) / 1e6;
    },
    processor: () => {
      // The fields are utime and stime, in ticks of 10 ms. The program's name before them ends with the bracket.
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    forgetPeak: () => writeFileSync(`/proc/${child.pid}/clear_refs`, '5'),
    meanwhile: async (phase, work) => {
      const times = at.measured.firstByte.get(phase) ?? [];
      at.measured.firstByte.set(phase, times);
      return await whileOthersAsk(at.gateway, times, work);
    },
  };
}

async function whileOthersAsk<T>(socketPath: string, times: number[], work: () => Promise<T>): Promise<T> {
  const agent = new Agent({ keepAlive: true });
  const way: Way = {
    ...{ name: 'through the gateway', target: { socketPath }, agent },
    ...{ firstByte: [], whole: [], paced: [], unpaced: [] },
  };
  const wish = { events: 20, eventsPerSecond: null, thinksMs: MODEL.thinksMs };
  await ask(way, wish);
  let isOver = false;
  const one = async () => {
    while (!isOver) {
      const { first } = await ask(way, wish);
      if (!isOver) times.push(first);
    }
  };
  const others = Array.from({ length: MODEL.dispatches }, one);
  try {
    return await work();
  } finally {
    isOver = true;
    await Promise.all(others);
    agent.destroy();
  }
}

async function told<T extends FromService>(child: ChildProcess): Promise<T> {
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`The process of the service ended with code ${code}. Read its output above.`);
    }),
  ])) as [T];
  return message;
}

function scriptAt(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

async function registryFor(
  bench: Bench,
  { folder, packages, megabytes }: { folder: string; packages: number; megabytes: number },
): Promise<string> {
  const args = [scriptAt('packages-registry.ts'), folder, String(packages), String(megabytes)];
  const registry = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  bench.atEnd(async () => void registry.kill());
  const [said] = await once(registry.stdout, 'data');
  return String(said).trim();
}

async function modelFor(bench: Bench): Promise<string> {
  const model = fork(scriptAt('gateway-process.ts'), ['upstream']);
  bench.atEnd(async () => {
    if (model.connected) model.disconnect();
  });
  const [{ address }] = (await once(model, 'message')) as [{ address: string }];
  return address;
}

async function curl(socket: string, path: string, ends = 0): Promise<void> {
  const args = ['-sSf', '-o', '/dev/null', '--unix-socket', socket, `http://x${path}`];
  const child = spawn('curl', args, { stdio: ['ignore', 'ignore', ends === 0 ? 'inherit' : 'ignore'] });
  const [code] = await once(child, 'exit');
  if (code !== ends) throw new Error(`curl ended with ${code} for ${path}.`);
}

/** As the script in a container does it: bytes go to and fro between a port on loopback and the socket. */
async function behindPort<T>(path: string, work: (address: string) => Promise<T>): Promise<T> {
  const server = createServer({ allowHalfOpen: true }, (inside) => {
    const outside = connect({ path, allowHalfOpen: true });
    inside.pipe(outside).pipe(inside);
    for (const socket of [inside, outside]) socket.on('error', () => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/npm/`);
  } finally {
    server.close();
  }
}

/** Milliseconds of an `npm ci` without anything in npm's own cache. */
async function install(folder: string, address: string, more: readonly string[] = []): Promise<number> {
  for (const part of ['node_modules', 'npm-cache'])
    rmSync(join(folder, part), { recursive: true, force: true });
  const { NODE_EXTRA_CA_CERTS } = process.env;
  const began = performance.now();
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--cache', join(folder, 'npm-cache'), ...more], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      npm_config_registry: address,
      npm_config_replace_registry_host: 'always',
      npm_config_userconfig: join(folder, 'npmrc'),
      // The public registry may need the authority that this machine's own settings name.
      ...(NODE_EXTRA_CA_CERTS === undefined ? {} : { NODE_EXTRA_CA_CERTS }),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(npm, 'exit');
  if (code !== 0) throw new Error(`npm ci ended with ${code}. Read its output above.`);
  return performance.now() - began;
}

function report(m: Measured, size: { rounds: number; packages: number; megabytes: number }): PartReport {
  const rest = medianOf(m.firstByte.get('npm ci without the door')!);
  const door = medianOf(m.firstByte.get('npm ci through the door')!);
  return {
    title: 'The package door',
    method: [
      `The registry, the scripted model and the service are processes of their own on this machine, so the network decides nothing. ${size.rounds} round(s), each with a new service and an empty cache; \`npm ci\` of ${size.packages} packages with nothing in npm's own cache, without the door and through it, in turn. Load of the machine at the start of the rounds: ${m.loads.map((load) => figure(load)).join(', ')}.`,
      `The rows of the public registry are this repository's own lock file without its optional packages and without install scripts; there the network decides, too.`,
      `Meanwhile ${MODEL.dispatches} other dispatches ask a model that takes ${MODEL.thinksMs} ms to its first byte, through the gateway of the same service. Their time is compared with the time while npm installs without the door, because npm itself keeps the processors of this machine busy.`,
      `Memory: the most that the resident set of a new service rose (VmHWM) while a file of ${size.megabytes} MB went through the door and into the cache, after 20 small packages.`,
      'Event loop: processor time of its longest piece of work while a pnpm-lock.yaml of 2,600 packages (0.6 MB) is read.',
    ],
    goals: [
      shareAtMost(
        `Package door: npm ci of ${size.packages} packages, against without it (median)`,
        medianOf(m.through),
        medianOf(m.direct),
        1.3,
      ),
      atMost(
        `Package door: memory added by a file of ${size.megabytes} MB (most of all rounds)`,
        Math.max(...m.added),
        MOST_ADDED_MB,
        'MB',
      ),
      shareAtMost('Package door: first byte of other dispatches’ model meanwhile (median)', door, rest, 1.1),
      atMost(
        'Package door: event loop held up by a large pnpm-lock.yaml (median)',
        medianOf(m.blocked),
        MOST_BLOCKED_MS,
        'ms',
      ),
    ],
    tables: [
      {
        caption: 'npm ci, cold, milliseconds',
        head: ['way', ...SUMMARY_HEAD],
        rows: [
          ['without the door', ...summaryCells(summarise(m.direct), 0)],
          ['through the door', ...summaryCells(summarise(m.through), 0)],
          ...realRows(m.real),
        ],
      },
      {
        caption: 'First byte of the model for other dispatches, milliseconds',
        head: ['meanwhile', ...SUMMARY_HEAD],
        rows: [...m.firstByte]
          .filter(([, times]) => times.length > 0)
          .map(([phase, times]) => [phase, ...summaryCells(summarise(times))]),
      },
      {
        caption: 'Every round',
        head: ['', ...m.added.map((_, n) => String(n + 1))],
        rows: [
          ['MB added by the large file', ...m.added.map((mb) => figure(mb))],
          ['ms of processor time of the service for npm ci', ...m.processor.map((ms) => figure(ms, 0))],
          ['ms of the event loop for the lock file', ...m.blocked.map((ms) => figure(ms))],
        ],
      },
    ],
  };
}

function realRows({ direct, through, packages }: Measured['real']): string[][] {
  if (direct.length === 0) return [];
  const of = `${packages} packages of the public registry`;
  return [
    [`${of}, without the door`, ...summaryCells(summarise(direct), 0)],
    [`${of}, through it`, ...summaryCells(summarise(through), 0)],
  ];
}
