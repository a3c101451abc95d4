/**
 * `npm run bench` measures everything and writes bench/RESULTS.md; `npm run bench -- intake` measures one part and
 * prints the same Markdown instead; with `--keep` it is written to the end of the file as well. BENCH_QUICK=1 makes every
 * part short, and writes no file either.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openBench, type Part } from './bench.ts';
import { measureContainers } from './containers.ts';
import { measureDispatch } from './dispatch.ts';
import { measureGateway } from './gateway.ts';
import { measureGrowth } from './growth.ts';
import { measureIntake } from './intake.ts';
import { describeMachine } from './machine.ts';
import { measureMemory } from './memory.ts';
import { measurePackageBuilds } from './package-builds.ts';
import { measurePackages } from './packages.ts';
import { measurePrompt } from './prompt.ts';
import { measureRecall } from './recall.ts';
import { measureReconciler } from './reconciler.ts';
import { type PartReport, toMarkdown, withKept } from './report.ts';
import { measureSetup } from './setup.ts';
import { measureStatements } from './statements.ts';
import { measureSteering } from './steering.ts';
import { measureWarm } from './warm.ts';

const PARTS: Record<string, Part> = {
  intake: measureIntake,
  dispatch: measureDispatch,
  memory: measureMemory,
  growth: measureGrowth,
  containers: measureContainers,
  warm: measureWarm,
  gateway: measureGateway,
  recall: measureRecall,
  builds: measurePackageBuilds,
  packages: measurePackages,
  prompt: measurePrompt,
  statements: measureStatements,
  setup: measureSetup,
  reconciler: measureReconciler,
  steering: measureSteering,
};
const RESULTS = fileURLToPath(new URL('RESULTS.md', import.meta.url));

const given = process.argv.slice(2);
const names = given.filter((word) => word !== '--keep');
const unknown = names.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no part ${unknown.join(', ')}. Name one or more of ${Object.keys(PARTS).join(', ')}, or none for all.\n`,
  );
  process.exit(2);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const quick = process.env.BENCH_QUICK === '1';
const started = performance.now();
const opened = await openBench(quick);
try {
  const machine = describeMachine(opened.postgres);
  const parts: PartReport[] = [];
  for (const name of names.length > 0 ? names : Object.keys(PARTS)) {
    opened.bench.say(`${name} …`);
    const from = performance.now();
    parts.push(await PARTS[name]!(opened.bench));
    opened.bench.say(`${name}: ${((performance.now() - from) / 1000).toFixed(0)} s`);
  }
  const complete = names.length === 0 && !quick;
  const command = ['npm run bench', ...(names.length > 0 ? ['--', ...names] : [])].join(' ');
  const text = toMarkdown({
    machine,
    command,
    seconds: (performance.now() - started) / 1000,
    caution: quick ? 'Made with BENCH_QUICK=1: too short to be believed.' : null,
    parts,
  });
  process.stdout.write(text);
  if (complete) writeFileSync(RESULTS, text);
  else if (given.length > names.length && !quick) {
    writeFileSync(RESULTS, withKept(readFileSync(RESULTS, 'utf8'), command, text));
  }
} finally {
  await opened.close();
}
