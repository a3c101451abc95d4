/** What a layer saves: the first set-up of a repository, and a conversation that finds the layer, side by side. */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { migrate, openDatabase } from '../src/database/database.ts';
import { bytesOf, findLayer } from '../src/layers/manifest.ts';
import { type TestEngine, testEngines } from '../test/support/engines.ts';
import { BareRepository } from '../test/support/git-remotes.ts';
import {
  type Asked,
  checkoutFor,
  layersIn,
  requestOf,
  withoutOverlays,
} from '../test/support/layers-stage.ts';
import type { Bench } from './bench.ts';
import { figure, type PartReport, shareAtMost } from './report.ts';
import { medianOf } from './summary.ts';

/** Offline, and the same in every image: 1,000 files in 100 folders, each the hash of random bytes. */
const COMMANDS = [
  'mkdir -p node_modules; for p in $(seq 100); do mkdir -p node_modules/$p; for f in 1 2 3 4 5 6 7 8 9 10; do head -c 4000 /dev/urandom | sha256sum > node_modules/$p/$f; done; done',
];

interface Measured {
  name: string;
  first: number;
  reused: number[];
  again: number[];
  entries: number;
  bytes: number;
}

export async function measureSetup(bench: Bench): Promise<PartReport> {
  const rounds = bench.quick ? 3 : 5;
  const engines = testEngines().filter(
    ({ need, name }) => need.ok && name !== 'process' && name !== 'docker',
  );
  const bubblewrap = engines.find(({ name }) => name === 'bubblewrap');
  const forms: [string, TestEngine][] = [
    ...engines.map((engine): [string, TestEngine] => [`${engine.name}, overlay`, engine]),
    ...(bubblewrap === undefined
      ? []
      : [['bubblewrap, copy', withoutOverlays(bubblewrap)] as [string, TestEngine]]),
  ];
  const measured: Measured[] = [];
  for (const [name, engine] of forms) {
    measured.push(await measureOne(bench, { name, engine, rounds }));
    bench.say(
      `  ${name}: ${figure(measured.at(-1)!.first)} ms, then ${figure(medianOf(measured.at(-1)!.reused))} ms`,
    );
  }
  return report(measured, rounds);
}

async function measureOne(
  bench: Bench,
  { name, engine, rounds }: { name: string; engine: TestEngine; rounds: number },
): Promise<Measured> {
  const folder = join(bench.folder, randomUUID());
  mkdirSync(folder);
  const forge = new BareRepository(join(folder, 'forge.git')).path;
  const database = openDatabase({ url: `sqlite:${join(folder, 'rows.db')}` });
  await migrate(database);
  const { layers, workdir } = layersIn({ folder, database, engine: engine.engine });
  const asked: Asked = { setup: { commands: COMMANDS, keep: ['node_modules'], timeoutMs: 600_000 } };
  const one = async (conversation: string) => {
    const checkout = await checkoutFor(workdir, forge, { ...asked, conversation });
    const request = requestOf(folder, { checkout, forge, image: engine.image, asked });
    const began = performance.now();
    const ready = await layers.forRun(request);
    const ms = performance.now() - began;
    ready.release();
    return { ms, said: ready.said! };
  };
  try {
    const built = await one(randomUUID());
    if (built.said.outcome !== 'built') throw new Error(`The set-up ended otherwise: ${built.said.text}`);
    const reused: number[] = [];
    const again: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const conversation = randomUUID();
      reused.push((await one(conversation)).ms);
      again.push((await one(conversation)).ms);
    }
    const found = await findLayer(join(folder, 'layers'), built.said.key!);
    if (found.kind !== 'whole') throw new Error('The layer is not whole.');
    const entries = found.layer.kept.reduce((sum, kept) => sum + kept.entries, 0);
    return { name, first: built.ms, reused, again, entries, bytes: bytesOf(found.layer) };
  } finally {
    await database.close();
  }
}

function report(measured: readonly Measured[], rounds: number): PartReport {
  return {
    title: 'Set-up commands and their layers',
    method: [
      `The first conversation of a repository runs the commands, which make 1,000 small files. Then ${rounds} further conversations ask for the same, each twice. Measured from the question to the mounts being ready; the check of every name, size and time in the layer is part of it, and the first one's trial of overlays, too. Nothing is fetched: with a network, the first one takes longer and the others do not.`,
    ],
    goals: measured.map(({ name, first, reused }) =>
      shareAtMost(
        `Set-up, ${name}: a second conversation against the first (median)`,
        medianOf(reused),
        first,
        0.05,
      ),
    ),
    tables: [
      {
        caption: 'Milliseconds until a run can begin.',
        head: ['engine', 'entries', 'MB', 'first', 'second conversation', 'the same once more'],
        rows: measured.map((m) => [
          m.name,
          String(m.entries),
          figure(m.bytes / 1e6),
          ...[m.first, medianOf(m.reused), medianOf(m.again)].map((ms) => figure(ms)),
        ]),
      },
    ],
  };
}
